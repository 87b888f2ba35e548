//! Name servers that are silent, and search lists.

use crate::Result;
use crate::bed::{Bed, Etc, FAR, PLAIN, SILENT};
use crate::contestant::{Contestant, DIRECT, RESOLVERS};
use crate::looker::{Figures, Looker, lookers, median};
use crate::report::{Report, Table, number, ratio};
use std::time::{Duration, Instant};

/// The first of two name servers says nothing.
pub fn silent(bed: &Bed, report: &mut Report) -> Result<()> {
    let both = format!("nameserver {SILENT}\nnameserver {PLAIN}\n");
    let etc = Etc { resolv: both, ..Etc::default() };
    let patient: Vec<Contestant> =
        DIRECT.iter().copied().filter(|one| !QUICK.contains(one)).collect();
    let mut table = Table::new(
        "The first of two name servers is silent",
        &["", "first lookup ms", "later ones, median ms", "÷ with the second server alone"],
    );
    let normal = lookers(bed, DIRECT, "normal", &Etc::default())?;
    let silent = lookers(bed, DIRECT, "silent", &etc)?;
    // Most wait for seconds, and can do that side by side.
    let waiting: Vec<Result<Figures>> = std::thread::scope(|scope| {
        let runs: Vec<_> = silent
            .iter()
            .filter(|looker| patient.contains(&looker.contestant))
            .map(|looker| scope.spawn(|| looker.run("-i 3 silent%d.bench.test")))
            .collect();
        let lost = || Err("a thread died".to_owned());
        runs.into_iter().map(|run| run.join().unwrap_or_else(|_| lost())).collect()
    });
    let mut waiting = waiting.into_iter();
    for (silent, normal) in silent.iter().zip(&normal) {
        let (mut first, mut later, mut usual) = (Vec::new(), Vec::new(), Vec::new());
        let rounds = if patient.contains(&silent.contestant) { 1 } else { 5 };
        for _ in 0..rounds {
            let figures = match patient.contains(&silent.contestant) {
                true => waiting.next().ok_or("a run is missing")??,
                false => silent.run("-i 2000 silent%d.bench.test")?,
            };
            let (one, others) = figures.each.split_first().ok_or("no times")?;
            first.push(one / 1e6);
            later.push(median(others.to_vec()) / 1e6);
            usual.push(normal.run("2000 normal%d.bench.test")?.micros("median")? / 1e3);
        }
        let (first, later, usual) = (median(first), median(later), median(usual));
        let name = silent.contestant.name();
        table.row(name, [number(first), number(later), ratio(later / usual)]);
        if silent.contestant == Contestant::Rustdns {
            report.target(
                "silent first name server, first lookup",
                "glibc, c-ares, Go 5 s; musl asks all at once",
                &format!("{first:.0} ms"),
                "≤ 1,100 ms",
                first <= 1100.0,
            );
            report.target(
                "the same, later lookups",
                "glibc, c-ares, Go 5 s each",
                &format!("{} × an uncached lookup", ratio(later / usual)),
                "≤ 1.1 ×",
                later / usual <= 1.1,
            );
        }
    }
    let after = recovery(bed, &etc)?;
    table.note(&format!(
        "When the silent server answers again, rustdns asks it first again after {after:.1} s."
    ));
    report.table(table);
    report.target(
        "the same, the server answers again",
        "–",
        &format!("used first again after {after:.1} s"),
        "≤ 30 s",
        after <= 30.0,
    );
    Ok(())
}

/// Those that don't wait for seconds.
const QUICK: &[Contestant] = &[Contestant::Musl, Contestant::Rustdns];

/// Seconds from when the silent server answers until a lookup asks it alone. Ten lookups a second.
fn recovery(bed: &Bed, etc: &Etc) -> Result<f64> {
    const MOST: Duration = Duration::from_secs(40);
    let looker = Looker::new(bed, Contestant::Rustdns, "recovery", etc)?;
    let _running = looker.start("-p 100 600 recovery%d.bench.test")?;
    std::thread::sleep(Duration::from_secs(2));
    bed.queries()?;
    std::thread::sleep(Duration::from_millis(500));
    let [plain, ..] = bed.queries()?;
    if plain == 0 {
        return Err("the second server is not asked".to_owned());
    }
    bed.silent_server_speaks(true)?;
    let began = Instant::now();
    let outcome = loop {
        std::thread::sleep(Duration::from_millis(250));
        let [plain, silent, _] = bed.queries()?;
        if silent >= 2 && plain == 0 {
            break Ok(began.elapsed().as_secs_f64());
        }
        if began.elapsed() > MOST {
            break Ok(f64::INFINITY);
        }
    };
    bed.silent_server_speaks(false)?;
    outcome
}

/// A Kubernetes pod's resolv.conf, and a name that is outside of the cluster.
pub fn search(bed: &Bed, report: &mut Report) -> Result<()> {
    const REPEATS: usize = 5;
    const FIRSTS: usize = 3;
    let resolv = format!(
        "nameserver {FAR}\nsearch default.svc.cluster.local svc.cluster.local cluster.local \
         corp.example\noptions ndots:5\n"
    );
    let etc = Etc { resolv, ..Etc::default() };
    let mut table = Table::new(
        "`ndots:5`, four search domains, a name outside of them; the server is 20 ms away",
        &["", "first: queries", "rounds", "ms", "again: queries", "ms"],
    );
    let mut glibc = (f64::NAN, f64::NAN);
    for (index, looker) in lookers(bed, RESOLVERS, "search", &etc)?.iter().enumerate() {
        bed.queries()?;
        let figures = looker.run(&format!("-i -s {index} -k 1 {REPEATS} outside%d.bench.test"))?;
        let [_, _, all] = bed.queries()?;
        // Other processes, other names: the first lookup alone.
        let mut times = Vec::new();
        for round in 0..FIRSTS {
            let start = 100 + index * FIRSTS + round;
            times.push(looker.run(&format!("-s {start} 1 outside%d.bench.test"))?.micros("first")?);
        }
        let [_, _, first] = bed.queries()?;
        let (first, ms) = (first as f64 / FIRSTS as f64, median(times) / 1e3);
        let again = (all as f64 - first) / REPEATS as f64;
        table.row(
            looker.contestant.name(),
            [
                format!("{first:.0}"),
                format!("{:.0}", (ms / 20.0).floor()),
                number(ms),
                number(again),
                number(figures.micros("median")? / 1e3),
            ],
        );
        match looker.contestant {
            Contestant::Glibc => glibc = (first, ms),
            Contestant::Rustdns => {
                report.target(
                    "`ndots:5` and four search domains, first lookup",
                    &format!("glibc {:.0} queries, {} ms", glibc.0, number(glibc.1)),
                    &format!("{first:.0} queries, {} ms", number(ms)),
                    "≤ glibc's",
                    // Rounds of 20 ms: half of one more or less is the machine's doing.
                    first <= glibc.0 && ms <= glibc.1 + 10.0,
                );
                report.target(
                    "the same, again",
                    &format!("glibc {:.0} queries", glibc.0),
                    &format!("{} queries", number(again)),
                    "none",
                    again == 0.0,
                );
            }
            _ => {}
        }
    }
    report.table(table);
    Ok(())
}
