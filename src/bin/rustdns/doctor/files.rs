//! Configuration files: whether they can be read, and the lines that are ignored.

use super::{Finding, Level};
use crate::answer::Shown;
use crate::conf;
use crate::conf::reason;
use rustdns::config::note::{Note, Notes};
use rustdns::config::nsswitch::{self, Database};
use rustdns::config::{gai, hosts, resolv, services};
use rustdns::context::state::Environment;
use rustdns::sys::files::{self, Unreadable};
use rustdns::sys::mem::NoMemory;
use rustdns::sys::{Fault, interfaces};
use std::ffi::CStr;

/// Looks at all of them.
pub(super) fn findings(environment: &Environment) -> Result<Vec<Finding>, NoMemory> {
    let paths = &environment.paths;
    let mut findings = Vec::new();
    let mut add = |file: Looked| file.append_to(&mut findings);

    let (file, text) = Looked::at(&paths.nsswitch, "nsswitch.conf(5)", Absent::Fine);
    let Database { refused, notes, .. } = nsswitch::parse(text.as_deref(), b"hosts")?;
    let level = if refused { Level::Error } else { Level::Warning };
    // What isn't ours is looked at as a service.
    add(file.with(&notes, level, |note| !note.what.ends_with("counts as UNAVAIL")));

    let missing = "names of this host and of small networks are unknown; begin it with `127.0.0.1 localhost` and `::1 localhost`";
    let (file, text) = Looked::at(&paths.hosts, "hosts(5)", Absent::Warned(missing));
    let notes = hosts::index(text.unwrap_or_default())?.notes()?;
    add(file.with(&notes, Level::Warning, |_| true));

    let missing = "the name server 127.0.0.1 is asked; write `nameserver ADDRESS` into it";
    let (file, text) = Looked::at(&paths.resolv, "resolv.conf(5)", Absent::Warned(missing));
    let mut conf = resolv::parse(text.as_deref(), b"", &interfaces::index)?;
    conf.apply_environment(
        environment.local_domain.as_deref(),
        environment.res_options.as_deref(),
    )?;
    add(file.with(&conf.notes, Level::Warning, |_| true));

    let (file, text) = Looked::at(&paths.gai, "gai.conf(5)", Absent::Fine);
    add(file.with(&gai::parse(text.as_deref())?.notes, Level::Warning, |_| true));

    let missing =
        "services are known by number only; install the package that has it (netbase in Debian)";
    let (file, text) = Looked::at(&paths.services, "services(5)", Absent::Warned(missing));
    let services = services::index(text.unwrap_or_default())?;
    add(file.with(services.notes(), Level::Note, |_| true));

    let (file, _) = Looked::at(c"/etc/rustdns.conf", "rustdns.conf(5)", Absent::Fine);
    let mut file = file.with(&environment.settings.notes, Level::Warning, |_| true);
    for unknown in conf::unknown_variables() {
        let unknown = Finding::new(Level::Warning, "environment", unknown)
            .fix("`rustdns conf` lists the variables that there are");
        file.findings.push(unknown);
    }
    add(file);
    Ok(findings)
}

/// What it means that a file isn't there.
enum Absent {
    Fine,
    Warned(&'static str),
}

/// A file, and what was found in it.
struct Looked {
    path: String,
    /// Its manual page.
    manual: &'static str,
    is_there: bool,
    findings: Vec<Finding>,
}

impl Looked {
    fn at(path: &CStr, manual: &'static str, absent: Absent) -> (Looked, Option<Vec<u8>>) {
        let shown = Shown(path.to_bytes()).to_string();
        let mut file = Looked { path: shown, manual, is_there: true, findings: Vec::new() };
        let why = match files::read(path) {
            Ok((text, _)) => return (file, Some(text)),
            Err(Unreadable::Fault(Fault::Missing)) => {
                file.is_there = false;
                if let Absent::Warned(what) = absent {
                    let (what, fix) = what.split_once("; ").unwrap_or((what, ""));
                    let what = format!("not there: {what}");
                    file.findings.push(Finding::new(Level::Warning, &file.path, what).fix(fix));
                }
                return (file, None);
            }
            Err(why) => reason(why),
        };
        let what = format!("{why}: what libc does without it is done");
        let fix = "make it a file that everybody may read (chmod 644)";
        file.findings.push(Finding::new(Level::Error, &file.path, what).fix(fix));
        (file, None)
    }

    /// The same with a finding for each of the notes that count.
    fn with(mut self, notes: &Notes, level: Level, counts: impl Fn(&Note) -> bool) -> Looked {
        for note in notes.iter().filter(|note| counts(note)) {
            let place = match note.line {
                0 => "environment".to_owned(),
                line => format!("{}:{line}", self.path),
            };
            let level = if note.what == "option without effect" { Level::Note } else { level };
            let what = format!("{}: {}", note.what, Shown(note.excerpt()));
            self.findings.push(Finding::new(level, place, what).fix(self.fix(note)));
        }
        if notes.left_out > 0 {
            let what = format!("{} lines more that are ignored", notes.left_out);
            self.findings.push(Finding::new(level, &self.path, what).fix("mend the first ones"));
        }
        self
    }

    fn fix(&self, note: &Note) -> String {
        let manual = self.manual;
        match note.what {
            "more than three, name server ignored" => {
                "keep three; for more, ask a server of your own that forwards".to_owned()
            }
            "no IP address, name server ignored" => {
                format!("name servers stand there by address, not by name ({manual})")
            }
            "option without effect" => format!("remove it ({manual})"),
            _ => format!("correct it or remove it ({manual})"),
        }
    }

    fn append_to(self, findings: &mut Vec<Finding>) {
        match (self.findings.is_empty(), self.is_there) {
            (true, true) => findings.push(Finding::ok(self.path, "every line is understood")),
            (true, false) => findings.push(Finding::ok(self.path, "not there, defaults apply")),
            (false, _) => findings.extend(self.findings),
        }
    }
}
