//! Environment variables, read when the state is made and at `res_init`, never per lookup: another
//! thread may be in `setenv`, which may free what `getenv` returned.

use crate::mem::{NoMemory, copy};
use core::ffi::CStr;

/// A copy of the variable's value; `None` where it is not set, or in a setuid or setgid process,
/// where the environment belongs to somebody with less privilege.
pub fn variable(name: &CStr) -> Result<Option<Box<[u8]>>, NoMemory> {
    if super::process::is_secure() {
        return Ok(None);
    }
    // SAFETY: `name` ends in NUL.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    if value.is_null() {
        return Ok(None);
    }
    // SAFETY: getenv returns a string that ends in NUL; it is copied before anything else is called.
    copy(unsafe { CStr::from_ptr(value) }.to_bytes()).map(Some)
}
