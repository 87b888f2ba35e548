//! Several threads at once: different names, one name that is kept, one that nobody has asked for.

use crate::Result;
use crate::bed::{Bed, Etc, FAR};
use crate::contestant::{ALL, Contestant, RESOLVERS};
use crate::looker::{Looker, in_turn, lookers, median, of};
use crate::report::{Report, Table, number, ratio};

const THREADS: usize = 8;
const ROUNDS: usize = 5;

pub fn measure(bed: &Bed, report: &mut Report) -> Result<()> {
    distinct(bed, report)?;
    hot(bed, report)?;
    cold(bed, report)
}

fn distinct(bed: &Bed, report: &mut Report) -> Result<()> {
    const LOOKUPS: usize = 1000;
    let lookers = lookers(bed, ALL, "distinct", &Etc::default())?;
    let results = in_turn(&lookers, ROUNDS, |run| {
        format!("-t {THREADS} -s {} {LOOKUPS} t%d.bench.test", run * THREADS * LOOKUPS)
    })?;
    let mut table = Table::new(
        "Eight threads, another name each time",
        &["", "lookups/s", "÷ glibc's", "median µs", "p99 µs", "CPU µs of a lookup", "÷ glibc's"],
    );
    let glibc = of(&results, Contestant::Glibc)?;
    for (contestant, figures) in &results {
        let (speed, cpu) = (figures.throughput()?, figures.cpu()?);
        table.row(
            contestant.name(),
            [
                number(speed),
                ratio(speed / glibc.throughput()?),
                number(figures.micros("median")?),
                number(figures.micros("p99")?),
                number(cpu),
                ratio(cpu / glibc.cpu()?),
            ],
        );
    }
    report.table(table);
    let (musl, ours) = (of(&results, Contestant::Musl)?, of(&results, Contestant::Rustdns)?);
    let speed = ours.throughput()? / glibc.throughput()?;
    let cpu = ours.cpu()? / glibc.cpu()?;
    report.target(
        "eight threads, different names",
        &format!(
            "glibc {} lookups/s and {} µs CPU each, musl {} × and {} ×",
            number(glibc.throughput()?),
            number(glibc.cpu()?),
            ratio(musl.throughput()? / glibc.throughput()?),
            ratio(musl.cpu()? / glibc.cpu()?)
        ),
        &format!("{} × glibc's lookups/s, CPU {} ×", ratio(speed), ratio(cpu)),
        "≥ 1.4 ×, CPU ≤ 0.7 ×",
        speed >= 1.4 && cpu <= 0.7,
    );
    Ok(())
}

fn hot(bed: &Bed, report: &mut Report) -> Result<()> {
    let lookers = lookers(bed, RESOLVERS, "hot", &Etc::default())?;
    let mut table = Table::new(
        "Eight threads, one name again and again",
        &["", "lookups/s, one thread", "eight", "÷ one's", "median µs, eight", "p99 µs, eight"],
    );
    for looker in &lookers {
        let lookups = hits_of_a_run(looker)? / THREADS * THREADS;
        // One and eight in turn: what else the machine does meets both.
        let (mut one, mut eight, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let alone = looker.run(&format!("-k 1 {lookups} hot%d.bench.test"))?;
            let shared = lookups / THREADS;
            let together = looker.run(&format!("-t {THREADS} -k 1 {shared} hot%d.bench.test"))?;
            ratios.push(together.throughput()? / alone.throughput()?);
            one.push(alone.throughput()?);
            eight.push(together);
        }
        let of_eight = |key: &str| -> Result<f64> {
            let values: Result<Vec<f64>> =
                eight.iter().map(|figures| figures.micros(key)).collect();
            Ok(median(values?))
        };
        let speeds: Result<Vec<f64>> = eight.iter().map(|figures| figures.throughput()).collect();
        let (scaling, one, speed) = (median(ratios), median(one), median(speeds?));
        let cells = [
            number(one),
            number(speed),
            ratio(scaling),
            number(of_eight("median")?),
            number(of_eight("p99")?),
        ];
        table.row(looker.contestant.name(), cells);
        if looker.contestant == Contestant::Rustdns {
            report.target(
                "eight threads, one hot name",
                "–",
                &format!("{} × one thread's {} lookups/s", ratio(scaling), number(one)),
                "≥ 1.7 × one thread, on 2 cores",
                scaling >= 1.7,
            );
        }
    }
    report.table(table);
    Ok(())
}

/// So many hits that a run of them takes some tenths of a second.
pub fn hits_of_a_run(looker: &Looker<'_>) -> Result<usize> {
    let each = looker.run("-k 1 500 hot%d.bench.test")?.get("median")?;
    Ok((3e8 / each.max(100.0)) as usize)
}

/// The server is 20 ms away, so that all eight have asked before there is an answer.
fn cold(bed: &Bed, report: &mut Report) -> Result<()> {
    const NAMES: usize = 20;
    let etc = Etc { resolv: format!("nameserver {FAR}\n"), ..Etc::default() };
    let mut table = Table::new(
        "Eight threads ask at once for one name that is in no cache; the server is 20 ms away",
        &["", "queries for a name", "median ms"],
    );
    let mut glibc = f64::NAN;
    for looker in &lookers(bed, RESOLVERS, "cold", &etc)? {
        bed.queries()?;
        let figures = looker.run(&format!("-t {THREADS} -b {NAMES} cold%d.bench.test"))?;
        let [_, _, far] = bed.queries()?;
        let queries = far as f64 / NAMES as f64;
        table.row(
            looker.contestant.name(),
            [number(queries), number(figures.micros("median")? / 1000.0)],
        );
        if looker.contestant == Contestant::Glibc {
            glibc = queries;
        }
        if looker.contestant == Contestant::Rustdns {
            report.target(
                "eight threads, one cold name",
                &format!("glibc {glibc:.0} queries"),
                &format!("{} queries", number(queries)),
                "2 queries",
                queries <= 2.0,
            );
        }
    }
    report.table(table);
    Ok(())
}
