//! `rustdns top`: what processes look up, as it happens.

use crate::Outcome;
use crate::answer::{Json, Trouble, print};
use crate::arguments::Top;
use crate::processes::{self, Process};
use crate::stats::{self, histogram, percent, quantile};
use rustdns::observe::counters::{Count, Totals};
use rustdns::sys::tty::{self, Keys};
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

/// The terminal's other screen, without a cursor; and back (xterm's control sequences).
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Shows one process, or all that let themselves be seen, until `q`, Ctrl-C or a signal.
pub(crate) fn top(arguments: &Top) -> Outcome {
    if !arguments.json && !io::stdout().is_terminal() {
        return Err(Trouble::refused(
            "standard output is no terminal; see `rustdns top --json` and `rustdns stats`",
        ));
    }
    // What is wrong from the start is said on the screen that stays.
    let mut before = View::of(arguments.pid)?;
    let keys = Keys::take();
    let screen = Screen::enter(arguments.json)?;
    let time = Duration::from_millis(arguments.interval);
    let mut left = arguments.count;
    let outcome = loop {
        let now = match View::of(arguments.pid) {
            Ok(now) => now,
            Err(trouble) => break Err(trouble),
        };
        let shown = match arguments.json {
            true => now.json(arguments.pid.is_some()).print(),
            false => print(&now.frame(&before, arguments)),
        };
        if shown.is_err() {
            break shown;
        }
        before = now;
        left = left.map(|left| left - 1);
        if left == Some(0) || !keys.wait(time) {
            break Ok(());
        }
    };
    drop(screen);
    drop(keys);
    outcome
}

/// The other screen, until dropped.
struct Screen(bool);

impl Screen {
    fn enter(is_json: bool) -> Result<Screen, Trouble> {
        if !is_json {
            print(ENTER)?;
        }
        Ok(Screen(!is_json))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.0 {
            // A terminal that is gone needs nothing put back.
            let _ = print(LEAVE);
        }
    }
}

/// All processes at one time.
struct View {
    at: Instant,
    processes: Vec<Process>,
}

impl View {
    fn of(pid: Option<u32>) -> Result<View, Trouble> {
        let processes = match pid {
            Some(id) => vec![processes::one(id)?],
            None => processes::all(),
        };
        Ok(View { at: Instant::now(), processes })
    }

    fn json(&self, is_one: bool) -> Json {
        let mut all = self.processes.iter().map(stats::json);
        match is_one {
            true => all.next().unwrap_or(Json::Null),
            false => Json::List(all.collect()),
        }
    }

    /// What stands on the screen: as many lines as it has, none longer than it is wide.
    fn frame(&self, before: &View, arguments: &Top) -> String {
        let (rows, columns) = tty::size();
        let lines = match (arguments.pid, self.processes.first()) {
            (Some(_), Some(process)) => self.one(process, before, columns),
            _ => self.all(before),
        };
        let mut frame = String::from("\x1b[H");
        for (at, line) in lines.iter().take(rows).enumerate() {
            if at > 0 {
                frame.push('\n');
            }
            frame.extend(line.chars().take(columns));
            frame.push_str("\x1b[K");
        }
        frame.push_str("\x1b[J");
        frame
    }

    fn all(&self, before: &View) -> Vec<String> {
        let mut rows: Vec<_> = self
            .processes
            .iter()
            .map(|process| (process, Rates::of(process, before, self.at)))
            .collect();
        rows.sort_by(|(_, one), (_, other)| other.lookups.total_cmp(&one.lookups));
        let count = match rows.len() {
            0 => "no process shows anything: start one with RUSTDNS_STATS=on".to_owned(),
            1 => "1 process".to_owned(),
            count => format!("{count} processes"),
        };
        let mut lines = vec![
            format!("rustdns top: {count}; q ends"),
            String::new(),
            format!(
                "{:>7} {:>10} {:>8} {:>10} {:>8} {:>9} {:>9} {}",
                "PID", "LOOKUPS/s", "FAILED/s", "QUERIES/s", "HITS", "MEDIAN", "99 %", "PROGRAM"
            ),
        ];
        for (process, rates) in rows {
            let durations = process.totals.durations();
            lines.push(format!(
                "{:>7} {:>10.1} {:>8.1} {:>10.1} {:>8} {:>9} {:>9} {}",
                process.id,
                rates.lookups,
                rates.failures,
                rates.queries,
                hit_rate(&process.totals),
                quantile(&durations, 50),
                quantile(&durations, 99),
                process.name
            ));
        }
        lines
    }

    fn one(&self, process: &Process, before: &View, columns: usize) -> Vec<String> {
        let rates = Rates::of(process, before, self.at);
        let totals = &process.totals;
        let durations = totals.durations();
        let mut lines = vec![
            format!("rustdns top: process {} ({}); q ends", process.id, process.name),
            String::new(),
            format!(
                "lookups/s {:>10.1}    without an answer/s {:>8.1}    queries/s {:>10.1}",
                rates.lookups, rates.failures, rates.queries
            ),
            format!(
                "hit rate  {:>10}    median {:>9}    99 % {:>9}",
                hit_rate(totals),
                quantile(&durations, 50),
                quantile(&durations, 99)
            ),
            String::new(),
        ];
        lines.extend(histogram(&durations, columns.saturating_sub(22).clamp(10, 60)));
        lines.push(String::new());
        for (_, words, number) in stats::counts(totals) {
            lines.push(format!("{words:<32} {number:>12}"));
        }
        lines
    }
}

fn hit_rate(totals: &Totals) -> String {
    percent(totals.hits(), totals.of(Count::Misses))
}

/// What came by the second since the view before; zero for a process that was not there.
struct Rates {
    lookups: f64,
    failures: f64,
    queries: f64,
}

impl Rates {
    fn of(process: &Process, before: &View, now: Instant) -> Rates {
        let old = before.processes.iter().find(|old| old.id == process.id).unwrap_or(process);
        let time = now.duration_since(before.at);
        let rate = |number: &dyn Fn(&Totals) -> usize| {
            stats::rate(number(&old.totals), number(&process.totals), time)
        };
        let queries = |totals: &Totals| totals.queries();
        Rates {
            lookups: rate(&Totals::lookups),
            failures: rate(&|totals| totals.of(Count::Failures)),
            queries: rate(&queries),
        }
    }
}
