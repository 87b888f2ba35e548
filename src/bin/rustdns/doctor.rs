//! `rustdns doctor`: looks at what names resolve by, and says what is wrong and what to do about it.

mod files;
mod process;
mod servers;
mod services;
mod traps;

use crate::Outcome;
use crate::answer::{Json, Trouble, print};
use crate::arguments::Doctor;
use crate::paint::{Colour, Paint};
use crate::progress::Progress;
use rustdns::context::call::Session;
use rustdns::context::state::state;
use rustdns::sys;
use rustdns::sys::mem::NoMemory;
use std::fmt::Write;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// Looked at, and well.
    Ok,
    /// Good to know.
    Note,
    /// Slow, or wrong at times.
    Warning,
    /// Names don't resolve, or programs die.
    Error,
}

/// One thing that was looked at.
struct Finding {
    level: Level,
    /// A file and its line, a name server, a process.
    place: String,
    what: String,
    /// What to do about it.
    fix: Option<String>,
}

/// What belongs together.
struct Section {
    title: &'static str,
    key: &'static str,
    findings: Vec<Finding>,
}

/// A label that nobody has thought of.
fn unheard_of() -> String {
    let mut random = [0; 8];
    sys::process::random(&mut random);
    format!("rustdns-{:016x}", u64::from_ne_bytes(random))
}

/// Prints what it finds; exit status 1 where that has errors or warnings.
pub(crate) fn doctor(arguments: &Doctor) -> Outcome {
    let sections = examine(arguments)?;
    if arguments.json {
        json(&sections)?
    } else {
        text(&sections)?
    }
    match count(&sections, Level::Error) + count(&sections, Level::Warning) {
        0 => Ok(()),
        _ => Err(Trouble::silent(1)),
    }
}

fn examine(arguments: &Doctor) -> Result<Vec<Section>, Trouble> {
    let progress = Progress::of("looking at configuration files");
    let mut sections = Vec::new();
    let mut add = |title, key, findings| sections.push(Section { title, key, findings });
    if let Some(pid) = arguments.pid {
        add("process", "process", process::by_id(pid)?);
    }
    if let Some(program) = &arguments.program {
        add("program", "program", process::of_program(program));
    }
    let no_memory = |NoMemory| Trouble::refused("memory is exhausted");
    let session = Session::begin().map_err(no_memory)?;
    let environment = state().and_then(|state| state.environment()).map_err(no_memory)?;
    add("configuration files", "files", files::findings(&environment).map_err(no_memory)?);
    add(
        "services of nsswitch.conf",
        "services",
        services::findings(&session, &environment).map_err(no_memory)?,
    );
    // Where no server answers, looking names up is only waiting.
    let mut is_answered = false;
    if !arguments.offline {
        progress.say("asking the name servers");
        let findings = servers::findings(&session, &environment).map_err(no_memory)?;
        is_answered = findings.iter().any(|finding| finding.level != Level::Error);
        add("name servers", "servers", findings);
    }
    progress.say("looking for known traps");
    let findings = traps::findings(&session, &environment, is_answered);
    add("known traps", "traps", findings.map_err(no_memory)?);
    Ok(sections)
}

fn count(sections: &[Section], level: Level) -> usize {
    let all = sections.iter().flat_map(|section| &section.findings);
    all.filter(|finding| finding.level == level).count()
}

impl Finding {
    fn new(level: Level, place: impl Into<String>, what: impl Into<String>) -> Finding {
        Finding { level, place: place.into(), what: what.into(), fix: None }
    }

    fn ok(place: impl Into<String>, what: impl Into<String>) -> Finding {
        Finding::new(Level::Ok, place, what)
    }

    fn fix(self, fix: impl Into<String>) -> Finding {
        Finding { fix: Some(fix.into()), ..self }
    }
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }

    fn colour(self) -> Colour {
        match self {
            Level::Ok => Colour::Green,
            Level::Note => Colour::Blue,
            Level::Warning => Colour::Yellow,
            Level::Error => Colour::Red,
        }
    }
}

fn text(sections: &[Section]) -> Outcome {
    let paint = Paint::of_stdout();
    let mut out = String::new();
    // Writing to a String never fails.
    for Section { title, findings, .. } in sections {
        let _ = writeln!(out, "{}", paint.colour(Colour::Bold, title));
        for Finding { level, place, what, fix } in findings {
            let name = paint.colour(level.colour(), format_args!("{:<8}", level.name()));
            let _ = writeln!(out, "  {name} {place}: {what}");
            if let Some(fix) = fix {
                let _ = writeln!(out, "           fix: {fix}");
            }
        }
    }
    let counted = [Level::Error, Level::Warning, Level::Note].map(|level| {
        let count = count(sections, level);
        let name = level.name();
        let text = format!("{count} {name}{}", if count == 1 { "" } else { "s" });
        if count == 0 { text } else { paint.colour(level.colour(), text) }
    });
    let _ = writeln!(out, "{}", counted.join(", "));
    print(&out)
}

fn json(sections: &[Section]) -> Outcome {
    let one = |section: &Section, finding: &Finding| {
        Json::Object(vec![
            ("section", Json::text(section.key)),
            ("level", Json::text(finding.level.name())),
            ("place", Json::text(&finding.place)),
            ("what", Json::text(&finding.what)),
            ("fix", Json::maybe(finding.fix.as_ref())),
        ])
    };
    let findings = sections
        .iter()
        .flat_map(|section| section.findings.iter().map(move |finding| one(section, finding)));
    let counted = |level| Json::Number(count(sections, level) as u64);
    Json::Object(vec![
        ("findings", Json::List(findings.collect())),
        ("errors", counted(Level::Error)),
        ("warnings", counted(Level::Warning)),
        ("notes", counted(Level::Note)),
    ])
    .print()
}
