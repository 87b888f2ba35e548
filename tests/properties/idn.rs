//! Names in other scripts, beside libidn2, by which libc converts them.
#![cfg(feature = "idn")]
#![allow(unsafe_code, reason = "libidn2 is asked")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rustdns::rules::idn::{to_ascii, to_unicode};

use crate::cases;

/// Letters on which Unicode's versions agree, one of them of two characters, and what is in ASCII.
const LETTERS: &[&str] = &[
    "a", "B", "z", "0", "-", "_", "é", "Ü", "ß", "ø", "e\u{301}", "ñ", "Σ", "ς", "Ж", "ы", "中",
    "例", "か", "ガ",
];

fn name() -> impl Strategy<Value = String> {
    let label = vec(select(LETTERS.to_vec()), 1..9).prop_map(|letters| letters.concat());
    vec(label, 1..4).prop_map(|labels| labels.join("."))
}

/// `idn2_lookup_u8` as glibc calls it: non-transitional, input in normal form C.
fn libidn2(name: &str) -> Option<Result<Vec<u8>, c_int>> {
    type Lookup = unsafe extern "C" fn(*const u8, *mut *mut u8, c_int) -> c_int;
    /// IDN2_NFC_INPUT, IDN2_NONTRANSITIONAL (idn2.h).
    const FLAGS: c_int = 1 | 8;
    let name = CString::new(name).unwrap();
    // SAFETY: the library's function has this type (idn2.h); the name ends in NUL, what comes back
    // does as well, and is malloc's.
    unsafe {
        let library = libc::dlopen(c"libidn2.so.0".as_ptr(), libc::RTLD_NOW);
        let lookup: *mut c_void = if library.is_null() {
            library
        } else {
            libc::dlsym(library, c"idn2_lookup_u8".as_ptr())
        };
        if lookup.is_null() {
            return None;
        }
        let lookup: Lookup = std::mem::transmute(lookup);
        let mut out = std::ptr::null_mut();
        let code = lookup(name.as_ptr().cast(), &raw mut out, FLAGS);
        if code != 0 {
            return Some(Err(code));
        }
        let text = CStr::from_ptr(out.cast::<c_char>()).to_bytes().to_vec();
        libc::free(out.cast());
        Some(Ok(text))
    }
}

/// Would find: another mapping of case or composition, transitional processing (`ß` as `ss`), a
/// label that is refused or let through by another rule.
#[test]
fn as_libidn2_converts_them() {
    if libidn2("a").is_none() {
        // glibc then converts nothing either.
        return;
    }
    proptest::test_runner::TestRunner::new(cases(2000))
        .run(&name(), |name| {
            if name.is_ascii() {
                return Ok(());
            }
            let theirs = libidn2(&name).unwrap().ok();
            let ours = to_ascii(name.as_bytes()).ok().map(Vec::from);
            prop_assert_eq!(
                ours.map(|n| n.escape_ascii().to_string()),
                theirs.map(|n| n.escape_ascii().to_string())
            );
            Ok(())
        })
        .unwrap();
}

proptest! {
    #![proptest_config(cases(2000))]

    /// Would find: an output that is not ASCII, too long, or another name when converted again; an
    /// A-label that does not come back from its own characters.
    #[test]
    fn there_and_back(name in name()) {
        let Ok(ascii) = to_ascii(name.as_bytes()) else { return Ok(()) };
        prop_assert!(ascii.is_ascii() && ascii.len() <= 253);
        prop_assert_eq!(&to_ascii(&ascii).unwrap(), &ascii);
        let unicode = to_unicode(&ascii).unwrap();
        prop_assert!(str::from_utf8(&unicode).is_ok());
        if !unicode.is_ascii() {
            prop_assert_eq!(&to_ascii(&unicode).unwrap(), &ascii);
        }
        // Case makes no other name.
        let upper = to_ascii(name.to_uppercase().as_bytes());
        if name.is_ascii() {
            prop_assert_eq!(&*ascii, name.as_bytes());
        } else if !name.contains(['ß', 'ς', 'Σ']) {
            prop_assert_eq!(upper.unwrap(), ascii);
        }
    }

    /// Would find: a panic on broken UTF-8 or Punycode, or text that grows out of an A-label.
    #[test]
    fn any_octets(name: Vec<u8>, label in "(xn--)?[a-z0-9-]{0,20}") {
        for name in [name, label.into_bytes()] {
            if let Ok(ascii) = to_ascii(&name) {
                prop_assert!(ascii.is_ascii());
            }
            let unicode = to_unicode(&name).unwrap();
            if !name.to_ascii_lowercase().windows(4).any(|four| four == b"xn--") {
                prop_assert_eq!(&*unicode, &*name);
            }
        }
    }
}
