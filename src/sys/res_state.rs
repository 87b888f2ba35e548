//! `struct __res_state` (resolv.h): libc's resolver configuration as C programs see and change it, a
//! thread's own (`_res`) or a caller's.

pub use super::plain_state::{INIT, MAX_SERVERS, Plain, SEARCH_ROOM};

use crate::sys::capacity;
use core::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use core::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

/// `MAXRESOLVSORT`.
pub(crate) const SORT_ROOM: usize = 10;
/// What `defdname` has room for.
pub(crate) const NAME_ROOM: usize = 256;

/// `struct __res_state`.
#[repr(C)]
pub struct ResState {
    pub(crate) retrans: c_int,
    pub(crate) retry: c_int,
    pub(crate) options: c_ulong,
    pub(crate) nscount: c_int,
    pub(crate) nsaddr_list: [libc::sockaddr_in; MAX_SERVERS],
    pub(crate) id: u16,
    pub(crate) dnsrch: [*mut c_char; SEARCH_ROOM],
    pub(crate) defdname: [c_char; NAME_ROOM],
    pub(crate) pfcode: c_ulong,
    /// `ndots:4`, `nsort:4`, `ipv6_unavail:1`, from the end that the target's C compiler begins at.
    pub(crate) bits: c_uint,
    pub(crate) sort_list: [SortPair; SORT_ROOM],
    pub(crate) unused_qhook: *mut c_void,
    pub(crate) unused_rhook: *mut c_void,
    pub(crate) res_h_errno: c_int,
    pub(crate) vcsock: c_int,
    pub(crate) flags: c_uint,
    pub(crate) ext: Extension,
}

#[repr(C)]
pub(crate) struct SortPair {
    pub(crate) address: u32,
    pub(crate) mask: u32,
}

/// `_u._ext`. Its union has 4-octet alignment where pointers have, so the pointers decide.
#[repr(C)]
pub(crate) struct Extension {
    pub(crate) nscount: u16,
    pub(crate) nsmap: [u16; MAX_SERVERS],
    pub(crate) nssocks: [c_int; MAX_SERVERS],
    pub(crate) nscount6: u16,
    pub(crate) nsinit: u16,
    pub(crate) nsaddrs: [*mut libc::sockaddr_in6; MAX_SERVERS],
    pub(crate) index: [c_uint; 2],
    /// The union's other member is 52 octets long.
    #[cfg(target_pointer_width = "32")]
    pub(crate) rest: [c_uint; 2],
}

unsafe extern "C" {
    fn __res_state() -> *mut ResState;
}

/// The calling thread's `_res`.
pub(crate) fn of_thread() -> *mut ResState {
    // SAFETY: __res_state has no preconditions; it returns the thread's own, which lives as long as it.
    unsafe { __res_state() }
}

/// True where the calling thread's `_res` has been filled, by us or by the program.
pub fn is_filled() -> bool {
    // SAFETY: the state is this thread's own.
    unsafe { (*of_thread()).is_filled() }
}

/// What the calling thread's `_res` says; `None` where neither we nor the program have filled it. It is
/// good until the program goes on.
pub fn of_this_thread<'a>() -> Option<Plain<'a>> {
    let state = of_thread();
    // SAFETY: `state` is this thread's own, which it can't change before our call has ended; one that is
    // filled has strings and addresses where these belong.
    unsafe { if (*state).is_filled() { read(state) } else { None } }
}

/// Reads what of a state matters to a lookup; always something, with this libc.
///
/// # Safety
/// `state` is valid, its `dnsrch` are null or strings, its `nsaddrs` null or addresses, and all of it
/// stays unchanged for `'a`.
pub(crate) unsafe fn read<'a>(state: *const ResState) -> Option<Plain<'a>> {
    // SAFETY: by the function's contract.
    let state = unsafe { &*state };
    let mut found = Plain {
        // The options are 32 bits on every architecture.
        options: state.options as u32,
        ndots: low_bits(state.bits, 0) as u8,
        timeout: u32::try_from(state.retrans).unwrap_or(0),
        attempts: u32::try_from(state.retry).unwrap_or(0),
        ..Plain::default()
    };
    let count = usize::try_from(state.nscount).unwrap_or(0);
    for (v4, &v6) in state.nsaddr_list.iter().zip(&state.ext.nsaddrs).take(count) {
        // An address that is set beside its place in the list: IPv6, where the list has no family.
        let server = if c_int::from(v4.sin_family) == libc::AF_INET {
            let ip = u32::from_be(v4.sin_addr.s_addr).into();
            SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)))
        } else if v4.sin_family == 0 && !v6.is_null() {
            // SAFETY: by the function's contract it points to an address.
            let v6 = unsafe { v6.read_unaligned() };
            let (ip, port) = (v6.sin6_addr.s6_addr.into(), u16::from_be(v6.sin6_port));
            SocketAddr::V6(SocketAddrV6::new(ip, port, 0, v6.sin6_scope_id))
        } else {
            continue;
        };
        // At most three: as many as there is room for.
        capacity::push(&mut found.servers, server);
    }
    for &domain in state.dnsrch.iter().take_while(|domain| !domain.is_null()) {
        // SAFETY: by the function's contract it is a string.
        let domain = unsafe { CStr::from_ptr(domain) };
        // At most seven: as many as there is room for.
        capacity::push(&mut found.search, domain.to_bytes());
    }
    Some(found)
}

/// The `index`th four of the bit-fields.
fn low_bits(bits: c_uint, index: u32) -> c_uint {
    if cfg!(target_endian = "little") {
        bits >> (4 * index) & 15
    } else {
        bits >> (28 - 4 * index) & 15
    }
}

impl ResState {
    /// Whether it has been filled (`RES_INIT`).
    pub(crate) fn is_filled(&self) -> bool {
        self.options & c_ulong::from(INIT) != 0
    }
}
