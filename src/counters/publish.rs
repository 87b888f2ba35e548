//! The file that the setting `stats` puts a process's counters into: `rustdns-stats.PROCESS.NUMBER`, in a
//! folder that belongs to the process's user alone. `rustdns stats` finds it by the list of what the
//! process has mapped, so that no file of another one is taken for it.

use crate::config::settings::Stats;
use crate::mem::NoMemory;
use crate::source::c_string;
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
    let user = process::effective_user();
    match stats {
        Stats::Off => Ok(None),
        _ if process::is_secure() => Err(Fault::Other(errno::NOT_PERMITTED)),
        Stats::Folder(folder) => in_folder(folder).map(Some),
        Stats::On => {
            let system = match user {
                0 => Phrase::of(format_args!("/run/rustdns")),
                _ => Phrase::of(format_args!("/run/user/{user}/rustdns")),
            };
            let spare = || in_folder(Phrase::of(format_args!("/tmp/rustdns-{user}")).octets());
            in_folder(system.octets()).or_else(|_| spare()).map(Some)
        }
    }
}

fn in_folder(folder: &[u8]) -> Result<Place, Fault> {
    let mut number = [0; 8];
    process::random(&mut number);
    let (process, number) = (process::id(), u64::from_ne_bytes(number));
    let name = Phrase::of(format_args!("{PREFIX}{process}.{number}"));
    let folder = text(&[folder])?;
    let path = text(&[folder.to_bytes(), b"/", name.octets()])?;
    Place::in_file(&folder, path)
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

/// A few words without memory of their own.
struct Phrase {
    len: usize,
    octets: [u8; 64],
}

impl Phrase {
    fn of(text: fmt::Arguments<'_>) -> Phrase {
        let mut phrase = Phrase { len: 0, octets: [0; 64] };
        // All that is written here fits.
        let _ = phrase.write_fmt(text);
        phrase
    }

    fn octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

impl Write for Phrase {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.octets.get_mut(self.len..).and_then(|room| room.get_mut(..text.len()));
        room.ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}
