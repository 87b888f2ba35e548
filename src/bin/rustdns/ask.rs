//! A process that only asks, once or many times, by `getaddrinfo` and `getnameinfo` as its linker
//! resolves them: what `compare` and `bench` start with the library and without. Its arguments and its
//! lines are between it and `child`, and no interface.

use crate::answer::Shown;
use crate::lookup::{address_of, address_text, meaning};
use rustdns::abi::libc_client;
use rustdns::base::error::Error;
use rustdns::sys::terminal::end_with_parent;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The word that makes the command do this.
pub(crate) const WORD: &str = "--ask";

/// What to ask, and how often.
pub(crate) struct Questions {
    what: OsString,
    count: u32,
    limit: Duration,
}

/// The questions on the command line: `--ask COUNT MILLISECONDS WHAT`; `None` on any other.
pub(crate) fn questions() -> Option<Questions> {
    let mut words = std::env::args_os().skip(1);
    words.next().filter(|word| word == WORD)?;
    let count = words.next()?.to_str()?.parse().ok()?;
    let limit = Duration::from_millis(words.next()?.to_str()?.parse().ok()?);
    Some(Questions { what: words.next()?, count, limit })
}

/// Asks, and prints what came of it: the last answer, and how long each took.
pub(crate) fn ask(questions: &Questions) -> ExitCode {
    end_with_parent();
    let what = questions.what.as_bytes();
    let address = address_of(what);
    let begun = Instant::now();
    let mut out = String::new();
    let mut times = Vec::new();
    for _ in 0..questions.count {
        let start = Instant::now();
        let answer = match address {
            Some(address) => {
                libc_client::name(address).map(|name| vec![("name", Shown(&name).to_string())])
            }
            None => libc_client::addresses(what).map(|found| {
                let canonical = ("canonical", Shown(&found.canonical).to_string());
                let address = |address: &_| ("address", address_text(*address));
                found.addresses.iter().map(address).chain([canonical]).collect()
            }),
        };
        times.push(start.elapsed().as_nanos().to_string());
        if times.len() == 1 {
            out = lines(answer);
        }
        if begun.elapsed() > questions.limit {
            break;
        }
    }
    let library = is_loaded();
    let text = format!("{out}library {library}\ntimes {}\n", times.join(" "));
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn lines(answer: Result<Vec<(&str, String)>, Error>) -> String {
    let line = |(key, value): (&str, String)| format!("{key} {value}\n");
    match answer {
        Ok(list) => list.into_iter().map(line).collect(),
        Err(error) => {
            let (code, why) = meaning(error);
            line(("error", code.to_owned())) + &line(("message", why))
        }
    }
}

/// True where the library is in this process.
fn is_loaded() -> bool {
    std::fs::read("/proc/self/maps")
        .is_ok_and(|maps| maps.windows(LIBRARY.len()).any(|part| part == LIBRARY))
}

/// How its files are called.
const LIBRARY: &[u8] = b"/librustdns.so";
