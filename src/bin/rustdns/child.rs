//! Lookups in a child process, with the library preloaded or without.

use crate::answer::{Shown, Trouble};
use crate::ask::WORD;
use crate::library::Library;
use crate::run::preload;
use rustdns::sys::terminal::signal_name;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Nobody waits longer for one lookup: libc itself may wait for ever (a silent TCP server).
const LIMIT: Duration = Duration::from_secs(60);

/// Who answers in the child.
#[derive(Clone, Copy)]
pub(crate) enum Side<'a> {
    Libc,
    Rustdns(&'a Library),
    /// Each lookup is the first.
    RustdnsWithoutCache(&'a Library),
}

/// What a child came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) addresses: Vec<String>,
    /// The canonical name, or an address's.
    pub(crate) name: Option<String>,
    /// The code and what it means; or a signal, which means that the lookup has killed the process.
    pub(crate) error: Option<(String, String)>,
    /// Nanoseconds, for each lookup.
    pub(crate) times: Vec<u64>,
}

/// Asks for `what` so many times, as long as that takes no longer than `limit`.
pub(crate) fn ask(
    what: &OsStr,
    side: Side<'_>,
    count: u32,
    limit: Duration,
) -> Result<Answer, Trouble> {
    let trouble = |error: io::Error| Trouble::refused(format_args!("can't run myself: {error}"));
    let own = std::env::current_exe().map_err(trouble)?;
    let mut command = Command::new(own);
    command.arg(WORD).arg(count.to_string()).arg(limit.as_millis().to_string()).arg(what);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let present = without_us(present_preload());
    match side {
        Side::Libc if present.is_empty() => command.env_remove("LD_PRELOAD"),
        Side::Libc => command.env("LD_PRELOAD", present),
        Side::Rustdns(library) | Side::RustdnsWithoutCache(library) => {
            command.env("LD_PRELOAD", preload(library.path.as_os_str(), Some(present)))
        }
    };
    if let Side::RustdnsWithoutCache(_) = side {
        command.env("RUSTDNS_CACHE", "off");
    }
    let (status, output) = finish(command, limit + LIMIT).map_err(trouble)?;
    read(status, &output, side)
}

/// Runs the child. `None` where it was killed because its time was up.
fn finish(mut command: Command, limit: Duration) -> io::Result<(Option<ExitStatus>, String)> {
    let mut child = command.spawn()?;
    let mut out = child.stdout.take();
    let (sender, receiver) = channel();
    let reader = thread::spawn(move || {
        let mut octets = Vec::new();
        if let Some(out) = &mut out {
            // What was read until then counts.
            let _ = out.read_to_end(&mut octets);
        }
        // The receiver is there until the thread is joined.
        let _ = sender.send(());
        octets
    });
    let in_time = receiver.recv_timeout(limit) != Err(RecvTimeoutError::Timeout);
    if !in_time {
        child.kill()?;
    }
    let status = child.wait()?;
    let octets = reader.join().unwrap_or_default();
    Ok((in_time.then_some(status), String::from_utf8_lossy(&octets).into_owned()))
}

fn read(status: Option<ExitStatus>, output: &str, side: Side<'_>) -> Result<Answer, Trouble> {
    let mut answer = Answer::default();
    let Some(status) = status else {
        answer.error = Some((
            "no end".to_owned(),
            format!("the lookup was still waiting after {} s", LIMIT.as_secs()),
        ));
        return Ok(answer);
    };
    if let Some(signal) = status.signal() {
        let name = signal_name(signal).map_or(format!("signal {signal}"), str::to_owned);
        answer.error = Some((name, "the lookup has killed the process".to_owned()));
        return Ok(answer);
    }
    let mut loaded = false;
    let mut code = None;
    for line in output.lines() {
        match line.split_once(' ') {
            Some(("address", text)) => answer.addresses.push(text.to_owned()),
            Some(("canonical" | "name", text)) => answer.name = Some(text.to_owned()),
            Some(("error", text)) => code = Some(text.to_owned()),
            Some(("message", text)) => {
                answer.error = code.take().map(|code| (code, text.to_owned()));
            }
            Some(("library", text)) => loaded = text == "true",
            Some(("times", text)) => {
                answer.times = text.split(' ').filter_map(|time| time.parse().ok()).collect();
            }
            _ => {}
        }
    }
    match (side, loaded) {
        _ if answer.times.is_empty() => {
            Err(Trouble::refused("a lookup in a process of its own gave no result"))
        }
        (Side::Libc, true) => Err(Trouble::refused(
            "the library is in every process of this system (/etc/ld.so.preload); libc can't be asked alone",
        )),
        (Side::Rustdns(library) | Side::RustdnsWithoutCache(library), false) => {
            Err(Trouble::refused(format_args!(
                "{} was not loaded; see `rustdns doctor`",
                Shown(library.path.as_os_str().as_bytes())
            )))
        }
        (Side::Libc, false) | (Side::Rustdns(_) | Side::RustdnsWithoutCache(_), true) => Ok(answer),
    }
}

#[allow(clippy::disallowed_methods, reason = "the command sets no variables")]
fn present_preload() -> OsString {
    std::env::var_os("LD_PRELOAD").unwrap_or_default()
}

/// `LD_PRELOAD` without this library, whatever version of it stands there.
fn without_us(present: OsString) -> OsString {
    let others = present
        .as_bytes()
        .split(|&b| b == b':' || b.is_ascii_whitespace())
        .filter(|path| !path.is_empty())
        .filter(|path| {
            let name = path.rsplit(|&b| b == b'/').next().unwrap_or_default();
            !name.starts_with(b"librustdns.so")
        });
    OsString::from_vec(others.collect::<Vec<_>>().join(&b':'))
}
