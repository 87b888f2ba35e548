//! The locale's character encoding: what AI_IDN's node is in, and what AI_CANONIDN's name comes out in.

use super::conversion::{ConvertError, Direction};
use crate::sys::mem::NoMemory;
use core::ffi::{CStr, c_char};

/// Takes the locale's encoding from the environment, as programs do at their start: not in a library,
/// whose process has a locale already.
#[cfg(feature = "command")]
pub fn take_from_environment() {
    // SAFETY: the name ends in NUL; the command has no other thread.
    unsafe { libc::setlocale(libc::LC_CTYPE, c"".as_ptr()) };
}

/// True where the locale's encoding is UTF-8.
#[cfg(feature = "command")]
pub fn is_utf8() -> bool {
    // SAFETY: as below; the command doesn't change its locale.
    unsafe { CStr::from_ptr(libc::nl_langinfo(libc::CODESET)) }.to_bytes() == b"UTF-8"
}

/// Converts `text`. `None` where the locale's encoding is UTF-8 already.
///
/// Calls libc's `iconv(3)`, which may load a conversion module of libc's own.
pub fn convert(text: &[u8], direction: Direction) -> Result<Option<Vec<u8>>, ConvertError> {
    // SAFETY: nl_langinfo returns a string that ends in NUL; another thread's setlocale could change
    // it, which POSIX forbids while other threads use the locale.
    let codeset = unsafe { CStr::from_ptr(libc::nl_langinfo(libc::CODESET)) };
    if codeset.to_bytes().eq_ignore_ascii_case(b"UTF-8") {
        return Ok(None);
    }
    let (to, from) = match direction {
        Direction::ToUtf8 => (c"UTF-8", codeset),
        Direction::FromUtf8 => (codeset, c"UTF-8"),
    };
    // SAFETY: both names end in NUL.
    let converter = unsafe { libc::iconv_open(to.as_ptr(), from.as_ptr()) };
    if converter.addr() == usize::MAX {
        return Err(match super::process::errno() {
            libc::ENOMEM => ConvertError::NoMemory(NoMemory),
            _ => ConvertError::Unconvertible,
        });
    }
    let converted = run(converter, text);
    // SAFETY: opened above, and not used again.
    unsafe { libc::iconv_close(converter) };
    converted.map(Some)
}

fn run(converter: libc::iconv_t, text: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut out = Vec::new();
    // No encoding that a locale may have takes more than four octets for one of another's.
    let room = text.len().saturating_mul(4).saturating_add(8);
    out.try_reserve_exact(room).map_err(|_| ConvertError::NoMemory(NoMemory))?;
    out.resize(room, 0u8);
    let mut source: *mut c_char = text.as_ptr().cast_mut().cast();
    let mut target: *mut c_char = out.as_mut_ptr().cast();
    let (mut unread, mut unwritten) = (text.len(), room);
    // SAFETY: both pointers are valid for the lengths beside them; iconv doesn't write to its source.
    let result = unsafe {
        libc::iconv(
            converter,
            &raw mut source,
            &raw mut unread,
            &raw mut target,
            &raw mut unwritten,
        )
    };
    // Anything but zero: an error, or characters that were replaced.
    if result != 0 || unread != 0 {
        return Err(ConvertError::Unconvertible);
    }
    out.truncate(room - unwritten);
    Ok(out)
}
