//! What is asked of the second object, and what it tells: the same where there is none.

use super::contract::MAX_QUESTIONS;
use core::net::SocketAddr;
use core::time::Duration;

/// What is asked of a server.
pub struct Asked<'a> {
    /// Its address.
    pub address: SocketAddr,
    /// All of it, as the setting `upstream` has it; empty: a plain one.
    pub server: &'a [u8],
    /// Certificates that are trusted; empty: the system's.
    pub authorities: &'a [u8],
    /// Trust anchors; empty: the installed ones.
    pub anchors: &'a [u8],
    /// Whether signatures are checked.
    pub validate: bool,
    /// How long it may take.
    pub limit: Duration,
    /// Whole queries; empty ones are not asked.
    pub questions: [&'a [u8]; MAX_QUESTIONS],
}

/// What has become of a question.
pub struct Told {
    /// One of [`kind`](super::contract::kind).
    pub kind: u32,
    /// The answer.
    pub message: Vec<u8>,
    /// All of that as text.
    pub text: Vec<u8>,
}
