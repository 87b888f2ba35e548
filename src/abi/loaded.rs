//! What runs when the library is loaded, or a program that has it in itself starts: [`loading::begin`], where
//! there are settings at all.

use super::guard;
use crate::context::loading;
use crate::sys;

/// Called by the dynamic linker, or by libc's start of a static program.
#[used]
#[unsafe(link_section = ".init_array")]
static LOADED: extern "C" fn() = loaded;

/// Keeps `errno`, which is zero when `main` begins.
extern "C" fn loaded() {
    if sys::environment::may_have_settings() {
        begin();
    } else {
        loading::begin_without_settings();
    }
}

#[cold]
#[inline(never)]
fn begin() {
    guard::run((0, None), || {
        loading::begin();
        (0, None)
    });
}
