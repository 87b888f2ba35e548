//! `rustdns flush`: every process that runs with the library forgets what it has learned of the network.

use crate::Outcome;
use crate::answer::{Shown, Trouble};
use rustdns::context::state::{State, state};
use rustdns::sys::mem::NoMemory;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::time::SystemTime;

/// Touches resolv.conf, which all of them follow: an answer is kept for the version that it was asked by.
pub(crate) fn flush() -> Outcome {
    let environment = state().and_then(State::environment);
    let environment = environment.map_err(|NoMemory| Trouble::refused("memory is exhausted"))?;
    let path = environment.paths.resolv.to_bytes();
    let touched = File::options().append(true).open(OsStr::from_bytes(path));
    touched
        .and_then(|file| file.set_modified(SystemTime::now()))
        .map_err(|error| Trouble::refused(format_args!("{}: {error}", Shown(path))))
}
