//! One thread: names that nobody has asked for yet, and one name again and again.

use crate::Result;
use crate::bed::{Bed, Etc};
use crate::contestant::{ALL, Contestant, RESOLVERS};
use crate::looker::{Figures, in_turn, lookers, of, output};
use crate::report::{Report, Table, number, ratio};
use std::process::Command;

const ROUNDS: usize = 7;
const LOOKUPS: usize = 2000;
const COLUMNS: &[&str] = &["", "median µs", "p99 µs", "CPU µs", "median ÷ glibc's"];

pub fn measure(bed: &Bed, report: &mut Report) -> Result<()> {
    uncached(bed, report)?;
    again(bed, report)
}

fn uncached(bed: &Bed, report: &mut Report) -> Result<()> {
    let lookers = lookers(bed, ALL, "uncached", &Etc::default())?;
    let results =
        in_turn(&lookers, ROUNDS, |run| format!("-s {} {LOOKUPS} n%d.bench.test", run * LOOKUPS))?;
    let mut table = Table::new(
        "Uncached, A and AAAA, one thread, another name and other addresses each time",
        COLUMNS,
    );
    rows(&mut table, &results)?;
    let (text, _) = output(Command::new(bed.program("flood")).arg("1"))?;
    let capacity: f64 =
        text.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(f64::NAN);
    table.note(&format!(
        "The responder answers {} queries a second when it is flooded, on the same two ends of the same \
         machine: {} lookups. CPU is the looker's own; what nscd and dnsmasq use is not in it.",
        number(capacity),
        number(capacity / 2.0)
    ));
    report.table(table);

    let [glibc, musl, ours] = [Contestant::Glibc, Contestant::Musl, Contestant::Rustdns]
        .map(|one| of(&results, one).and_then(|figures| figures.micros("median")));
    let (glibc, musl, ours) = (glibc?, musl?, ours?);
    report.target(
        "uncached, one thread",
        &format!(
            "glibc {} µs, musl {} µs = {} × glibc",
            number(glibc),
            number(musl),
            ratio(musl / glibc)
        ),
        &format!("{} µs = {} × glibc", number(ours), ratio(ours / glibc)),
        "≤ 0.70 × glibc, and below musl",
        ours <= 0.70 * glibc && ours < musl,
    );
    Ok(())
}

fn again(bed: &Bed, report: &mut Report) -> Result<()> {
    let lookers = lookers(bed, RESOLVERS, "again", &Etc::default())?;
    let results =
        in_turn(&lookers, ROUNDS, |run| format!("-s {run} -k 1 5000 again%d.bench.test"))?;
    let mut table = Table::new("The same name again, one thread", COLUMNS);
    rows(&mut table, &results)?;
    report.table(table);

    let glibc = of(&results, Contestant::Glibc)?.micros("median")?;
    let nscd = of(&results, Contestant::Nscd)?.micros("median")?;
    let ours = of(&results, Contestant::Rustdns)?.micros("median")?;
    report.target(
        "the same name again, one thread",
        &format!("glibc {} µs, with nscd {} µs", number(glibc), number(nscd)),
        &format!("{} µs, glibc's is {} ×", number(ours), ratio(glibc / ours)),
        "≤ 1.0 µs, glibc's ≥ 23 ×",
        ours <= 1.0 && glibc >= 23.0 * ours,
    );
    Ok(())
}

fn rows(table: &mut Table, results: &[(Contestant, Figures)]) -> Result<()> {
    let glibc = of(results, Contestant::Glibc)?.micros("median")?;
    for (contestant, figures) in results {
        let median = figures.micros("median")?;
        let cells = [median, figures.micros("p99")?, figures.cpu()?].map(number);
        table.row(contestant.name(), cells.into_iter().chain([ratio(median / glibc)]));
    }
    Ok(())
}
