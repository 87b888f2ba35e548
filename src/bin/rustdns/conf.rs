//! `rustdns conf`: the settings in force, out of the table that the library reads them by.

use crate::Outcome;
use crate::answer::{Json, Shown, Trouble, print};
use crate::arguments::Conf;
use rustdns::config::note::Note;
use rustdns::config::settings::{self, Cookies, Dnssec, Setting, Settings, Sink, TABLE};
use rustdns::context::state::state;
use rustdns::sys::environment::variable;
use rustdns::sys::files::{self, Unreadable};
use rustdns::sys::mem::NoMemory;
use rustdns::sys::{Fault, interfaces};
use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;

const FILE: &str = "/etc/rustdns.conf";

/// Prints every setting, and what was not understood.
pub(crate) fn conf(arguments: &Conf) -> Outcome {
    let (rows, remarks) = read().map_err(|NoMemory| Trouble::refused("memory is exhausted"))?;
    if arguments.json { json(&rows, remarks) } else { text(&rows, &remarks) }
}

/// A setting, its value, and where that comes from.
struct Row {
    setting: &'static Setting,
    value: String,
    origin: String,
}

fn read() -> Result<(Vec<Row>, Vec<String>), NoMemory> {
    let environment = state()?.environment()?;
    let settings = &environment.settings;
    let mut remarks = Vec::new();
    let file = match files::read(c"/etc/rustdns.conf") {
        Ok((file, _)) => file,
        Err(why) => {
            remarks.extend(unreadable(why));
            Vec::new()
        }
    };
    remarks.extend(settings.notes.iter().map(remark));
    if settings.notes.left_out > 0 {
        remarks.push(format!("{} remarks more", settings.notes.left_out));
    }
    remarks.extend(unknown_variables());
    let rows = TABLE.iter().map(|setting| {
        let value = current(settings, setting.key);
        Ok(Row { setting, value, origin: origin(setting, &file)? })
    });
    Ok((rows.collect::<Result<_, _>>()?, remarks))
}

/// The value in force, written as it could stand in the file.
fn current(settings: &Settings, key: &str) -> String {
    let file = |path: Option<&[u8]>, none: &str| {
        path.map_or_else(|| none.to_owned(), |path| Shown(path).to_string())
    };
    let word = |on: bool, [no, yes]: [&str; 2]| if on { yes } else { no }.to_owned();
    match key {
        "upstream" => {
            let server = |address: &SocketAddr| match settings.upstream.encrypted(address) {
                Some(encrypted) => Shown(&encrypted.text).to_string(),
                None => address.to_string(),
            };
            settings.upstream.addresses.iter().map(server).collect::<Vec<_>>().join(" ")
        }
        "upstream-fallback" => word(settings.fallback_plain, ["off", "plain"]),
        "upstream-ca" => file(settings.authorities.as_deref(), "system"),
        "dnssec" => match settings.dnssec {
            Dnssec::Off => "off".to_owned(),
            Dnssec::TrustAd => "trust-ad".to_owned(),
            Dnssec::Validate => "validate".to_owned(),
        },
        "trust-anchor" => file(settings.anchors.as_deref(), "installed"),
        "cache" if settings.cache_entries == 0 => "off".to_owned(),
        "cache" => settings.cache_entries.to_string(),
        "cache-max-ttl" => settings.cache_max_ttl.to_string(),
        "cache-negative-ttl" => settings.cache_negative_ttl.to_string(),
        "serve-stale" => settings.serve_stale.to_string(),
        "foreign" => word(settings.foreign_libc, ["skip", "libc"]),
        "case-randomization" => word(settings.random_case, ["off", "on"]),
        "cookies" => match settings.cookies {
            Cookies::Auto => "auto".to_owned(),
            Cookies::On => "on".to_owned(),
            Cookies::Off => "off".to_owned(),
        },
        "hedge" => {
            settings.hedge.map_or_else(|| "off".to_owned(), |hedge| hedge.as_millis().to_string())
        }
        "debug" => settings.debug.to_string(),
        "log" => match &settings.log {
            Sink::Stderr => "stderr".to_owned(),
            Sink::Syslog => "syslog".to_owned(),
            Sink::File(path) => Shown(path.to_bytes()).to_string(),
        },
        "debug-format" => word(settings.json, ["text", "json"]),
        "stats" => word(settings.stats, ["off", "on"]),
        "root" => Shown(settings.root.as_deref().unwrap_or_default()).to_string(),
        "mode" => word(settings.test_only, ["normal", "test-only"]),
        // A test sets every key of the table and looks for it in what is printed.
        _ => String::new(),
    }
}

/// Where the value comes from: the environment, else the last line of the file that was understood.
fn origin(setting: &Setting, file: &[u8]) -> Result<String, NoMemory> {
    let is_understood = |value: &[u8]| {
        let mut alone = Settings::default();
        alone.set(setting.key.as_bytes(), value, 0, &interfaces::index)?;
        Ok(alone.notes.is_empty())
    };
    if let Some(value) = variable(setting.environment)?
        && is_understood(&value)?
    {
        return Ok("environment".to_owned());
    }
    let mut origin = "default".to_owned();
    for (number, key, value) in settings::lines(file) {
        if key == setting.key.as_bytes() && is_understood(value)? {
            origin = format!("{FILE}:{number}");
        }
    }
    Ok(origin)
}

/// Where the value of the setting called `key` comes from.
pub(crate) fn origin_of(key: &str) -> Result<String, NoMemory> {
    let file = files::read(c"/etc/rustdns.conf").map_or(Vec::new(), |(file, _)| file);
    match TABLE.iter().find(|setting| setting.key == key) {
        Some(setting) => origin(setting, &file),
        None => Ok("default".to_owned()),
    }
}

fn remark(note: &Note) -> String {
    let (what, text) = (note.what, Shown(note.excerpt()));
    match note.line {
        0 => format!("environment: {what}: {text}"),
        line => format!("{FILE}:{line}: {what}: {text}"),
    }
}

/// Why the file has no say; there need be none.
fn unreadable(why: Unreadable) -> Option<String> {
    match why {
        Unreadable::Fault(Fault::Missing) => None,
        why => Some(format!("{FILE}: {}, ignored", reason(why))),
    }
}

/// Why a file has no content, with the system's own words for an errno.
pub(crate) fn reason(why: Unreadable) -> String {
    match why {
        Unreadable::Fault(fault) => io::Error::from_raw_os_error(fault.errno()).to_string(),
        Unreadable::NotAFile => "not a file".to_owned(),
        Unreadable::TooLarge | Unreadable::NoMemory => why.to_string(),
    }
}

/// Variables that look like settings and are none: misspelt ones, mostly.
pub(crate) fn unknown_variables() -> Vec<String> {
    let is_known = |name: &[u8]| TABLE.iter().any(|one| one.environment.to_bytes() == name);
    let mut unknown: Vec<_> = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.as_bytes().starts_with(b"RUSTDNS_") && !is_known(name.as_bytes()))
        .map(|name| format!("environment: unknown setting, ignored: {}", Shown(name.as_bytes())))
        .collect();
    unknown.sort();
    unknown
}

fn text(rows: &[Row], remarks: &[String]) -> Outcome {
    let mut out = String::new();
    // Writing to a String never fails.
    for Row { setting, value, origin } in rows {
        let value = if value.is_empty() { setting.default } else { value };
        let _ = writeln!(out, "{} {value}\n    from: {origin}", setting.key);
        let _ = writeln!(out, "    variable: {}", setting.environment.to_string_lossy());
        let _ = writeln!(out, "    values: {}", setting.values);
        let _ = writeln!(out, "    default: {}", setting.default);
    }
    for remark in remarks {
        let _ = writeln!(out, "not understood: {remark}");
    }
    print(&out)
}

fn json(rows: &[Row], remarks: Vec<String>) -> Outcome {
    let rows = rows.iter().map(|Row { setting, value, origin }| {
        let value = if value.is_empty() { Json::Null } else { Json::text(value) };
        Json::Object(vec![
            ("key", Json::text(setting.key)),
            ("variable", Json::text(setting.environment.to_bytes())),
            ("values", Json::text(setting.values)),
            ("default", Json::text(setting.default)),
            ("value", value),
            ("origin", Json::text(origin)),
        ])
    });
    Json::Object(vec![
        ("settings", Json::List(rows.collect())),
        ("not_understood", Json::List(remarks.into_iter().map(Json::Text).collect())),
    ])
    .print()
}
