//! The locale's character encoding: what AI_IDN's node is in, and what AI_CANONIDN's name comes out in.

use crate::sys::conversion::{ConvertError, Direction};
use crate::sys::host::calls;
use crate::sys::mem::NoMemory;

/// Converts `text`. `None` where the locale's encoding is UTF-8 already.
pub fn convert(text: &[u8], direction: Direction) -> Result<Option<Vec<u8>>, ConvertError> {
    const IS_UTF8: i32 = -2;
    const NO_MEMORY: i32 = -3;
    let mut out = Vec::new();
    // No encoding that a locale may have takes more than four octets for one of another's.
    let room = text.len().saturating_mul(4).saturating_add(8);
    out.try_reserve_exact(room).map_err(|_| ConvertError::NoMemory(NoMemory))?;
    out.resize(room, 0u8);
    // SAFETY: both are valid for their lengths.
    let len = unsafe {
        calls::convert(direction as i32, text.as_ptr(), text.len(), out.as_mut_ptr(), room)
    };
    if len == IS_UTF8 {
        return Ok(None);
    }
    if len == NO_MEMORY {
        return Err(ConvertError::NoMemory(NoMemory));
    }
    out.truncate(usize::try_from(len).map_err(|_| ConvertError::Unconvertible)?);
    Ok(Some(out))
}
