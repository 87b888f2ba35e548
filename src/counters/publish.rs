//! The file that the setting `stats` puts a process's counters into: `rustdns-stats.PROCESS.NUMBER`, in a
//! folder that belongs to the process's user alone. `rustdns stats` finds it by the list of what the
//! process has mapped, so that no file of another one is taken for it.

use crate::config::settings::Stats;
use crate::mem::NoMemory;
use crate::source::{NameText, Out, c_string};
use crate::sys::published::Place;
use crate::sys::{Fault, errno, process};
use core::fmt::{self, Write};
use std::ffi::CString;

/// What such a file's name begins with.
pub const PREFIX: &str = "rustdns-stats.";

/// A new file of counters, where the setting has one.
///
/// # Errors
/// The last folder's that was tried: it can't be made, or belongs to somebody else, or the file can't be
/// had. Likewise where the process has more rights than who started it.
pub fn place(stats: &Stats) -> Result<Option<Place>, Fault> {
    match stats {
        Stats::Off => Ok(None),
        _ if process::is_secure() => Err(Fault::Other(errno::NOT_PERMITTED)),
        Stats::Folder(folder) => in_folder(folder).map(Some),
        Stats::On => {
            let user = process::effective_user();
            let system = match user {
                0 => in_folder(b"/run/rustdns"),
                _ => in_folder(&written(format_args!("/run/user/{user}/rustdns"))),
            };
            let spare = |_| in_folder(&written(format_args!("/tmp/rustdns-{user}")));
            system.or_else(spare).map(Some)
        }
    }
}

#[inline(never)]
fn in_folder(folder: &[u8]) -> Result<Place, Fault> {
    let mut number = [0; 8];
    process::random(&mut number);
    let (process, number) = (process::id(), u64::from_ne_bytes(number));
    let name = written(format_args!("{PREFIX}{process}.{number}"));
    Place::in_file(&text(&[folder])?, text(&[folder, b"/", &name])?)
}

#[inline(never)]
fn text(parts: &[&[u8]]) -> Result<CString, Fault> {
    match c_string(parts) {
        Ok(Some(text)) => Ok(text),
        // A NUL in a path.
        Ok(None) => Err(Fault::Missing),
        Err(NoMemory) => Err(Fault::Exhausted(errno::NO_MEMORY)),
    }
}

fn written(text: fmt::Arguments<'_>) -> NameText {
    let mut out = Out(NameText::new());
    // All that is written here fits without memory.
    let _ = out.write_fmt(text);
    out.0
}
