//! Names and other octets as text.

use super::name::Name;
use crate::sys::mem::NoMemory;
use core::fmt::{self, Write};

/// Text of a name as programs get it; short ones need no allocation.
pub type NameText = smallvec::SmallVec<[u8; 64]>;

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
