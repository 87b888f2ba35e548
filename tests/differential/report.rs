//! Counts for each category, and every difference: `target/differential/report.txt`, for another libc
//! than the machine's `report-2.41.txt` or the like, and for musl `musl.txt` there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::cases::World;
use super::run::CaseResult;
use super::support::differential::unified_diff;
use super::support::libcs::Libc;
use super::verdict::{self, Verdict};

/// One in so many cases may need a second try.
const STEADY: usize = 100;

/// How many differences a failing test prints; the report has all.
const SHOWN: usize = 30;

/// What a run came to.
pub struct Report<'a> {
    worlds: &'a [World],
    results: Vec<CaseResult>,
    mistakes: Vec<String>,
    /// The libc that it is about, and the report's file.
    title: String,
    file: String,
    took: Duration,
}

#[derive(Default)]
struct Count {
    worlds: usize,
    cases: usize,
    agree: usize,
    documented: usize,
    differ: usize,
    musl_agrees: usize,
    musl: usize,
}

impl<'a> Report<'a> {
    /// `whole`: these are all cases.
    pub fn new(
        libc: &Libc,
        worlds: &'a [World],
        results: Vec<CaseResult>,
        took: Duration,
        whole: bool,
    ) -> Report<'a> {
        let mut mistakes = verdict::mistakes(worlds, whole);
        let unsteady = results.iter().filter(|result| result.unsteady.is_some()).count();
        if unsteady > results.len() / STEADY + 1 {
            mistakes.push(format!("{unsteady} cases differed until they were tried again"));
        }
        let title = format!("glibc {}", libc.version);
        let file = match *libc == Libc::machine() {
            true => "report.txt".to_owned(),
            false => format!("report-{}.txt", libc.version),
        };
        Report { worlds, results, mistakes, title, file, took }
    }

    pub fn cases(&self) -> usize {
        self.results.len()
    }

    pub fn failures(&self) -> Vec<String> {
        let failed = self.results.iter().filter(|result| result.verdict.is_failure());
        failed.map(|result| self.difference(result)).chain(self.mistakes.iter().cloned()).collect()
    }

    /// What the failing test says.
    pub fn failure_text(&self) -> String {
        let failures = self.failures();
        let mut text =
            format!("{} differences, all in target/differential/{}\n", failures.len(), self.file);
        for failure in failures.iter().take(SHOWN) {
            writeln!(text, "\n{failure}").unwrap();
        }
        text
    }

    /// A table of the categories.
    pub fn summary(&self) -> String {
        let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
        for world in self.worlds {
            counts.entry(&world.category).or_default().worlds += 1;
        }
        for result in &self.results {
            let count = counts.get_mut(self.worlds[result.world].category.as_str()).unwrap();
            count.cases += 1;
            match result.verdict {
                Verdict::Agrees => count.agree += 1,
                Verdict::Documented(_) => count.documented += 1,
                _ => count.differ += 1,
            }
            count.musl += usize::from(result.musl.is_some());
            count.musl_agrees += usize::from(result.musl.as_ref() == Some(&result.libc.returned));
        }
        let mut text = format!("{}\n", self.title)
            + &row(&[
                "category",
                "worlds",
                "cases",
                "agree",
                "documented",
                "differ",
                "musl agrees",
            ]);
        let mut total = Count::default();
        for (category, c) in &counts {
            total.add(c);
            text.push_str(&c.row(category));
        }
        text.push_str(&total.row("all"));
        writeln!(text, "{:.1} s", self.took.as_secs_f64()).unwrap();
        text
    }

    pub fn write(&self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/differential");
        fs::create_dir_all(&folder).unwrap();
        let mut text = self.summary();
        writeln!(text, "\n# The slowest worlds\n").unwrap();
        for (world, took) in self.slowest() {
            writeln!(text, "{:6.1} s {}", took.as_secs_f64(), world.id("")).unwrap();
        }
        writeln!(text, "\n# Differences that nothing explains\n").unwrap();
        self.failures().iter().for_each(|failure| writeln!(text, "{failure}").unwrap());
        writeln!(text, "\n# Cases that agreed only when they were tried again\n").unwrap();
        for result in &self.results {
            if let Some([libc, rustdns]) = &result.unsteady {
                let diff = unified_diff(&libc.text(), &rustdns.text());
                writeln!(text, "{}\n{diff}", self.id(result)).unwrap();
            }
        }
        writeln!(text, "\n# Differences on purpose\n").unwrap();
        for result in &self.results {
            if let Verdict::Documented(_) = result.verdict {
                writeln!(text, "{}", self.difference(result)).unwrap();
            }
        }
        fs::write(folder.join(&self.file), text).unwrap();
        if self.results.iter().all(|result| result.musl.is_none()) {
            return;
        }
        let mut text = String::new();
        for result in &self.results {
            if let Some(musl) = result.musl.as_ref().filter(|musl| **musl != result.libc.returned) {
                let diff = unified_diff(&result.libc.returned, musl);
                writeln!(text, "{}\n--- libc\n+++ musl\n{diff}", self.id(result)).unwrap();
            }
        }
        fs::write(folder.join("musl.txt"), text).unwrap();
    }

    fn slowest(&self) -> Vec<(&World, Duration)> {
        let mut times: Vec<_> = self.worlds.iter().map(|world| (world, Duration::ZERO)).collect();
        self.results.iter().for_each(|result| times[result.world].1 += result.took);
        times.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
        times.truncate(20);
        times
    }

    fn id(&self, result: &CaseResult) -> String {
        self.worlds[result.world].id(&result.call)
    }

    fn difference(&self, result: &CaseResult) -> String {
        let id = self.id(result);
        let what = match &result.verdict {
            Verdict::Agrees => "they agree".to_owned(),
            Verdict::Documented(row) => format!("as documented: {row}"),
            Verdict::Differs => "they differ".to_owned(),
            Verdict::DiffersOtherwise(row) => {
                format!("they differ otherwise than documented: {row}")
            }
            Verdict::Vanished(row) => format!("they agree, but it is documented: {row}"),
        };
        let diff = unified_diff(&result.libc.text(), &result.rustdns.text());
        let again = format!("RUSTDNS_DIFFERENTIAL='{id}' cargo test --test differential every");
        format!("{id}\n{what}\n{again}\n--- libc\n+++ rustdns\n{diff}")
    }
}

impl Count {
    fn add(&mut self, other: &Count) {
        self.worlds += other.worlds;
        self.cases += other.cases;
        self.agree += other.agree;
        self.documented += other.documented;
        self.differ += other.differ;
        self.musl_agrees += other.musl_agrees;
        self.musl += other.musl;
    }

    fn row(&self, name: &str) -> String {
        let numbers = [self.worlds, self.cases, self.agree, self.documented, self.differ];
        let mut numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
        numbers.push(format!("{}/{}", self.musl_agrees, self.musl));
        let mut columns = vec![name];
        columns.extend(numbers.iter().map(String::as_str));
        row(&columns)
    }
}

fn row(columns: &[&str]) -> String {
    let mut text = format!("{:<14}", columns[0]);
    columns[1..].iter().for_each(|column| write!(text, "{column:>12}").unwrap());
    text + "\n"
}
