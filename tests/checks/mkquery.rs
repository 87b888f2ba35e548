//! `res_mkquery`, beside libc's.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::OnceLock;

use rustdns::abi::resolver::res_mkquery;

/// An octet that no query of ours has behind its end.
const GUARD: u8 = 0xa5;
const ROOM: usize = 400;

type MakeQuery = unsafe extern "C" fn(
    c_int,
    *const c_char,
    c_int,
    c_int,
    *const u8,
    c_int,
    *const u8,
    *mut u8,
    c_int,
) -> c_int;

/// libc's own function: in a program that is linked with the library its name is ours.
fn libcs() -> MakeQuery {
    static FOUND: OnceLock<usize> = OnceLock::new();
    let place = *FOUND.get_or_init(|| {
        let own: [&CStr; 2] = [c"libc.so.6", c"libresolv.so.2"];
        let names: [&CStr; 2] = [c"res_mkquery", c"__res_mkquery"];
        let find = |library: &CStr, name: &CStr| -> *mut c_void {
            // SAFETY: both libraries are part of libc, and stay loaded.
            unsafe {
                let library = libc::dlopen(library.as_ptr(), libc::RTLD_NOW);
                if library.is_null() { library } else { libc::dlsym(library, name.as_ptr()) }
            }
        };
        let mut found = own.iter().flat_map(|o| names.iter().map(move |n| find(o, n)));
        found.find(|place| !place.is_null()).expect("libc has res_mkquery").expose_provenance()
    });
    // SAFETY: the place of libc's function of that name, which has this type (resolv.h).
    unsafe { std::mem::transmute(std::ptr::with_exposed_provenance::<c_void>(place)) }
}

/// The first octets choose opcode, class, type and the buffer's size, the rest is the name. The query
/// is libc's, but for its id; nothing behind the buffer's end is touched.
///
/// Would find: a size that is checked too late, a type cut to 16 bits instead of refused, a name
/// written differently.
pub fn check(input: &[u8]) {
    let Some((head, name)) = input.split_first_chunk::<6>() else { return };
    let Ok(name) = CString::new(name) else { return };
    super::calls::use_fixture();
    let [op, class, kind, high, size, more] = *head;
    let op = c_int::from(op % 8);
    let wide = |low: u8, bits: u8| match bits & 3 {
        0 | 1 => c_int::from(low),
        2 => c_int::from(low) << 8 | 1,
        _ => (c_int::from(low) << 9) - 1000,
    };
    let (class, kind) = (wide(class, high), wide(kind, high >> 2));
    let size = usize::from(size) + 100 * usize::from(more % 3);
    let call = |make: MakeQuery| {
        let mut out = [GUARD; ROOM + 300];
        // SAFETY: the name ends in NUL, `out` has more than `size` octets, null is allowed.
        let length = unsafe {
            let size = c_int::try_from(size).unwrap();
            let null = std::ptr::null();
            make(op, name.as_ptr(), class, kind, null, 0, null, out.as_mut_ptr(), size)
        };
        assert!(out[size..].iter().all(|&b| b == GUARD), "wrote beyond {size} octets");
        // AD is by resolv.conf's trust-ad, and libc reads the machine's own file.
        out[3] &= !0x20;
        // What is left of a query that can't be written is of no use. The id is random.
        let written = usize::try_from(length).map_or(0..0, |length| 2..length);
        (length, out[written].to_vec())
    };
    let ours: MakeQuery = {
        unsafe extern "C" fn ours(
            op: c_int,
            name: *const c_char,
            class: c_int,
            kind: c_int,
            data: *const u8,
            length: c_int,
            newrr: *const u8,
            out: *mut u8,
            size: c_int,
        ) -> c_int {
            // SAFETY: by the contract that both functions share.
            unsafe { res_mkquery(op, name, class, kind, data, length, newrr, out, size) }
        }
        ours
    };
    assert_eq!(call(ours), call(libcs()), "{op} {class} {kind} {size} {name:?}");
}
