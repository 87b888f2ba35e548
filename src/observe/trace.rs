//! The debug trace: one line a decision at level 1, each query and answer at level 2. Nothing is
//! printed unless it was asked for, and nothing is allocated to print it. A program may have the
//! lines told to a function of its own (`rustdns_set_log`), whatever else was asked for.

use crate::base::text::Text;
use crate::config::note::Notes;
use crate::config::settings::{Settings, Sink};
use crate::sys::log::{self, Listener};
use crate::sys::{process, time};
use core::ffi::CStr;
use core::fmt::{self, Write};

/// A trace at some level; at level 0 it says nothing.
#[derive(Clone, Copy)]
pub struct Trace<'a> {
    level: u8,
    /// What is put together at all: for the sink, or for a listener, which is told everything.
    heard: u8,
    sink: &'a Sink,
    json: bool,
    listener: Option<Listener>,
}

/// A line of a configuration file.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// The file's path.
    pub file: &'a [u8],
    /// The line's number, from 1; 0 for none in particular.
    pub number: u32,
}

/// The longest line; what is over it is cut.
const LINE: usize = 512;

impl Settings {
    /// The debug trace.
    pub fn trace(&self) -> Trace<'_> {
        Trace::new(self.debug, &self.log, self.json)
    }
}

impl<'a> Trace<'a> {
    /// A trace of lines up to `level` (0, 1 or 2), as text or as JSON.
    pub fn new(level: u8, sink: &'a Sink, json: bool) -> Trace<'a> {
        let listener = log::listener();
        let heard = if listener.is_some() { u8::MAX } else { level };
        Trace { level, heard, sink, json, listener }
    }

    /// A trace that says nothing.
    pub const SILENT: Trace<'static> =
        Trace { level: 0, heard: 0, sink: &Sink::Stderr, json: false, listener: None };

    /// Says a decision: `trace.decision(format_args!("…"))`.
    pub fn decision(&self, text: fmt::Arguments<'_>) {
        if self.wants(1) {
            self.write(1, None, text);
        }
    }

    /// Says a decision that a line of a configuration file is the reason for.
    pub fn remark(&self, line: Line<'_>, text: fmt::Arguments<'_>) {
        if self.wants(1) {
            self.write(1, (line.number > 0).then_some(line), text);
        }
    }

    /// Says what was ignored in a file.
    #[inline(never)]
    pub fn notes(&self, file: &[u8], notes: &Notes) {
        if !self.is_on() {
            return;
        }
        for note in notes.iter() {
            let (what, text) = (note.what, Text(note.excerpt()));
            match note.line {
                0 => self.decision(format_args!("environment: {what}: {text}")),
                number => self.remark(Line { file, number }, format_args!("{what}: {text}")),
            }
        }
        if notes.left_out > 0 {
            self.decision(format_args!("{}: {} remarks more", Text(file), notes.left_out));
        }
    }

    /// Says what was sent or received.
    pub fn packet(&self, text: fmt::Arguments<'_>) {
        if self.wants(2) {
            self.write(2, None, text);
        }
    }

    /// True when decisions are said, so that what it takes to say them need not be computed in vain.
    pub fn is_on(&self) -> bool {
        self.wants(1)
    }

    fn wants(&self, level: u8) -> bool {
        self.heard >= level
    }

    #[cold]
    fn write(&self, level: u8, line: Option<Line<'_>>, text: fmt::Arguments<'_>) {
        let errno = process::errno();
        if let Some(listener) = &self.listener {
            let mut out = Buffer::new();
            out.text(line, text);
            if let Ok(line) = CStr::from_bytes_until_nul(out.ended_by(&[0])) {
                listener.tell(level, line);
            }
        }
        if self.level >= level {
            let mut out = Buffer::new();
            let said = match self.json {
                true => out.json(level, line, text),
                false => {
                    out.put(format_args!("rustdns[{}]: ", process::id()));
                    out.text(line, text);
                    out.ended_by(b"\n")
                }
            };
            match self.sink {
                Sink::Stderr => log::to_stderr(said),
                Sink::File(path) => log::to_file(path, said),
                Sink::Syslog => log::to_syslog(said),
            }
        }
        process::set_errno(errno);
    }
}

/// A line being put together. Control characters are made visible, so that no name from outside
/// can forge a line or move a terminal's cursor.
struct Buffer {
    len: usize,
    /// Quotation marks and backslashes are escaped.
    quotes: bool,
    octets: [u8; LINE],
}

/// What ends a line takes no more than this.
const END: usize = 3;

impl Buffer {
    fn new() -> Buffer {
        Buffer { len: 0, quotes: false, octets: [0; LINE] }
    }

    /// Appends text, cut where the line is longer than one may be.
    fn put(&mut self, text: fmt::Arguments<'_>) {
        // A line that is full is cut; that is no error.
        let _ = self.write_fmt(text);
    }

    fn text(&mut self, line: Option<Line<'_>>, text: fmt::Arguments<'_>) {
        if let Some(Line { file, number }) = line {
            self.put(format_args!("{}:{number}: ", Text(file)));
        }
        self.put(text);
    }

    /// One object a line (RFC 8259): all is ASCII, and so UTF-8.
    fn json(&mut self, level: u8, line: Option<Line<'_>>, text: fmt::Arguments<'_>) -> &[u8] {
        let (now, process, thread) = (time::since_epoch(), process::id(), process::thread_id());
        self.put(format_args!(
            "{{\"time\":{}.{:06},\"process\":{process},\"thread\":{thread},\"level\":{level}",
            now.as_secs(),
            now.subsec_micros(),
        ));
        if let Some(Line { file, number }) = line {
            self.put(format_args!(",\"file\":\""));
            self.quoted(format_args!("{}", Text(file)));
            self.put(format_args!("\",\"line\":{number}"));
        }
        self.put(format_args!(",\"text\":\""));
        self.quoted(text);
        self.ended_by(b"\"}\n")
    }

    fn quoted(&mut self, text: fmt::Arguments<'_>) {
        self.quotes = true;
        self.put(text);
        self.quotes = false;
    }

    /// The whole line with its end.
    fn ended_by(&mut self, end: &[u8]) -> &[u8] {
        for (place, octet) in self.octets.iter_mut().skip(self.len).zip(end) {
            *place = *octet;
        }
        self.octets.get(..self.len + end.len()).unwrap_or_default()
    }
}

impl Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().try_for_each(|octet| {
            let octet = if matches!(octet, b' '..=b'~') { octet } else { b'?' };
            let escaped = [b'\\', octet];
            let is_escaped = self.quotes && matches!(octet, b'"' | b'\\');
            let octets = escaped.get(usize::from(!is_escaped)..).unwrap_or_default();
            let room = self.octets.get_mut(..LINE - END).and_then(|room| room.get_mut(self.len..));
            let room = room.and_then(|room| room.get_mut(..octets.len())).ok_or(fmt::Error)?;
            room.copy_from_slice(octets);
            self.len += octets.len();
            Ok(())
        })
    }
}
