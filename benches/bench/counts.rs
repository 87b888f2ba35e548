//! What can be counted: system calls, heap allocations, instructions. Each is the difference of two
//! runs of another length, so that what a program does but once is not in it.

use crate::Result;
use crate::bed::{Bed, Etc};
use crate::contestant::Contestant::{self, Cares, Floor, Glibc, Go, Hickory, Musl, Rustdns};
use crate::looker::{Looker, lookers, output};
use crate::report::{Report, Table, number};
use std::collections::BTreeMap;

const COUNTED: &[Contestant] = &[Floor, Glibc, Musl, Cares, Go, Hickory, Rustdns];
/// Go switches between stacks of its own making, which valgrind loses track of.
const WITHOUT_CALLGRIND: &[Contestant] = &[Go];
/// Statically linked: nothing can be preloaded.
const WITHOUT_ALLOCATIONS: &[Contestant] = &[Musl];

/// What one lookup takes.
struct Counts {
    calls: BTreeMap<String, f64>,
    allocations: f64,
    octets: f64,
    instructions: f64,
}

impl Counts {
    fn all_calls(&self) -> f64 {
        self.calls.values().sum()
    }
}

pub fn measure(bed: &Bed, report: &mut Report) -> Result<()> {
    let columns = ["", "system calls", "allocations", "octets allocated", "instructions"];
    let mut table = Table::new("An uncached lookup, counted", &columns);
    let lookers = lookers(bed, COUNTED, "counts", &Etc::default())?;
    let mut notes = Vec::new();
    let mut glibc = String::new();
    for looker in &lookers {
        let name = looker.contestant.name();
        let counts = count(bed, looker, "n%d.bench.test", 200, 600)?;
        table.row(name, cells(&counts));
        match looker.contestant {
            Glibc => {
                let (calls, allocations) = (counts.all_calls(), counts.allocations);
                glibc = format!("glibc {} and {}", number(calls), number(allocations));
                notes.push(format!("glibc's system calls: {}.", list(&counts.calls)));
            }
            Rustdns => {
                let (calls, allocations) = (counts.all_calls(), counts.allocations);
                report.target(
                    "system calls and allocations of an uncached lookup",
                    &glibc,
                    &format!("{} and {}", number(calls), number(allocations)),
                    "≤ 18 and ≤ 6",
                    calls <= 18.0 && allocations <= 6.0,
                );
                notes.push(format!("rustdns's: {}.", list(&counts.calls)));
            }
            _ => {}
        }
    }
    notes.push(
        "System calls are counted by `strace -f -c`, allocations by a library that stands before malloc \
         (Go's by its own runtime), instructions outside of the kernel by valgrind's callgrind."
            .to_owned(),
    );
    notes.iter().for_each(|note| table.note(note));
    report.table(table);

    let mut table = Table::new("The same name again, counted", &columns);
    for looker in lookers.iter().filter(|looker| looker.contestant != Floor) {
        let counts = count(bed, looker, "-k 1 %d.again.bench.test", 1000, 4000)?;
        table.row(looker.contestant.name(), cells(&counts));
        if looker.contestant == Rustdns {
            let calls = counts.all_calls();
            report.target(
                "system calls of the same name again",
                "–",
                &format!("{} ({})", number(calls), list(&counts.calls)),
                "none but looks at files, every 100 ms",
                // A look at five files each 100 ms is a call in thousands of lookups.
                calls < 0.01,
            );
        }
    }
    report.table(table);
    Ok(())
}

fn count(bed: &Bed, looker: &Looker<'_>, name: &str, fewer: usize, more: usize) -> Result<Counts> {
    let options = |count: usize| match name.rsplit_once(' ') {
        Some((options, name)) => format!("{options} {count} {name}"),
        None => format!("{count} {name}"),
    };
    let lookups = (more - fewer) as f64;
    let each = |fewer: f64, more: f64| ((more - fewer) / lookups).max(0.0);

    let before = system_calls(bed, looker, &options(fewer))?;
    let after = system_calls(bed, looker, &options(more))?;
    let call = |(name, &more): (&String, &f64)| {
        (name.clone(), each(before.get(name).copied().unwrap_or(0.0), more))
    };
    let calls = after.iter().map(call).collect();

    let (mut allocations, mut octets) = (f64::NAN, f64::NAN);
    if !WITHOUT_ALLOCATIONS.contains(&looker.contestant) {
        let counter = bed.program("allocations.so");
        let preload = if looker.contestant == Go { "" } else { counter.as_str() };
        let before = looker.run_with(preload, &options(fewer))?;
        let after = looker.run_with(preload, &options(more))?;
        allocations = each(before.get("allocations")?, after.get("allocations")?);
        octets = each(before.get("octets")?, after.get("octets")?);
    }
    let mut instructions = f64::NAN;
    if !WITHOUT_CALLGRIND.contains(&looker.contestant) {
        let before = executed(looker, &options(fewer))?;
        instructions = each(before, executed(looker, &options(more))?);
    }
    Ok(Counts { calls, allocations, octets, instructions })
}

/// How often the program made each system call.
fn system_calls(bed: &Bed, looker: &Looker<'_>, options: &str) -> Result<BTreeMap<String, f64>> {
    let file = bed.program("strace.out");
    let tool = ["strace", "-f", "-c", "-U", "calls,name", "-o", &file];
    output(&mut looker.command(&tool, "", options))?;
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    let line = |line: &str| -> Option<(String, f64)> {
        let (count, name) = line.trim().split_once(' ')?;
        (name.trim() != "total").then_some((name.trim().to_owned(), count.parse().ok()?))
    };
    Ok(text.lines().filter_map(line).collect())
}

/// How many instructions the program executed outside of the kernel.
fn executed(looker: &Looker<'_>, options: &str) -> Result<f64> {
    // The program is executed by another, which takes its rights away.
    let mut tool = vec!["valgrind", "--tool=callgrind", "--trace-children=yes"];
    tool.push("--callgrind-out-file=/dev/null");
    if looker.contestant != Hickory {
        // In the C programs the lookup alone is counted, nothing around it.
        tool.push("--toggle-collect=resolver_lookup");
    }
    let (_, text) = output(&mut looker.command(&tool, "", options))?;
    let count =
        text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.ok_or(format!("no count of callgrind's: {text}"))
}

fn cells(counts: &Counts) -> [String; 4] {
    [counts.all_calls(), counts.allocations, counts.octets, counts.instructions].map(number)
}

/// The calls, the most frequent first; those that hardly happen are left out.
fn list(calls: &BTreeMap<String, f64>) -> String {
    let mut calls: Vec<_> = calls.iter().filter(|(_, count)| **count >= 0.005).collect();
    calls.sort_by(|a, b| b.1.total_cmp(a.1));
    let one = |(name, count): (&String, &f64)| format!("{} {name}", number(*count));
    match calls.is_empty() {
        true => "none".to_owned(),
        false => calls.into_iter().map(one).collect::<Vec<_>>().join(", "),
    }
}
