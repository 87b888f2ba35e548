//! What a program's start costs with the library preloaded, and a program that makes one lookup.

use crate::Result;
use crate::bed::{Bed, Etc};
use crate::contestant::Contestant;
use crate::looker::{Looker, median, output};
use crate::report::{Report, Table, number, ratio};

const ROUNDS: usize = 5;

pub fn measure(bed: &Bed, report: &mut Report) -> Result<()> {
    let mut table = Table::new(
        "Start to end of a program",
        &["", "bare µs", "empty library µs", "rustdns µs", "empty ÷ bare", "rustdns ÷ bare"],
    );
    let [bare, empty, ours] = programs(bed, 200, &["/bin/true"])?;
    table.row("`/bin/true`", cells(bare, empty, ours));
    report.target(
        "start-up of `/bin/true`",
        &format!("bare {} µs, empty library {} ×", number(bare), ratio(empty / bare)),
        &format!("{} × bare", ratio(ours / bare)),
        "≤ 1.12 × bare",
        ours <= 1.12 * bare,
    );
    let [bare, empty, ours] =
        programs(bed, 100, &["/usr/bin/getent", "ahosts", "once.bench.test"])?;
    table.row("`getent ahosts NAME`", cells(bare, empty, ours));
    report.target(
        "`getent ahosts NAME`",
        &format!("glibc {} µs", number(bare)),
        &format!("{} × glibc", ratio(ours / bare)),
        "≤ 1.1 × glibc",
        ours <= 1.1 * bare,
    );
    table.note("The library alone costs what the last column has more than the one before it.");
    report.table(table);
    Ok(())
}

/// Medians in µs: with nothing, an empty library and ours preloaded, all in turn.
fn programs(bed: &Bed, count: usize, program: &[&str]) -> Result<[f64; 3]> {
    let world = Looker::new(bed, Contestant::Glibc, "start", &Etc::default())?;
    let preloads = format!(",{},{}", bed.program("empty.so"), bed.library.display());
    let words: Vec<String> = [bed.program("spawn"), count.to_string(), preloads]
        .into_iter()
        .chain(program.iter().map(|&word| word.to_owned()))
        .collect();
    let mut all = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let (text, _) = output(&mut world.other(&words))?;
        let times =
            text.lines().filter_map(|line| line.strip_prefix("median ")?.parse::<f64>().ok());
        for (all, ns) in all.iter_mut().zip(times) {
            all.push(ns / 1e3);
        }
    }
    Ok(all.map(median))
}

fn cells(bare: f64, empty: f64, ours: f64) -> [String; 5] {
    [number(bare), number(empty), number(ours), ratio(empty / bare), ratio(ours / bare)]
}
