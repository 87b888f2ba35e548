//! torsocks(1): a library that is preloaded to keep a program's connections and names within Tor, by functions
//! of its own in place of libc's. What others ask of the network it doesn't see.

use super::own_object::{are_of_one_object, loader};
use core::ffi::{CStr, c_void};

/// One of its functions, in each version since 2.0.
const OWN: &CStr = c"tsocks_connect_to_tor";

/// True where it is loaded. Nothing may be asked of the network then but by its functions.
pub fn is_here() -> bool {
    !own().is_null()
}

fn own() -> *mut c_void {
    // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, OWN.as_ptr()) }
}

/// The function of this name in the next library in link order, or null. Where torsocks is loaded, before us or behind
/// us, it is torsocks's, or null where that has none.
///
/// libc's is not taken beside torsocks: what libc asks, torsocks doesn't see.
pub(crate) fn next_function(name: &CStr) -> *mut c_void {
    // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
    let function = |handle| unsafe { libc::dlsym(handle, name.as_ptr()) };
    let next = function(libc::RTLD_NEXT);
    let own = own();
    if own.is_null() {
        return next;
    }
    let is_its = |function: &*mut c_void| are_of_one_object(own.addr(), function.addr());
    if is_its(&next) {
        return next;
    }
    // The program's handle, by which the first one in link order is found; RTLD_DEFAULT may begin with us.
    // SAFETY: null names the program.
    let program = loader().map(|open| unsafe { open(core::ptr::null(), libc::RTLD_LAZY) });
    let first = program.filter(|program| !program.is_null()).map(function);
    first.filter(is_its).unwrap_or(core::ptr::null_mut())
}
