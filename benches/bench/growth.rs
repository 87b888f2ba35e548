//! Whether it stays flat: names in the cache, lookups made, threads. As tables and as plots.

use crate::Result;
use crate::bed::{Bed, Etc};
use crate::contestant::Contestant::{Glibc, Hickory, Musl, Nscd, Rustdns};
use crate::looker::{Looker, in_turn, lookers};
use crate::plot::{Line, Plot};
use crate::report::{Report, Table, number};

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
    table.note("`cache 800000` in rustdns.conf: the default has room for some 2,000 names.");
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
    const THREADS: &[usize] = &[1, 2, 4, 8, 16];
    const ROUNDS: usize = 3;
    let headings = ["", "1", "2", "4", "8", "16"];
    for (title, file, contestants, hits, each) in [
        (
            "Uncached lookups in a second, by threads",
            "plots/uncached-by-threads.svg",
            &[Glibc, Musl, Hickory, Rustdns][..],
            false,
            8000,
        ),
        (
            "Hits in a second, by threads",
            "plots/hits-by-threads.svg",
            &[Nscd, Hickory, Rustdns][..],
            true,
            64_000,
        ),
    ] {
        let lookers = lookers(bed, contestants, "by-threads", &Etc::default())?;
        let mut lines: Vec<Line> =
            contestants.iter().map(|one| Line::new(one.name().trim_matches('*'), vec![])).collect();
        for &threads in THREADS {
            let shared = each / threads;
            let results = in_turn(&lookers, ROUNDS, |run| match hits {
                true => format!("-t {threads} -k 1 {shared} h%d.bench.test"),
                false => format!(
                    "-t {threads} -s {} {shared} u%d.bench.test",
                    run * each + threads * 1_000_000
                ),
            })?;
            for (line, (_, figures)) in lines.iter_mut().zip(&results) {
                line.points.push((threads as f64, figures.throughput()?));
            }
        }
        let mut table = Table::new(title, &headings);
        for line in &lines {
            table.row(&line.name, line.points.iter().map(|(_, speed)| number(*speed)));
        }
        report.table(table);
        let plot = Plot { file, title, x: "threads", y: "lookups/s", logarithmic: true, lines };
        report.plot(plot);
    }
    Ok(())
}

/// The process's memory over a million lookups of different names, and more.
fn lookups(bed: &Bed, report: &mut Report) -> Result<()> {
    const SAMPLES: usize = 20;
    let count = if bed.long { 10_000_000 } else { 1_000_000 };
    let looker = Looker::new(bed, Rustdns, "lookups", &Etc::default())?;
    let every = count / SAMPLES;
    let figures = looker.run(&format!("-m {every} {count} n%d.bench.test"))?;
    let points: Vec<(f64, f64)> =
        figures.memory.iter().map(|(lookups, kib)| (lookups / 1e6, kib / 1024.0)).collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Err("no samples of memory".to_owned());
    };
    let mut table =
        Table::new("Resident memory over lookups of different names", &["", "lookups", "KiB"]);
    for (what, (lookups, mib)) in [("first sample", first), ("last sample", last)] {
        table.row(what, [number(lookups * 1e6), number(mib * 1024.0)]);
    }
    let most = points.iter().map(|(_, mib)| *mib).fold(0.0, f64::max);
    table.note(&format!(
        "The whole process, {} KiB of it the times of the lookups; the most in between was {} KiB.",
        number(count as f64 * 4.0 / 1024.0),
        number(most * 1024.0)
    ));
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
        title: "Resident memory of a process that looks up ever other names",
        x: "million lookups",
        y: "MiB",
        logarithmic: false,
        lines: vec![Line::new("rustdns", points)],
    });
    Ok(())
}
