//! What is printed: answers on standard output, troubles on standard error; text that can't move a
//! terminal's cursor, and JSON (RFC 8259).

use std::fmt::{self, Display, Write as _};
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

/// Why there is no answer: the exit status, and a text that says what to do.
#[derive(Debug)]
pub(crate) struct Trouble {
    status: u8,
    text: String,
}

impl Trouble {
    /// All has been said; the exit status alone tells.
    pub(crate) fn silent(status: u8) -> Trouble {
        Trouble { status, text: String::new() }
    }

    /// The name or the address has no answer.
    pub(crate) fn not_found(text: impl Display) -> Trouble {
        Trouble { status: 1, text: text.to_string() }
    }

    /// What was asked for can't be done.
    pub(crate) fn refused(text: impl Display) -> Trouble {
        Trouble { status: 2, text: text.to_string() }
    }

    /// The program is there but can't be executed: 126, as shells have it.
    pub(crate) fn not_executable(text: impl Display) -> Trouble {
        Trouble { status: 126, text: text.to_string() }
    }

    /// The program isn't there: 127, as shells have it.
    pub(crate) fn no_program(text: impl Display) -> Trouble {
        Trouble { status: 127, text: text.to_string() }
    }

    pub(crate) fn say(&self) {
        if !self.text.is_empty() {
            // There is nobody left to tell where standard error is closed.
            let _ = writeln!(io::stderr(), "rustdns: {}", self.text);
        }
    }

    /// What [`Trouble::say`] says.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.status)
    }
}

/// Prints text, which ends its last line itself.
pub(crate) fn print(text: &str) -> Result<(), Trouble> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        // Whoever read it has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Trouble::not_found("")),
        Err(error) => Err(Trouble::refused(format_args!("standard output: {error}"))),
    }
}

/// Octets from outside as one line of text: characters that control a terminal or turn its
/// direction are shown by their number, what isn't UTF-8 as U+FFFD.
pub(crate) struct Shown<'a>(pub(crate) &'a [u8]);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(self.0).chars().try_for_each(|c| match c {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                write!(f, "{}", c.escape_unicode())
            }
            c if c.is_control() => write!(f, "{}", c.escape_unicode()),
            c => f.write_char(c),
        })
    }
}

/// A JSON value.
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(u64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    /// Text out of octets; what isn't UTF-8 comes as U+FFFD.
    pub(crate) fn text(octets: impl AsRef<[u8]>) -> Json {
        Json::Text(String::from_utf8_lossy(octets.as_ref()).into_owned())
    }

    /// Text, or null.
    pub(crate) fn maybe(text: Option<impl AsRef<[u8]>>) -> Json {
        text.map_or(Json::Null, Json::text)
    }

    /// A time in whole microseconds.
    pub(crate) fn micros(time: Duration) -> Json {
        Json::Number(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }

    /// Prints the value on lines of its own.
    pub(crate) fn print(&self) -> Result<(), Trouble> {
        let mut out = String::new();
        self.append(&mut out, 0);
        out.push('\n');
        print(&out)
    }

    fn append(&self, out: &mut String, depth: usize) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(is) => out.push_str(if *is { "true" } else { "false" }),
            Json::Number(number) => out.push_str(&number.to_string()),
            Json::Text(text) => quote(text, out),
            Json::List(list) => {
                items(out, ('[', ']'), depth, list, |item, out| item.append(out, depth + 1));
            }
            Json::Object(members) => {
                items(out, ('{', '}'), depth, members, |(key, value), out| {
                    quote(key, out);
                    out.push_str(": ");
                    value.append(out, depth + 1);
                });
            }
        }
    }
}

fn items<T>(
    out: &mut String,
    (open, close): (char, char),
    depth: usize,
    list: &[T],
    mut each: impl FnMut(&T, &mut String),
) {
    out.push(open);
    for (at, item) in list.iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
        each(item, out);
    }
    if !list.is_empty() {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
    out.push(close);
}

/// A string as JSON has it (RFC 8259 section 7), control characters beyond its rule escaped too.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // None of them needs more than four digits.
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
