//! Colours and lines, where they can be seen.

use std::fmt::Display;
use std::io::{self, IsTerminal};

/// How much standard output can show.
#[derive(Clone, Copy)]
pub(crate) struct Paint {
    colours: bool,
    unicode: bool,
}

/// An SGR parameter of ECMA-48.
#[derive(Clone, Copy)]
pub(crate) enum Colour {
    Bold = 1,
    Red = 31,
    Green = 32,
    Yellow = 33,
    Blue = 34,
}

impl Paint {
    /// Colours on a terminal that has them, unless NO_COLOR (no-color.org) is set; characters beyond
    /// ASCII where the locale has them.
    #[allow(clippy::disallowed_methods, reason = "the command sets no variables")]
    pub(crate) fn of_stdout() -> Paint {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let colours = io::stdout().is_terminal() && !set("NO_COLOR") && !dumb;
        Paint { colours, unicode: rustdns::sys::charset::is_utf8() }
    }

    /// The text in a colour.
    pub(crate) fn colour(self, colour: Colour, text: impl Display) -> String {
        if self.colours { format!("\x1b[{}m{text}\x1b[0m", colour as u8) } else { text.to_string() }
    }

    /// `fancy` where it can be shown, else `plain`.
    pub(crate) fn character(self, fancy: &'static str, plain: &'static str) -> &'static str {
        if self.unicode { fancy } else { plain }
    }
}
