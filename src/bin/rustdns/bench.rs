//! `rustdns bench`: how long lookups of a name take with libc and with the library, as a chart.

use crate::Outcome;
use crate::answer::{Json, Shown, Trouble, print};
use crate::arguments::Bench;
use crate::child::{self, Side};
use crate::library::Library;
use crate::paint::{Colour, Paint};
use crate::progress::Progress;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// No side is measured for longer.
const LIMIT: Duration = Duration::from_secs(5);
/// Characters of the longest bar.
const WIDTH: f64 = 40.0;

/// One side's times.
struct Measured {
    label: &'static str,
    key: &'static str,
    /// Nanoseconds, ascending.
    times: Vec<u64>,
    error: Option<String>,
}

/// Measures, and draws.
pub(crate) fn bench(arguments: &Bench) -> Outcome {
    let library = Library::find(arguments.library.as_deref())?;
    let name = Shown(arguments.name.as_bytes());
    let progress = Progress::of(format!("measuring {name}"));
    let mut rows = Vec::new();
    for (label, key, side) in [
        ("libc", "libc", Side::Libc),
        ("rustdns, no cache", "rustdns_uncached", Side::RustdnsWithoutCache(&library)),
        ("rustdns", "rustdns", Side::Rustdns(&library)),
    ] {
        progress.say(format!("measuring {name}: {label}"));
        let answer = child::ask(&arguments.name, side, arguments.count, LIMIT)?;
        let mut times = answer.times;
        times.sort_unstable();
        let error = answer.error.map(|(code, why)| format!("{code}: {why}"));
        rows.push(Measured { label, key, times, error });
    }
    drop(progress);
    if arguments.json {
        json(arguments, &rows)?;
    } else {
        text(arguments, &rows)?;
    }
    // What fails as fast as it can is no measure of anything.
    match rows.iter().find_map(|row| row.error.as_ref().map(|error| (row.label, error))) {
        Some((label, error)) => Err(Trouble::not_found(format_args!("{name}: {label}: {error}"))),
        None => Ok(()),
    }
}

impl Measured {
    /// The time that so many of a hundred lookups don't exceed; `None` where none was measured.
    fn percentile(&self, percent: usize) -> Option<u64> {
        let last = self.times.len().checked_sub(1)?;
        self.times.get(last * percent / 100).copied()
    }

    /// The first one, which reads the configuration.
    fn slowest(&self) -> Option<u64> {
        self.times.last().copied()
    }
}

fn text(arguments: &Bench, rows: &[Measured]) -> Outcome {
    let paint = Paint::of_stdout();
    let longest = rows.iter().filter_map(|row| row.percentile(50)).max().unwrap_or(1).max(1);
    let mut out = String::new();
    // Writing to a String never fails.
    let _ = writeln!(
        out,
        "{}, looked up {} times in a row by one process",
        Shown(arguments.name.as_bytes()),
        arguments.count
    );
    let _ = writeln!(out, "{:<19}{:>10}{:>12}{:>12}", "", "median", "99 %", "slowest");
    for row in rows {
        let cell = |nanos: Option<u64>| nanos.map_or("-".to_owned(), micros);
        let median = row.percentile(50);
        let bar = paint.colour(Colour::Blue, bar(paint, median.unwrap_or(0), longest));
        let _ = writeln!(
            out,
            "{:<19}{:>10}{:>12}{:>12}  {bar}",
            row.label,
            cell(median),
            cell(row.percentile(99)),
            cell(row.slowest())
        );
        if row.times.len() < arguments.count as usize {
            let _ = writeln!(
                out,
                "{:<19}after {} lookups its time of {} s was up",
                "",
                row.times.len(),
                LIMIT.as_secs()
            );
        }
    }
    print(&out)
}

/// A bar for the median: as long, against the longest, as it took.
fn bar(paint: Paint, nanos: u64, longest: u64) -> String {
    let length = nanos as f64 / longest as f64 * WIDTH;
    let whole = paint.character("█", "#").repeat(length as usize);
    if length < 1.0 { paint.character("▏", "|").to_owned() } else { whole }
}

fn micros(nanos: u64) -> String {
    format!("{:.1} us", nanos as f64 / 1000.0)
}

fn json(arguments: &Bench, rows: &[Measured]) -> Outcome {
    let one = |row: &Measured| {
        let time = |nanos: Option<u64>| nanos.map_or(Json::Null, Json::Number);
        Json::Object(vec![
            ("lookups", Json::Number(row.times.len() as u64)),
            ("median_nanoseconds", time(row.percentile(50))),
            ("p99_nanoseconds", time(row.percentile(99))),
            ("slowest_nanoseconds", time(row.slowest())),
            ("error", Json::maybe(row.error.as_ref())),
        ])
    };
    let mut members = vec![("name", Json::text(arguments.name.as_bytes()))];
    members.extend(rows.iter().map(|row| (row.key, one(row))));
    Json::Object(members).print()
}
