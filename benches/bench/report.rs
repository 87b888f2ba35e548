//! What is printed: a table of targets, the sections' tables, and plots.

use crate::plot::Plot;
use std::fmt::Write;

/// A target of docs/performance.md, and what came of it.
#[derive(Debug)]
struct Target {
    work: String,
    others: String,
    ours: String,
    wanted: String,
    met: bool,
    limit: Option<&'static str>,
}

/// A table of the report.
#[derive(Debug)]
pub struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    /// A table with these columns; the first has the rows' names.
    pub fn new(title: &str, columns: &[&str]) -> Table {
        Table {
            title: title.to_owned(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        self.rows.push([name.to_owned()].into_iter().chain(cells).collect());
    }

    /// Adds a sentence below it.
    pub fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }

    fn markdown(&self) -> String {
        let mut out = format!("### {}\n\n", self.title);
        out += &lines(&self.columns, &self.rows);
        for note in &self.notes {
            out += &format!("\n{note}\n");
        }
        out
    }
}

/// All that a run has found out.
#[derive(Debug, Default)]
pub struct Report {
    targets: Vec<Target>,
    tables: Vec<Table>,
    plots: Vec<Plot>,
}

impl Report {
    /// Notes a target: what the others do, what we do, what is wanted, whether it is met.
    pub fn target(&mut self, work: &str, others: &str, ours: &str, wanted: &str, met: bool) {
        let [work, others, ours, wanted] = [work, others, ours, wanted].map(str::to_owned);
        self.targets.push(Target { work, others, ours, wanted, met, limit: None });
    }

    /// What stands in the way of the last target, where it isn't met.
    pub fn limit(&mut self, limit: &'static str) {
        if let Some(target) = self.targets.last_mut() {
            target.limit = Some(limit);
        }
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Adds a plot.
    pub fn plot(&mut self, plot: Plot) {
        self.plots.push(plot);
    }

    /// The plots.
    pub fn plots(&self) -> &[Plot] {
        &self.plots
    }

    /// Everything but the plots' content.
    pub fn markdown(&self) -> String {
        let columns = ["work", "others", "rustdns", "target", ""].map(str::to_owned);
        let row = |target: &Target| {
            let Target { work, others, ours, wanted, .. } = target;
            let verdict = match (target.met, target.limit) {
                (true, _) => "met".to_owned(),
                (false, None) => "**not met**".to_owned(),
                (false, Some(limit)) => format!("**not met**: {limit}"),
            };
            let mut cells = [work, others, ours, wanted].map(Clone::clone).to_vec();
            cells.push(verdict);
            cells
        };
        let rows: Vec<_> = self.targets.iter().map(row).collect();
        let mut out = format!("### Targets\n\n{}", lines(&columns, &rows));
        for table in &self.tables {
            out += "\n";
            out += &table.markdown();
        }
        for plot in &self.plots {
            // To a String nothing fails.
            let _ = write!(out, "\n![{}]({})\n", plot.title, plot.file);
        }
        out
    }
}

fn lines(columns: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let numbers = "---:|".repeat(columns.len().saturating_sub(1));
    let mut out = line(columns) + "|---|" + &numbers + "\n";
    for row in rows {
        out += &line(row);
    }
    out
}

/// A number with as many digits as it has meaning.
pub fn number(value: f64) -> String {
    match value {
        _ if value.is_nan() => "–".to_owned(),
        _ if value.abs() >= 1000.0 => thousands(value),
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        _ if value.abs() >= 100.0 => format!("{value:.0}"),
        _ if value.abs() >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A ratio.
pub fn ratio(value: f64) -> String {
    match value {
        _ if value.is_nan() => "–".to_owned(),
        _ if value != 0.0 && value.abs() < 0.1 => format!("{value:.4}"),
        _ if value >= 10.0 => number(value),
        _ => format!("{value:.2}"),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if value < 0.0 { format!("−{out}") } else { out }
}
