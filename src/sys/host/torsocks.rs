//! torsocks(1), which keeps a program's connections and names within Tor.

use crate::sys::host::calls;

/// True where it is loaded. Nothing may be asked of the network then but by its functions.
pub fn is_here() -> bool {
    // SAFETY: the call has no preconditions.
    unsafe { calls::is_torsocks_here() != 0 }
}
