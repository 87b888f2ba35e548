//! Sizes: of the library, and of what it adds to a process.

use crate::Result;
use crate::bed::{Bed, Etc};
use crate::contestant::Contestant::{Glibc, Hickory, Rustdns};
use crate::looker::{Looker, lookers, median};
use crate::report::{Report, Table, number};

const ROUNDS: usize = 5;
const MIB: f64 = 1024.0;

pub fn measure(bed: &Bed, report: &mut Report) -> Result<()> {
    size(bed, report)?;
    process(bed, report)
}

fn size(bed: &Bed, report: &mut Report) -> Result<()> {
    let octets = |path: &std::path::Path| -> Result<f64> {
        let file =
            std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(file.len() as f64)
    };
    let library = octets(&bed.library)?;
    let hickory = octets(&bed.folder.join(Hickory.program()))?;
    report.target(
        "size of librustdns.so, stripped",
        &format!("a program with hickory-resolver {:.2} MB", hickory / 1e6),
        &format!("{} octets", number(library)),
        "≤ 0.7 MB (700,000 octets)",
        library <= 700_000.0,
    );
    report.limit("199,000 octets are std's printer of backtraces, see below");
    Ok(())
}

/// KiB that a process has more than the same program without the library, before any lookup.
fn process(bed: &Bed, report: &mut Report) -> Result<()> {
    let mut table = Table::new(
        "Memory of a process: KiB more than the same program with glibc before its first lookup",
        &["", "after", "resident", "of it not from files", "virtual"],
    );
    let contestants = [Glibc, Rustdns];
    let lookers = lookers(bed, &contestants, "memory", &Etc::default())?;
    let library = std::fs::metadata(&bed.library).map_err(|e| e.to_string())?.len() as f64 / 1024.0;
    for (what, lookups) in [("one lookup", 1), ("1,000 lookups", 1000), ("a full cache", 20_000)] {
        let mut of_all = Vec::new();
        for looker in &lookers {
            let added = added(&lookers, looker, lookups)?;
            table.row(
                looker.contestant.name(),
                [what.to_owned()].into_iter().chain(added.map(number)),
            );
            of_all.push(added);
        }
        let [[glibc, _, glibc_virtual], [ours, _, our_virtual]] = of_all.as_slice() else {
            return Err("glibc and rustdns were to be measured".to_owned());
        };
        let (resident, virtual_size) = (ours - glibc, our_virtual - glibc_virtual);
        let others = "the same program with glibc";
        let said = format!("{:.2} MiB more", resident / MIB);
        match lookups {
            1000 => {
                let work = "memory after 1,000 lookups, resident";
                report.target(work, others, &said, "≤ 1 MiB", resident <= MIB);
                report.target(
                    "the same, virtual",
                    others,
                    &format!("library + {} KiB", number(virtual_size - library)),
                    "≤ library + 1 MiB",
                    virtual_size - library <= MIB,
                );
            }
            20_000 => {
                let work = "memory with a full cache of default size, resident";
                report.target(work, others, &said, "≤ 4 MiB", resident <= 4.0 * MIB);
            }
            _ => {}
        }
    }
    table.note(
        "Each lookup is of another name with an IPv4 and an IPv6 address. 20,000 of them fill the cache \
         many times over. The targets take glibc's row from ours. Pages of a library's file are shared by \
         all processes that have it.",
    );
    report.table(table);
    Ok(())
}

/// Resident, anonymous and virtual KiB.
fn added(lookers: &[Looker<'_>], looker: &Looker<'_>, lookups: usize) -> Result<[f64; 3]> {
    let bare = lookers.first().ok_or("no glibc")?;
    let mut all = [const { Vec::new() }; 3];
    // A large run says the same each time.
    for _ in 0..if lookups > 1000 { 1 } else { ROUNDS } {
        let (bare, full) =
            (bare.run("1 n%d.bench.test")?, looker.run(&format!("{lookups} n%d.bench.test"))?);
        for (all, key) in all.iter_mut().zip(["resident", "anonymous", "virtual"]) {
            all.push(full.get(&format!("{key}_after"))? - bare.get(&format!("{key}_before"))?);
        }
    }
    Ok(all.map(median))
}
