//! Where answers come from: one file, or folder, per nsswitch service.

pub mod dns;
pub mod hosts;
pub mod local;
pub mod mdns;
pub mod myhostname;
pub mod resolved;

use crate::config::nsswitch::Status;
use crate::error::Error;
use crate::mem::NoMemory;
use crate::source::dns::name::Name;
use crate::source::dns::read::Addresses;

/// Text of a name as programs get it; short ones need no allocation.
pub type NameText = smallvec::SmallVec<[u8; 64]>;

/// The addresses of a node.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order of the source; at least one.
    pub addresses: Addresses,
    /// The canonical name.
    pub canonical: NameText,
    /// How many seconds this stays true, where the source says so.
    pub ttl: Option<u32>,
    /// Its other names, each ended by NUL.
    pub aliases: NameText,
}

/// Why a source has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It doesn't know the name.
    NoName,
    /// It knows the name, but no address of the family asked for.
    NoData,
    /// Its servers had trouble that may pass.
    Again,
    /// It says itself that it may know later.
    Later,
    /// It can't be asked: not there, not ours, switched off.
    Unavailable,
    /// Its server sent records of which none answers the question.
    Unrelated,
    /// Its server could make nothing of the question, or the name can't be asked for.
    Refused,
    /// What its servers sent is not what the zone has signed (`dnssec validate`).
    Bogus,
    /// There is no service that could be asked; the `errno` that goes with it.
    NoService(i32),
    /// Memory is exhausted.
    Memory,
    /// A system call failed with this `errno`.
    System(i32),
}

impl Failure {
    /// What nsswitch.conf's `[STATUS=action]` goes by.
    pub fn status(self) -> Status {
        match self {
            Failure::NoName | Failure::NoData | Failure::Unrelated | Failure::Refused => {
                Status::NotFound
            }
            // libc's dns service counts servers that fail or keep silent as not available.
            Failure::Again | Failure::Unavailable | Failure::NoService(_) | Failure::System(_) => {
                Status::Unavailable
            }
            Failure::Bogus | Failure::Later | Failure::Memory => Status::TryAgain,
        }
    }

    /// What the caller is told if nothing else knows the name either.
    pub fn error(self) -> Error {
        match self {
            Failure::NoName | Failure::Unavailable | Failure::Unrelated | Failure::Refused => {
                Error::NoName
            }
            Failure::NoData => Error::NoData,
            Failure::Again | Failure::Later => Error::Again,
            Failure::Bogus => Error::Fail,
            Failure::Memory => Error::Memory,
            Failure::NoService(errno) | Failure::System(errno) => Error::System(errno),
        }
    }
}

impl From<NoMemory> for Failure {
    fn from(_: NoMemory) -> Failure {
        Failure::Memory
    }
}

/// Appends `bytes` to a name's text.
pub fn append_text(out: &mut NameText, bytes: &[u8]) -> Result<(), NoMemory> {
    out.try_reserve(bytes.len()).map_err(|_| NoMemory)?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// Text that is written to.
pub struct Out(pub NameText);

impl core::fmt::Write for Out {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        append_text(&mut self.0, text.as_bytes()).map_err(|_| core::fmt::Error)
    }
}

/// Appends a name and the NUL that ends it in a run of names.
pub fn append_name(run: &mut NameText, name: &[u8]) -> Result<(), NoMemory> {
    append_text(run, name)?;
    append_text(run, b"\0")
}

/// The names of a run.
pub fn names(run: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    run.split(|&b| b == 0).filter(|name| !name.is_empty())
}

/// A name's text ([`Name::text`]).
pub fn text_of(name: &Name) -> Result<NameText, NoMemory> {
    let mut out = NameText::new();
    name.text(&mut |piece| append_text(&mut out, piece))?;
    Ok(out)
}

/// A copy of `bytes` that ends in NUL, for file names.
pub fn c_string(parts: &[&[u8]]) -> Result<Option<std::ffi::CString>, NoMemory> {
    let mut out = Vec::new();
    // Exactly as much: CString::new appends the NUL, and would move what has more room than it needs.
    let len = parts.iter().fold(1, |len, part| part.len().saturating_add(len));
    out.try_reserve_exact(len).map_err(|_| NoMemory)?;
    for part in parts {
        out.extend_from_slice(part);
    }
    Ok(std::ffi::CString::new(out).ok())
}
