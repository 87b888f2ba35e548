//! The same calls with libc's resolver and with the library, in thousands of small worlds.
//!
//! A *world* is a fixture: files below `/etc`, a network, name servers, an environment
//! (`cases/*.toml`; [`cases`] says how they are written). Each of its *calls* is made in a process of
//! its own, once with libc alone and once with the library in front of it, and everything that can be
//! seen is compared as text: what the call returned, and the queries that reached the servers. Where
//! the two differ on purpose, the world names the row of `docs/divergences.md` and says what either
//! does; a difference that is gone is a failure too. A third run of the same program, linked with
//! musl, is for information.
//!
//! With `RUSTDNS_LIBC` (`bullseye`, `trixie`, `sid`) it is the libc of that release of Debian on both
//! sides; where the library does not load with it, its side stays with the machine's. What it does is
//! its own on either, so the answers compare all the same.
//!
//! | file | does |
//! |---|---|
//! | [`cases`] | TOML → worlds and their calls |
//! | [`expand`] | `{1..9}`, `{x*63}` and `{placeholders}` |
//! | [`script`] | what a name server answers, written as lines |
//! | [`network`] | hosts' networks by name: IPv4 only, a deprecated address, … |
//! | [`scene`] | sets a world up in a sandbox |
//! | [`probe`] | the C programs that make the calls |
//! | [`outcome`] | what a call came to, as text |
//! | [`verdict`] | agreement, a divergence as documented, or a difference |
//! | [`run`] | all worlds, several at once |
//! | [`report`] | counts, and every difference |
//! | [`mutants`] | bugs planted into a copy of the library, which the cases must find |
//!
//! `RUSTDNS_DIFFERENTIAL=TEXT` runs only the cases whose id has TEXT in it, and shows all that they
//! came to. An id is `category/world: call`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

#[path = "../support/mod.rs"]
mod support;

mod cases;
mod expand;
mod mutants;
mod network;
mod outcome;
mod probe;
mod report;
mod run;
mod scene;
mod script;
mod verdict;

use report::Report;
use support::foreign;
use support::libcs::{Libc, NEWER};

/// How many cases there are at least.
const LEAST: usize = 5000;
/// And of the part of them for a newer libc.
const LEAST_OF_PART: usize = 2000;

#[test]
fn every_case_agrees_with_libc() {
    let selection = std::env::var("RUSTDNS_DIFFERENTIAL").ok();
    let worlds = cases::load(selection.as_deref());
    let libc = Libc::chosen();
    let started = std::time::Instant::now();
    let results = run::all(&worlds, libc, selection.is_some(), *libc == Libc::machine());
    let report = Report::new(libc, &worlds, results, started.elapsed(), selection.is_none());
    report.write();
    eprintln!("{}", report.summary());
    assert!(report.failures().is_empty(), "{}", report.failure_text());
    if selection.is_none() {
        assert!(report.cases() >= LEAST, "only {} cases", report.cases());
    } else {
        assert!(report.cases() > 0, "no case has that in its id");
    }
}

/// `make differential-roots` runs all cases, and with older and newer ones too.
#[test]
fn a_part_of_the_cases_agrees_with_a_newer_libc() {
    if foreign::is_emulated() {
        return;
    }
    let worlds = cases::part(cases::load(None));
    let libc = Libc::of(NEWER);
    assert!(libc.version > Libc::machine().version, "{} is not newer", libc.version);
    let started = std::time::Instant::now();
    let results = run::all(&worlds, &libc, false, false);
    let report = Report::new(&libc, &worlds, results, started.elapsed(), false);
    report.write();
    eprintln!("{}", report.summary());
    assert!(report.failures().is_empty(), "{}", report.failure_text());
    assert!(report.cases() >= LEAST_OF_PART, "only {} cases", report.cases());
}

#[test]
fn a_planted_bug_in_each_category_is_caught() {
    let mutants = mutants::all();
    let forgotten = mutants::forgotten(&mutants, &cases::load(None));
    assert!(forgotten.is_empty(), "no planted bug in {forgotten:?}");
    let library = mutants::build(&mutants);
    let wrong = mutants::not_caught(&mutants, &library);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
