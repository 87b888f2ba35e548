//! What the next library says of a name.

use crate::sys::mem::NoMemory;
use core::net::IpAddr;

/// One thing that it says of a name.
pub enum Told<'a> {
    /// An address, with its scope.
    Address(IpAddr, u32),
    /// The canonical name.
    Name(&'a [u8]),
}

/// Why it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such library, or it doesn't know.
    NoName,
    /// It may know later.
    Again,
    /// Memory is exhausted.
    NoMemory,
    /// Another one of `EAI_*`.
    Code(i32),
}

impl From<NoMemory> for Refusal {
    fn from(_: NoMemory) -> Refusal {
        Refusal::NoMemory
    }
}

/// What is done with what is told.
pub type Tell<'a> = &'a mut dyn FnMut(Told<'_>) -> Result<(), NoMemory>;
