//! nsswitch.conf's services: which modules libc loads into every process that looks a name up, and who
//! answers in their place with the library.

use super::{Finding, Level};
use crate::answer::Shown;
use crate::explain::service_name;
use crate::library::module_folders;
use crate::places;
use rustdns::base::error::Failure;
use rustdns::config::nsswitch::Service;
use rustdns::context::call::Session;
use rustdns::context::state::Environment;
use rustdns::sys::mem::NoMemory;
use std::path::PathBuf;

/// Looks at the services of the line for hosts.
pub(super) fn findings(
    session: &Session,
    environment: &Environment,
) -> Result<Vec<Finding>, NoMemory> {
    let path = Shown(environment.paths.nsswitch.to_bytes()).to_string();
    let line = match places::text(&environment.paths.nsswitch) {
        Some(text) => places::hosts_line(&text)?,
        None => None,
    };
    let place = match &line {
        Some((number, _)) => format!("{path}:{number}"),
        None => path,
    };
    let database = match session.hosts_database() {
        Ok(database) => database,
        Err(Failure::Memory) => return Err(NoMemory),
        // The line itself has been a finding.
        Err(_) => return Ok(Vec::new()),
    };
    let words = line.map_or(String::new(), |(_, line)| line);
    let ours = words.split([' ', '\t', '[']).any(|word| word == "rustdns");
    let mut findings = Vec::new();
    if ours {
        findings.push(module_of_ours(&place));
    }
    let others = database.steps.iter().map(|step| &step.service);
    for service in others.filter(|service| !matches!(service, Service::Files | Service::Dns)) {
        findings.push(finding(service, &place, environment));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(place, "libc loads no module for them"));
    }
    Ok(findings)
}

fn module_of_ours(place: &str) -> Finding {
    match file_of("rustdns") {
        Some(file) => {
            Finding::ok(place, format!("`rustdns` is {}, in every program", file.display()))
        }
        None => Finding::new(
            Level::Error,
            place,
            "`rustdns` stands there, but libc finds no libnss_rustdns.so.2",
        )
        .fix("install it (make install PREFIX=/usr), or take `rustdns` from the line"),
    }
}

fn finding(service: &Service, place: &str, environment: &Environment) -> Finding {
    let name = service_name(service);
    let instead = match service {
        _ if service.is_ours() => "with rustdns preloaded that is answered without it",
        _ if environment.settings.foreign_libc => {
            "with rustdns preloaded libc is asked for names that nobody else knows (foreign libc)"
        }
        _ => {
            "with rustdns preloaded it is not loaded, and names that only it knows are not found: `foreign libc` in /etc/rustdns.conf asks libc for those"
        }
    };
    match file_of(&name) {
        Some(file) => {
            let what = format!(
                "`{name}`: libc loads {} into every program that looks a name up",
                file.display()
            );
            Finding::new(Level::Note, place, what).fix(instead)
        }
        None => {
            let what = format!("`{name}`: there is no libnss_{name}.so.2, so libc passes it over");
            // Its names are known with the library all the same.
            let level = if service.is_ours() { Level::Note } else { Level::Warning };
            Finding::new(level, place, what)
                .fix(format!("install its package, or take `{name}` from the line"))
        }
    }
}

/// The module's file, where libc would find it.
fn file_of(service: &str) -> Option<PathBuf> {
    let name = format!("libnss_{service}.so.2");
    module_folders().into_iter().map(|folder| folder.join(&name)).find(|file| file.is_file())
}
