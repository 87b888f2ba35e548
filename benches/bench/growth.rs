//! Whether it stays flat: names in the cache, lookups made, threads. As tables and as plots.

use crate::Result;
use crate::bed::{Bed, Etc};
use crate::contestant::Contestant::{Glibc, Hickory, Musl, Nscd, Rustdns};
use crate::looker::{Looker, in_turn, lookers, median};
use crate::plot::{Line, Plot};
use crate::report::{Report, Table, number};
use crate::threads::hits_of_a_run;

pub fn measure(bed: &Bed, report: &mut Report) -> Result<()> {
    names(bed, report)?;
    threads(bed, report)?;
    lookups(bed, report)
}

/// The time of a hit with more and more names in the cache.
fn names(bed: &Bed, report: &mut Report) -> Result<()> {
    const ROUNDS: usize = 3;
    let mut table = Table::new(
        "Hits by the number of names in the cache, looked up in no order",
        &["names", "median µs", "p99 µs"],
    );
    let (mut medians, mut tails) = (Vec::new(), Vec::new());
    // Room for all of them, which the default has not.
    let large = Looker::new(bed, Rustdns, "names", &Etc::default())?.with("RUSTDNS_CACHE=800000");
    for kept in [10, 100, 1_000, 10_000, 100_000] {
        // The few names' process makes no more lookups than the many names'.
        let options = |run: usize| format!("-s {run} -k {kept} 100000 n%d.bench.test");
        let rounds = if kept > 10_000 { 1 } else { ROUNDS };
        let results = in_turn(std::slice::from_ref(&large), rounds, options)?;
        let (_, figures) = results.first().ok_or("no result")?;
        let (median, tail) = (figures.micros("median")?, figures.micros("p99")?);
        table.row(&number(f64::from(kept)), [median, tail].map(number));
        medians.push((f64::from(kept), median));
        tails.push((f64::from(kept), tail));
    }
    table.note(
        "`cache 800000` in rustdns.conf: the default has room for some 2,000 names. With few names most \
         lookups repeat one of the last 100 ms. With very many each name comes up less than once a second, \
         and then the kernel is asked anew for the route to its addresses: those system calls, and not the \
         cache, are what the last rows have more than the first.",
    );
    report.table(table);
    report.plot(Plot {
        file: "plots/hit-by-names.svg",
        title: "A hit, by the number of names in the cache",
        x: "names in the cache",
        y: "µs",
        logarithmic: true,
        lines: vec![Line::new("99th percentile", tails), Line::new("median", medians)],
    });
    Ok(())
}

/// Lookups in a second on more and more threads.
fn threads(bed: &Bed, report: &mut Report) -> Result<()> {
    let contestants = [Glibc, Musl, Hickory, Rustdns];
    let lookers = lookers(bed, &contestants, "by-threads", &Etc::default())?;
    const LOOKUPS: usize = 6000;
    let title = "Uncached lookups in a second, by threads";
    by_threads(report, title, "plots/uncached-by-threads.svg", &lookers, |_, threads, run| {
        let start = threads * 10_000_000 + run * LOOKUPS;
        Ok(format!("-t {threads} -s {start} {} u%d.bench.test", LOOKUPS / threads))
    })?;
    let lookers = self::lookers(bed, &[Nscd, Hickory, Rustdns], "hits", &Etc::default())?;
    let title = "Hits in a second, by threads";
    by_threads(report, title, "plots/hits-by-threads.svg", &lookers, |looker, threads, _| {
        let each = hits_of_a_run(looker)? / threads;
        Ok(format!("-t {threads} -k 1 {each} hot%d.bench.test"))
    })
}

/// A table and a plot; `options` are made from the looker, the threads and the number of the run.
fn by_threads(
    report: &mut Report,
    title: &'static str,
    file: &'static str,
    lookers: &[Looker<'_>],
    options: impl Fn(&Looker<'_>, usize, usize) -> Result<String>,
) -> Result<()> {
    const THREADS: &[usize] = &[1, 2, 4, 8, 16];
    const ROUNDS: usize = 3;
    let mut table = Table::new(title, &["", "1", "2", "4", "8", "16"]);
    let mut lines = Vec::new();
    let mut speeds = vec![vec![Vec::new(); THREADS.len()]; lookers.len()];
    // Round after round over all: what else the machine does meets everybody.
    for round in 0..ROUNDS {
        for (at, &threads) in THREADS.iter().enumerate() {
            for (index, (looker, speeds)) in lookers.iter().zip(&mut speeds).enumerate() {
                let run = round * lookers.len() + index;
                let figures = looker.run(&options(looker, threads, run)?)?;
                speeds.get_mut(at).ok_or("no such place")?.push(figures.throughput()?);
            }
        }
    }
    for (looker, speeds) in lookers.iter().zip(speeds) {
        let medians: Vec<f64> = speeds.into_iter().map(median).collect();
        table.row(looker.contestant.name(), medians.iter().map(|&speed| number(speed)));
        let points = THREADS.iter().map(|&threads| threads as f64).zip(medians).collect();
        lines.push(Line::new(looker.contestant.name().trim_matches('*'), points));
    }
    report.table(table);
    report.plot(Plot { file, title, x: "threads", y: "lookups/s", logarithmic: true, lines });
    Ok(())
}

/// The process's memory over a million lookups of different names, and more.
fn lookups(bed: &Bed, report: &mut Report) -> Result<()> {
    const SAMPLES: usize = 20;
    let count = if bed.long { 10_000_000 } else { 1_000_000 };
    let looker = Looker::new(bed, Rustdns, "lookups", &Etc::default())?;
    let every = count / SAMPLES;
    let figures = looker.run(&format!("-m {every} {count} n%d.bench.test"))?;
    let start = figures.get("resident_before")?;
    let sample = |(lookups, kib): &(f64, f64)| (lookups / 1e6, (kib - start) / 1024.0);
    let points: Vec<(f64, f64)> =
        [(0.0, 0.0)].into_iter().chain(figures.memory.iter().map(sample)).collect();
    let (Some(first), Some(last)) = (points.get(1), points.last()) else {
        return Err("no samples of memory".to_owned());
    };
    let mut table = Table::new(
        "Memory over lookups of different names: KiB resident, more than before the first",
        &["lookups", "KiB"],
    );
    for (lookups, mib) in points.iter().skip(1).step_by(4).chain([last]) {
        table.row(&number(lookups * 1e6), [number(mib * 1024.0)]);
    }
    report.table(table);
    report.target(
        "memory over lookups of different names",
        "–",
        &format!(
            "{} KiB more after {} lookups than after {}",
            number((last.1 - first.1) * 1024.0),
            number(last.0 * 1e6),
            number(first.0 * 1e6)
        ),
        "bounded",
        // A page or two may still be touched for the first time.
        (last.1 - first.1) * 1024.0 <= 64.0,
    );
    report.plot(Plot {
        file: "plots/memory-by-lookups.svg",
        title: "Memory that a process has more after so many lookups of different names",
        x: "million lookups",
        y: "MiB",
        logarithmic: false,
        lines: vec![Line::new("rustdns", points)],
    });
    Ok(())
}
