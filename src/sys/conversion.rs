//! Which ways `charset` converts text, and what can go wrong.

use crate::sys::mem::NoMemory;

/// Text could not be converted: it has octets that are no characters, or characters that the
/// target doesn't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvertError {
    /// It can't be converted.
    Unconvertible,
    /// Memory is exhausted.
    NoMemory(NoMemory),
}

/// Which way to convert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the locale's encoding to UTF-8.
    ToUtf8,
    /// From UTF-8 to the locale's encoding.
    FromUtf8,
}
