//! Environment variables, read when the state is made and at `res_init`.

use crate::sys::host::calls;
use crate::sys::mem::NoMemory;
use core::ffi::CStr;

/// A copy of the variable's value; `None` where it is not set, or in a setuid or setgid process,
/// where the environment belongs to somebody with less privilege.
pub fn variable(name: &CStr) -> Result<Option<Box<[u8]>>, NoMemory> {
    let name = name.to_bytes();
    let mut value = Vec::new();
    // The second time with enough room; should it have grown between the two, it is left out.
    for _ in 0..2 {
        // SAFETY: both places are valid for their lengths.
        let len =
            unsafe { calls::variable(name.as_ptr(), name.len(), value.as_mut_ptr(), value.len()) };
        let Ok(len) = usize::try_from(len) else { return Ok(None) };
        if len <= value.len() {
            value.truncate(len);
            return Ok(Some(value.into_boxed_slice()));
        }
        value.try_reserve_exact(len).map_err(|_| NoMemory)?;
        value.resize(len, 0);
    }
    Ok(None)
}

/// False: what other threads of the process do is not known here.
pub fn is_settled() -> bool {
    false
}
