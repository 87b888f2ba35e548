//! The debug trace: one line a decision at level 1, each query and answer at level 2. Nothing is
//! printed unless it was asked for, and nothing is allocated to print it. A program may have the
//! lines told to a function of its own (`rustdns_set_log`), whatever else was asked for.

use crate::sys::log::{self, Listener};
use crate::sys::process;
use core::ffi::CStr;
use core::fmt::{self, Write};
use std::ffi::CString;

/// Where lines go.
#[derive(Debug)]
pub enum Sink {
    /// Standard error.
    Stderr,
    /// Appended to a file.
    File(CString),
    /// The system's log.
    Syslog,
}

/// A trace at some level; at level 0 it says nothing.
#[derive(Clone, Copy)]
pub struct Trace<'a> {
    level: u8,
    sink: &'a Sink,
    listener: Option<Listener>,
}

/// The longest line; what is over it is cut.
const LINE: usize = 512;

impl<'a> Trace<'a> {
    /// A trace of lines up to `level` (0, 1 or 2).
    pub fn new(level: u8, sink: &'a Sink) -> Trace<'a> {
        Trace { level, sink, listener: log::listener() }
    }

    /// A trace that says nothing.
    pub const SILENT: Trace<'static> = Trace { level: 0, sink: &Sink::Stderr, listener: None };

    /// Says a decision: `trace.decision(format_args!("…"))`.
    pub fn decision(&self, text: fmt::Arguments<'_>) {
        if self.wants(1) {
            self.write(1, text);
        }
    }

    /// Says what was sent or received.
    pub fn packet(&self, text: fmt::Arguments<'_>) {
        if self.wants(2) {
            self.write(2, text);
        }
    }

    /// True when decisions are said, so that what it takes to say them need not be computed in vain.
    pub fn is_on(&self) -> bool {
        self.wants(1)
    }

    fn wants(&self, level: u8) -> bool {
        self.level >= level || self.listener.is_some()
    }

    #[cold]
    fn write(&self, level: u8, text: fmt::Arguments<'_>) {
        let errno = process::errno();
        if let Some(listener) = &self.listener {
            let mut line = Line::of(text);
            if let Ok(line) = CStr::from_bytes_until_nul(line.ended_by(0)) {
                listener.tell(level, line);
            }
        }
        if self.level >= level {
            let mut line = Line::of(format_args!("rustdns[{}]: {text}", process::id()));
            let line = line.ended_by(b'\n');
            match self.sink {
                Sink::Stderr => log::to_stderr(line),
                Sink::File(path) => log::to_file(path, line),
                Sink::Syslog => log::to_syslog(line),
            }
        }
        process::set_errno(errno);
    }
}

/// A line being put together. Control characters are made visible, so that no name from outside
/// can forge a line or move a terminal's cursor.
struct Line {
    len: usize,
    octets: [u8; LINE],
}

impl Line {
    /// The text, cut where it is longer than a line may be.
    fn of(text: fmt::Arguments<'_>) -> Line {
        let mut line = Line { len: 0, octets: [0; LINE] };
        // A line that is full is cut; that is no error.
        let _ = write!(line, "{text}");
        line
    }

    fn push(&mut self, octet: u8) -> fmt::Result {
        // The last octet is for what ends the line.
        match self.octets.get_mut(..LINE - 1).and_then(|room| room.get_mut(self.len)) {
            Some(place) => *place = octet,
            None => return Err(fmt::Error),
        }
        self.len += 1;
        Ok(())
    }

    fn ended_by(&mut self, end: u8) -> &[u8] {
        if let Some(place) = self.octets.get_mut(self.len) {
            *place = end;
        }
        self.octets.get(..=self.len).unwrap_or_default()
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().try_for_each(|b| self.push(if b < b' ' || b == 0x7f { b'?' } else { b }))
    }
}

/// Octets of any kind as text for the trace: what is not printable ASCII comes out as `\xNN`.
pub struct Text<'a>(pub &'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&b| match b {
            b' '..=b'~' => f.write_char(char::from(b)),
            _ => write!(f, "\\x{b:02x}"),
        })
    }
}
