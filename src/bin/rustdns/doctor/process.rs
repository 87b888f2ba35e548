//! A process that runs: whether it has the library. A program: whether it could.

use super::{Finding, Level};
use crate::answer::{Shown, Trouble};
use crate::library::Library;
use crate::{elf, program};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;

/// Looks at the process with this ID.
pub(super) fn by_id(pid: i32) -> Result<Vec<Finding>, Trouble> {
    let place = format!("process {pid}");
    let maps = fs::read(format!("/proc/{pid}/maps")).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            Trouble::refused(format_args!("--pid {pid}: no such process; see ps(1)"))
        }
        _ => Trouble::refused(format_args!(
            "--pid {pid}: {error}; only its user and root may look into a process"
        )),
    })?;
    let files = mapped(&maps);
    let named = |start: &[u8]| {
        let files = files.iter().filter(|file| {
            file.rsplit(|&b| b == b'/').next().is_some_and(|name| name.starts_with(start))
        });
        files.copied().collect::<Vec<_>>()
    };
    let mut findings = Vec::new();
    for file in named(b"librustdns.so") {
        findings.push(active(&place, "the library answers in it", file));
    }
    for file in named(b"libnss_rustdns.so") {
        findings.push(active(&place, "the NSS module is loaded", file));
    }
    if findings.is_empty() {
        findings.push(inactive(pid, &place, files.is_empty()));
    }
    for file in named(b"libnss_") {
        if !file.windows(7).any(|part| part == b"rustdns") {
            let what = format!("libc has loaded the NSS module {}", Shown(file));
            findings.push(Finding::new(Level::Note, &place, what));
        }
    }
    Ok(findings)
}

/// The files that are mapped into it.
fn mapped(maps: &[u8]) -> BTreeSet<&[u8]> {
    let lines = maps.split(|&b| b == b'\n');
    lines.filter_map(|line| line.get(line.iter().position(|&b| b == b'/')?..)).collect()
}

fn active(place: &str, what: &str, file: &[u8]) -> Finding {
    let shown = Shown(file);
    if file.ends_with(b" (deleted)") {
        return Finding::new(
            Level::Warning,
            place,
            format!("{what}, from a file that was replaced since: {shown}"),
        )
        .fix("restart it to have the new version");
    }
    Finding::ok(place, format!("{what}: {shown}"))
}

fn inactive(pid: i32, place: &str, is_kernels: bool) -> Finding {
    let warn = |what: &str| Finding::new(Level::Warning, place, what);
    if is_kernels {
        return Finding::new(Level::Note, place, "a thread of the kernel, which looks no name up");
    }
    let executable = fs::read(format!("/proc/{pid}/exe")).unwrap_or_default();
    match elf::read(&executable) {
        Ok(elf) if elf.interpreter.is_none() => {
            return warn(
                "not active: the program is statically linked, nothing can be preloaded into it",
            )
            .fix("link it with librustdns.a, or dynamically");
        }
        Ok(elf) if elf.interpreter.is_some_and(is_musl) != cfg!(target_env = "musl") => {
            return warn("not active: the program runs on another libc than this rustdns")
                .fix("preload the library that was built for that libc (make musl)");
        }
        Ok(_) | Err(_) => {}
    }
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let preload = environment.split(|&b| b == 0).find(|one| one.starts_with(b"LD_PRELOAD="));
    match preload.filter(|value| value.windows(10).any(|part| part == b"librustdns")) {
        Some(value) => warn(&format!(
            "not active, though it was started with {}: the file is not there, or the program is setuid",
            Shown(value)
        ))
        .fix("start it with `rustdns run -- CMD`, which says why where that can't be"),
        None => warn("not active: it was started without the library").fix(
            "start it with `rustdns run -- CMD`, or set LD_PRELOAD where it is started (for a systemd service in its unit)",
        ),
    }
}

fn is_musl(loader: &[u8]) -> bool {
    loader.rsplit(|&b| b == b'/').next().is_some_and(|name| name.starts_with(b"ld-musl"))
}

/// Looks at a program that could be run.
#[allow(clippy::disallowed_methods, reason = "the command sets no variables")]
pub(super) fn of_program(command: &OsStr) -> Vec<Finding> {
    let path = std::env::var_os("PATH");
    let checked = Library::find(None).and_then(|library| {
        let file = program::find(command, path.as_deref())?;
        program::check(&file, &library, path.as_deref())?;
        Ok((library, file))
    });
    let place = Shown(command.as_bytes()).to_string();
    vec![match checked {
        Ok((library, file)) => Finding::ok(
            place,
            format!("{} can be preloaded into {}", library.path.display(), file.display()),
        ),
        Err(trouble) => {
            let text = trouble.text();
            let text = text.strip_prefix(&format!("{place}: ")).unwrap_or(text);
            let (what, fix) = text.split_once("; ").unwrap_or((text, "see `rustdns run --help`"));
            Finding::new(Level::Error, place, what).fix(fix)
        }
    }]
}
