//! `rustdns stats`: what the library has done in processes that run.

use crate::Outcome;
use crate::answer::{Json, Trouble, print};
use crate::arguments::Stats;
use crate::processes::{self, Process};
use rustdns::observe::counters::{Count, DURATIONS, FIRST, Totals};
use std::fmt::Write;
use std::time::Duration;

/// Prints the counters of one process at length, or a line for each that shows them.
pub(crate) fn stats(arguments: &Stats) -> Outcome {
    match arguments.pid {
        Some(id) => {
            let process = processes::one(id)?;
            if arguments.json { json(&process).print() } else { print(&text(&process)) }
        }
        None => {
            let all = processes::all();
            if arguments.json {
                return Json::List(all.iter().map(json).collect()).print();
            }
            if all.is_empty() {
                return Err(Trouble::not_found(
                    "no process that you may look into shows anything: start one with \
                     RUSTDNS_STATS=on, or put `stats on` into /etc/rustdns.conf",
                ));
            }
            let mut out = heading();
            all.iter().for_each(|process| out += &row(process));
            print(&out)
        }
    }
}

/// The columns of [`row`].
fn heading() -> String {
    format!(
        "{:>7} {:>9} {:>7} {:>9} {:>6} {:>9} {:>9} {}\n",
        "PID", "LOOKUPS", "FAILED", "QUERIES", "HITS", "MEDIAN", "99 %", "PROGRAM"
    )
}

fn row(process: &Process) -> String {
    let totals = &process.totals;
    let durations = totals.durations();
    format!(
        "{:>7} {:>9} {:>7} {:>9} {:>6} {:>9} {:>9} {}\n",
        process.id,
        totals.lookups(),
        totals.of(Count::Failures),
        totals.queries(),
        percent(totals.hits(), totals.of(Count::Misses)),
        quantile(&durations, 50),
        quantile(&durations, 99),
        process.name
    )
}

/// `part` of it and what else there is, as a percentage.
pub(crate) fn percent(part: usize, rest: usize) -> String {
    match part.saturating_add(rest) {
        0 => "-".to_owned(),
        all => format!("{:.1} %", part as f64 * 100.0 / all as f64),
    }
}

/// The bound that so many percent of the lookups stayed below.
pub(crate) fn quantile(durations: &[usize; DURATIONS], percent: usize) -> String {
    let all: usize = durations.iter().sum();
    if all == 0 {
        return "-".to_owned();
    }
    // Rounded up: of three the median is the second.
    let wanted = (all.saturating_mul(percent)).div_ceil(100);
    let mut seen = 0;
    let class = durations.iter().position(|count| {
        seen += count;
        seen >= wanted
    });
    bound(class.unwrap_or(DURATIONS - 1))
}

/// What the lookups of a class stayed below.
fn bound(class: usize) -> String {
    match below(class) {
        Some(micros) => format!("<{}", time(micros)),
        None => format!(">{}", time(below(DURATIONS - 2).unwrap_or(0))),
    }
}

/// The bound of a class in microseconds; the last one has none.
pub(crate) fn below(class: usize) -> Option<u64> {
    (class < DURATIONS - 1).then(|| (FIRST as u64) << class)
}

/// A time in at most three digits and its unit.
fn time(micros: u64) -> String {
    match micros {
        0..1000 => format!("{micros} us"),
        1000..1_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{} s", micros / 1_000_000),
    }
}

/// All that is counted: name in JSON, words for people, number.
pub(crate) fn counts(totals: &Totals) -> Vec<(&'static str, &'static str, usize)> {
    let of = |what| totals.of(what);
    vec![
        ("lookups", "lookups", totals.lookups()),
        ("failures", "  without an answer", of(Count::Failures)),
        ("coalesced", "  that waited for another thread", of(Count::Coalesced)),
        ("cache_hits", "cache hits", totals.hits()),
        ("cache_misses", "cache misses", of(Count::Misses)),
        ("stale", "answers past their time", of(Count::Stale)),
        ("cache_entries", "answers in the cache", of(Count::Entries)),
        ("cache_octets", "  octets", of(Count::Octets)),
        ("cache_evictions", "  evicted early", of(Count::Evictions)),
        ("queries_udp", "queries by UDP", of(Count::Udp)),
        ("queries_tcp", "queries by TCP", of(Count::Tcp)),
        ("queries_private", "queries over TLS or HTTPS", of(Count::Private)),
        ("answers", "answers", of(Count::Answers)),
        ("negative", "  that deny a name or record", of(Count::Negative)),
        ("secure", "  that are signed", of(Count::Secure)),
        ("insecure", "  of zones that sign nothing", of(Count::Insecure)),
        ("bogus", "answers with wrong signatures", of(Count::Bogus)),
        ("timeouts", "questions without an answer", of(Count::Timeouts)),
        ("servers_dead", "servers found dead", of(Count::Dead)),
    ]
}

fn text(process: &Process) -> String {
    let totals = &process.totals;
    let mut out = format!("process {} ({})\n", process.id, process.name);
    // Writing to a String never fails.
    for (_, words, number) in counts(totals) {
        let _ = writeln!(out, "{words:<32} {number:>12}");
    }
    let _ = writeln!(
        out,
        "{:<32} {:>12}",
        "hit rate",
        percent(totals.hits(), totals.of(Count::Misses))
    );
    out.push('\n');
    for line in histogram(&totals.durations(), 40) {
        let _ = writeln!(out, "{line}");
    }
    out
}

/// How many lookups took how long: a line for each class from the first to the last that has any, with a
/// bar of up to `width` characters.
pub(crate) fn histogram(durations: &[usize; DURATIONS], width: usize) -> Vec<String> {
    let is_some = |count: &usize| *count > 0;
    let (Some(first), Some(last), Some(&most)) = (
        durations.iter().position(is_some),
        durations.iter().rposition(is_some),
        durations.iter().max(),
    ) else {
        return vec!["no lookups yet".to_owned()];
    };
    let line = |class: usize, &count: &usize| {
        // A class that has any has a mark.
        let bar = (count as f64 * width as f64 / most as f64).ceil() as usize;
        format!("{:>8} {count:>10} {}", bound(class), "#".repeat(bar.min(width)))
    };
    let classes = durations.iter().enumerate().take(last + 1).skip(first);
    classes.map(|(class, count)| line(class, count)).collect()
}

/// One object for a process.
pub(crate) fn json(process: &Process) -> Json {
    let mut members =
        vec![("pid", Json::Number(process.id.into())), ("program", Json::text(&process.name))];
    for (key, _, number) in counts(&process.totals) {
        members.push((key, Json::Number(number as u64)));
    }
    let latency = process.totals.durations().into_iter().enumerate().map(|(class, count)| {
        Json::Object(vec![
            ("below_us", below(class).map_or(Json::Null, Json::Number)),
            ("lookups", Json::Number(count as u64)),
        ])
    });
    members.push(("latency", Json::List(latency.collect())));
    Json::Object(members)
}

/// What came between two views of one process, by the second.
pub(crate) fn rate(before: usize, now: usize, time: Duration) -> f64 {
    now.wrapping_sub(before) as f64 / time.as_secs_f64().max(0.001)
}
