//! `rustdns compare`: what libc and the library say of the same names, side by side.

use crate::Outcome;
use crate::account::millis;
use crate::answer::{Json, Shown, Trouble, print};
use crate::arguments::Compare;
use crate::child::{self, Answer, Side};
use crate::library::Library;
use crate::paint::{Colour, Paint};
use crate::progress::Progress;
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// The two answers for one name.
struct Pair<'a> {
    name: &'a OsString,
    libc: Answer,
    rustdns: Answer,
}

/// How two answers differ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Same,
    /// The addresses are the same, their order is not.
    Order,
    Different,
}

/// Asks both for each name; exit status 1 where an answer differs.
pub(crate) fn compare(arguments: &Compare) -> Outcome {
    let library = Library::find(arguments.library.as_deref())?;
    let progress = Progress::of("comparing");
    let mut pairs = Vec::new();
    for name in &arguments.names {
        let ask = |side: Side<'_>, who: &str| {
            progress.say(format!("asking {who} for {}", Shown(name.as_bytes())));
            child::ask(name, side, 1, Duration::ZERO)
        };
        let libc = ask(Side::Libc, "libc")?;
        let rustdns = ask(Side::Rustdns(&library), "rustdns")?;
        pairs.push(Pair { name, libc, rustdns });
    }
    drop(progress);
    if arguments.json {
        Json::Object(vec![("names", Json::List(pairs.iter().map(json).collect()))]).print()?;
    } else {
        text(&pairs)?;
    }
    let same = pairs.iter().all(|pair| pair.verdict() == Verdict::Same);
    if same { Ok(()) } else { Err(Trouble::silent(1)) }
}

impl Pair<'_> {
    fn verdict(&self) -> Verdict {
        let (libc, rustdns) = (&self.libc, &self.rustdns);
        let code = |answer: &Answer| answer.error.as_ref().map(|(code, _)| code.clone());
        if code(libc) != code(rustdns) || libc.name != rustdns.name {
            return Verdict::Different;
        }
        if libc.addresses == rustdns.addresses {
            return Verdict::Same;
        }
        let sorted = |answer: &Answer| {
            let mut addresses = answer.addresses.clone();
            addresses.sort();
            addresses
        };
        if sorted(libc) == sorted(rustdns) { Verdict::Order } else { Verdict::Different }
    }

    /// What is shown in each line: a label, what libc says, what rustdns says.
    fn rows(&self) -> Vec<(&'static str, String, String)> {
        let Pair { libc, rustdns, .. } = self;
        let mut rows = Vec::new();
        let error = |answer: &Answer| match &answer.error {
            Some((code, _)) => code.clone(),
            None => "found".to_owned(),
        };
        rows.push(("result", error(libc), error(rustdns)));
        let count = libc.addresses.len().max(rustdns.addresses.len());
        for at in 0..count {
            let label = if at == 0 { "addresses" } else { "" };
            let address = |answer: &Answer| answer.addresses.get(at).cloned().unwrap_or_default();
            rows.push((label, address(libc), address(rustdns)));
        }
        if libc.name.is_some() || rustdns.name.is_some() {
            let name = |answer: &Answer| answer.name.clone().unwrap_or_default();
            rows.push(("name", name(libc), name(rustdns)));
        }
        rows
    }
}

fn text(pairs: &[Pair<'_>]) -> Outcome {
    let paint = Paint::of_stdout();
    let mut out = String::new();
    for pair in pairs {
        let rows = pair.rows();
        let times = (time(&pair.libc), time(&pair.rustdns));
        let left = rows.iter().map(|(_, libc, _)| libc.chars().count());
        let width = left.chain([times.0.len(), 12]).max().unwrap_or(0);
        // Writing to a String never fails.
        let name = Shown(pair.name.as_bytes()).to_string();
        let _ = writeln!(out, "{}", paint.colour(Colour::Bold, name));
        let _ = writeln!(out, "  {:<11}{:<width$}    rustdns", "", "libc");
        for (label, libc, rustdns) in rows {
            let (mark, colour) =
                if libc == rustdns { (' ', None) } else { ('!', Some(Colour::Red)) };
            let line = format!("{mark} {label:<11}{libc:<width$}  {mark} {rustdns}");
            let line = line.trim_end();
            let line = colour.map_or(line.to_owned(), |colour| paint.colour(colour, line));
            let _ = writeln!(out, "{line}");
        }
        let _ = writeln!(out, "  {:<11}{:<width$}    {}", "time", times.0, times.1);
        let (colour, verdict) = match pair.verdict() {
            Verdict::Same => (Colour::Green, "the same"),
            Verdict::Order => (Colour::Red, "the same addresses in another order"),
            Verdict::Different => (Colour::Red, "different"),
        };
        let _ = writeln!(out, "  {}", paint.colour(colour, verdict));
        for (who, answer) in [("libc", &pair.libc), ("rustdns", &pair.rustdns)] {
            if let Some((code, why)) = &answer.error {
                let _ = writeln!(out, "  {who}: {code}: {why}");
            }
        }
    }
    print(&out)
}

fn time(answer: &Answer) -> String {
    answer.times.first().map_or("-".to_owned(), |nanos| millis(Duration::from_nanos(*nanos)))
}

fn json(pair: &Pair<'_>) -> Json {
    let one = |answer: &Answer| {
        let addresses = answer.addresses.iter().map(Json::text).collect();
        let (code, why) = answer.error.as_ref().map(|(code, why)| (code, why)).unzip();
        let time = answer.times.first();
        Json::Object(vec![
            ("error", Json::maybe(code)),
            ("message", Json::maybe(why)),
            ("addresses", Json::List(addresses)),
            ("name", Json::maybe(answer.name.as_ref())),
            ("microseconds", time.map_or(Json::Null, |nanos| Json::Number(nanos / 1000))),
        ])
    };
    let verdict = match pair.verdict() {
        Verdict::Same => "same",
        Verdict::Order => "order",
        Verdict::Different => "different",
    };
    Json::Object(vec![
        ("name", Json::text(pair.name.as_bytes())),
        ("verdict", Json::text(verdict)),
        ("libc", one(&pair.libc)),
        ("rustdns", one(&pair.rustdns)),
    ])
}
