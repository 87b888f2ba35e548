//! What librustdns.so and librustdns-encrypted.so say to each other. Both are built from this file. Its
//! number is part of the symbol's name, so that two builds fit where their numbers are the same, whatever
//! versions of the package they come from: an upgrade doesn't cut off a process that runs.
//!
//! Whatever changes a structure, or what a function is called for, changes the number.
//!
//! The second object carries one question or two to one server and brings back whole messages. It
//! knows of no search list, no cache and no order of servers: all that is the first one's.

use core::ffi::{CStr, c_void};
use core::sync::atomic::AtomicPtr;

/// The symbol that the object exports: a [`Table`] of this contract, the first.
pub const SYMBOL: &CStr = c"rustdns_encrypted_1";

/// At most so many questions go in one call: A and AAAA of one name.
pub const MAX_QUESTIONS: usize = 2;

/// What an [`Event`] tells.
pub mod kind {
    /// An answer, whose signatures were not looked at.
    pub const ANSWER: u32 = 0;
    /// An answer with a chain of signatures from a trust anchor to it.
    pub const SECURE: u32 = 1;
    /// An answer that is provably from a zone without signatures.
    pub const INSECURE: u32 = 2;
    /// What came is forged, expired or damaged: there is no answer.
    pub const BOGUS: u32 = 3;
    /// Nothing came in time.
    pub const SILENT: u32 = 4;
    /// The server's host refuses, or can't be reached.
    pub const UNREACHABLE: u32 = 5;
    /// The server is not who it should be, has closed the connection, or what came is no answer.
    pub const BROKEN: u32 = 6;
    /// This process can't ask; no fault of the server's.
    pub const LOCAL: u32 = 7;
    /// Nothing has happened: a sign of life, several times a second.
    pub const BEAT: u32 = 8;
}

/// Octets that are borrowed for the time of a call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Octets {
    at: *const u8,
    length: usize,
}

impl Octets {
    /// These octets.
    pub fn of(octets: &[u8]) -> Octets {
        Octets { at: octets.as_ptr(), length: octets.len() }
    }

    /// The octets.
    ///
    /// # Safety
    /// What they were made of is still borrowed, for as long as `'a`.
    pub unsafe fn get<'a>(self) -> &'a [u8] {
        // SAFETY: made of a slice, which by the function's contract is still there.
        unsafe { core::slice::from_raw_parts(self.at, self.length) }
    }
}

/// One exchange with one server.
#[repr(C)]
pub struct Call {
    /// Where the object keeps what outlives a call: memory of this process, which a fork leaves behind.
    pub place: *const AtomicPtr<c_void>,
    /// The server's port.
    pub port: u16,
    /// True: the answer's signatures are checked.
    pub validate: bool,
    /// The zone of a link-local address.
    pub scope: u32,
    /// Milliseconds that this may take.
    pub limit: u32,
    /// The server's address; one of IPv4 stands in its last four octets (RFC 4291 section 2.5.5.2).
    pub address: [u8; 16],
    /// The server as the setting `upstream` has it: its scheme, name and path. Empty: a plain one, which
    /// is asked over TCP.
    pub server: Octets,
    /// The file of certificates that are trusted. Empty: the system's.
    pub authorities: Octets,
    /// The file of trust anchors. Empty: the installed one.
    pub anchors: Octets,
    /// The queries, whole messages; empty ones are not asked.
    pub questions: [Octets; MAX_QUESTIONS],
    /// Told what becomes of them, on the thread that calls.
    pub take: Take,
    /// Passed to `take`.
    pub taker: *mut c_void,
}

/// Takes an event in. False: nobody waits any more, the call is to end.
pub type Take = unsafe extern "C" fn(taker: *mut c_void, event: *const Event) -> bool;

/// The files of the settings, to be read before they are needed.
#[repr(C)]
pub struct Files {
    /// As in a [`Call`].
    pub authorities: Octets,
    /// As in a [`Call`].
    pub anchors: Octets,
    /// Some server is asked in private: the certificates are needed.
    pub private: bool,
    /// Signatures are checked: the anchors are needed.
    pub validate: bool,
}

/// What has become of a question.
#[repr(C)]
pub struct Event {
    /// Index of the question.
    pub question: usize,
    /// One of [`kind`].
    pub kind: u32,
    /// The answer.
    pub message: Octets,
    /// All of that as text, for the trace.
    pub text: Octets,
}

/// What the object exports.
#[repr(C)]
pub struct Table {
    /// Called once, on the thread that has loaded the object and may hold the dynamic linker's lock: what
    /// takes that lock is done now, so that a thread which asks never waits for it.
    pub begin: unsafe extern "C" fn(),
    /// Reads files and keeps what is in them, for this process and its children: they may be out of reach
    /// when it is needed. What can't be read is read again by the call that needs it.
    pub prepare: unsafe extern "C" fn(*const Files),
    /// Asks; each question gets one event that is not [`kind::BEAT`] before this returns, but where
    /// `take` has ended it.
    pub ask: unsafe extern "C" fn(*const Call),
    /// Frees what is kept at a place, which nobody uses any more.
    pub forget: unsafe extern "C" fn(place: *const AtomicPtr<c_void>),
}
