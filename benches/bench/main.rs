//! `make bench`: lookups with rustdns and with what else there is, side by side in one run.
//!
//! Started by `scripts/bench`, inside a network and a mount namespace of its own, after it has built
//! the programs that look up (`benches/lookers`). Prints tables, and with `--write` puts them into
//! docs/performance.md and the plots beside it.
//!
//!     bench [--write] [--long] [SECTION]...
//!
//! | file | does |
//! |---|---|
//! | `bed` | the responder, /etc as a contestant is to see it, caches that run as daemons |
//! | `contestant` | who is measured |
//! | `looker` | runs a program that looks up, and reads what it says; rounds in turn, medians |
//! | `latency`, `threads`, `hosts`, `servers`, `private`, `start`, `counts`, `memory`, `growth` | the sections |
//! | `report`, `plot`, `page` | tables and targets, pictures, docs/performance.md |
//!
//! Fails where a measurement is broken: a wrong answer, a program that dies or hangs. Never because
//! something is slow.
#![allow(unreachable_pub, reason = "the modules of a program are nobody's public interface")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program of its own: it prints, reads its environment, binds numeric addresses"
)]

mod bed;
mod contestant;
mod counts;
mod growth;
mod hosts;
mod latency;
mod looker;
mod memory;
mod page;
mod plot;
mod private;
mod report;
mod servers;
mod start;
mod threads;

use bed::Bed;
use report::Report;
use std::process::ExitCode;
use std::time::Instant;

/// What went wrong with a measurement.
pub type Result<T> = std::result::Result<T, String>;

/// A part of the run that can be asked for by its name.
type Section = (&'static str, fn(&Bed, &mut Report) -> Result<()>);

const SECTIONS: &[Section] = &[
    ("latency", latency::measure),
    ("threads", threads::measure),
    ("hosts", hosts::measure),
    ("silent", servers::silent),
    ("search", servers::search),
    ("private", private::measure),
    ("start", start::measure),
    ("counts", counts::measure),
    ("memory", memory::measure),
    ("growth", growth::measure),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let (options, wanted): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let write = options.iter().any(|option| option == "--write");
    let long = options.iter().any(|option| option == "--long");
    if let Some(unknown) =
        wanted.iter().find(|name| SECTIONS.iter().all(|(known, _)| known != name))
    {
        return Err(format!("no section {unknown}"));
    }
    let bed = Bed::new(long)?;
    let mut report = Report::default();
    let began = Instant::now();
    for (name, measure) in SECTIONS {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            measure(&bed, &mut report).map_err(|error| format!("{name}: {error}"))?;
            eprintln!("bench: {name} done after {:.0} s", began.elapsed().as_secs_f64());
        }
    }
    let text = format!("{}\n{}", page::machine(&bed)?, report.markdown());
    println!("{text}");
    if write {
        page::write(&bed, &text, report.plots())?;
    }
    Ok(())
}
