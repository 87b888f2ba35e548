//! Another library in Rust, for tests/archive.rs: threads, formatted text and panics, so that most of std comes along.

use std::ffi::{CStr, c_char, c_int};
use std::panic::{catch_unwind, set_hook};

/// The text's length, found on a thread; 99 for an empty one, by a panic that is caught.
#[no_mangle]
pub extern "C" fn other_length(text: *const c_char) -> c_int {
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    set_hook(Box::new(|_| {}));
    let caught = catch_unwind(|| {
        assert!(!text.is_empty(), "{text}");
        text.len()
    });
    let joined = std::thread::spawn(move || format!("{:?}", caught.unwrap_or(99))).join().unwrap();
    joined.parse().unwrap()
}
