//! A hosts file of 100,000 lines.

use crate::Result;
use crate::bed::{Bed, Etc};
use crate::contestant::{Contestant, DIRECT};
use crate::looker::{in_turn, lookers, of};
use crate::report::{Report, Table, number, ratio};

const LINES: usize = 100_000;
const ROUNDS: usize = 5;
const LOOKUPS: usize = 30;

pub fn measure(bed: &Bed, report: &mut Report) -> Result<()> {
    let line =
        |i: usize| format!("10.{}.{}.{} host-{i}.bench.example\n", i >> 16, i >> 8 & 255, i & 255);
    let hosts: String = (0..LINES).map(line).collect();
    let file = hosts.len() as f64 / 1024.0;
    let etc = Etc { hosts, nsswitch: "hosts: files\n".to_owned(), ..Etc::default() };
    let lookers = lookers(bed, DIRECT, "hosts", &etc)?;
    let hits =
        in_turn(&lookers, ROUNDS, |_| format!("-e 1 {LOOKUPS} host-{}.bench.example", LINES - 1))?;
    let misses = in_turn(&lookers, ROUNDS, |_| format!("-e 0 {LOOKUPS} missing-%d.bench.example"))?;

    let mut table = Table::new(
        "A hosts file of 100,000 lines",
        &["", "hit: first µs", "later µs", "miss: first µs", "later µs", "memory ÷ file"],
    );
    for ((contestant, hit), (_, miss)) in hits.iter().zip(&misses) {
        let times = [
            hit.micros("first")?,
            hit.micros("median")?,
            miss.micros("first")?,
            miss.micros("median")?,
        ];
        let memory = hit.growth("anonymous")? / file;
        table.row(contestant.name(), times.map(number).into_iter().chain([ratio(memory)]));
    }
    table.note(
        "Looked up: the last name of the file, and names that are not in it. nsswitch.conf says `files` \
         alone; musl and hickory-resolver don't read it, and ask the name server for what the file \
         doesn't have. Memory is what the process's own has grown by over all lookups.",
    );
    report.table(table);

    let (glibc, ours) = (of(&hits, Contestant::Glibc)?, of(&hits, Contestant::Rustdns)?);
    let (glibc_miss, ours_miss) =
        (of(&misses, Contestant::Glibc)?, of(&misses, Contestant::Rustdns)?);
    let (hit, miss) = (ours.micros("median")?, ours_miss.micros("median")?);
    report.target(
        "hosts file of 100,000 lines, after the first lookup",
        &format!(
            "glibc: hit {} µs, miss {} µs",
            number(glibc.micros("median")?),
            number(glibc_miss.micros("median")?)
        ),
        &format!("hit {} µs, miss {} µs", number(hit), number(miss)),
        "≤ 5 µs",
        hit <= 5.0 && miss <= 5.0,
    );
    let first = [ours.micros("first")?, ours_miss.micros("first")?];
    let glibc_first = [glibc.micros("first")?, glibc_miss.micros("first")?];
    let worst = (first[0] / glibc_first[0]).max(first[1] / glibc_first[1]);
    report.target(
        "the same, first lookup",
        &format!("glibc: hit {} µs, miss {} µs", number(glibc_first[0]), number(glibc_first[1])),
        &format!("hit {} µs, miss {} µs = {} ×", number(first[0]), number(first[1]), ratio(worst)),
        "no slower than glibc's",
        worst <= 1.0,
    );
    let memory = ours.growth("anonymous")? / file;
    report.target(
        "the same, memory",
        "glibc keeps nothing",
        &format!("{} × the file's {} KiB", ratio(memory), number(file)),
        "≤ 1.5 × the file",
        memory <= 1.5,
    );
    Ok(())
}
