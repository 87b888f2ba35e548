//! `struct __res_state` (resolv.h): libc's resolver configuration as C programs see and change it, a
//! thread's own (`_res`) or a caller's.
//!
//! We fill it from our configuration, and read it to learn what a program has changed since. What is being
//! filled is not read: a caller's is what its stack held before, or a copy of another.

use super::res_addresses as addresses;
use crate::config::resolv::{MAX_SERVERS, Options};
use crate::resolver::manual::{Manual, SEARCH_ROOM, option, shown_domains};
use crate::state::Upstream;
use crate::sys::{process, room};
use core::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use core::mem::MaybeUninit;
use core::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use core::ptr::null_mut;

const SORT_ROOM: usize = 10;
const NAME_ROOM: usize = 256;

/// `struct __res_state`.
#[repr(C)]
pub struct ResState {
    pub(super) retrans: c_int,
    pub(super) retry: c_int,
    pub(super) options: c_ulong,
    pub(super) nscount: c_int,
    pub(super) nsaddr_list: [libc::sockaddr_in; MAX_SERVERS],
    pub(super) id: u16,
    pub(super) dnsrch: [*mut c_char; SEARCH_ROOM],
    pub(super) defdname: [c_char; NAME_ROOM],
    pub(super) pfcode: c_ulong,
    /// `ndots:4`, `nsort:4`, `ipv6_unavail:1`, from the end that the target's C compiler begins at.
    pub(super) bits: c_uint,
    pub(super) sort_list: [SortPair; SORT_ROOM],
    pub(super) unused_qhook: *mut c_void,
    pub(super) unused_rhook: *mut c_void,
    pub(super) res_h_errno: c_int,
    pub(super) vcsock: c_int,
    pub(super) flags: c_uint,
    pub(super) ext: Extension,
}

#[repr(C)]
pub(super) struct SortPair {
    pub(super) address: u32,
    pub(super) mask: u32,
}

/// `_u._ext`. Its union has 4-octet alignment where pointers have, so the pointers decide.
#[repr(C)]
pub(super) struct Extension {
    pub(super) nscount: u16,
    pub(super) nsmap: [u16; MAX_SERVERS],
    pub(super) nssocks: [c_int; MAX_SERVERS],
    pub(super) nscount6: u16,
    pub(super) nsinit: u16,
    pub(super) nsaddrs: [*mut libc::sockaddr_in6; MAX_SERVERS],
    pub(super) index: [c_uint; 2],
    /// The union's other member is 52 octets long.
    #[cfg(target_pointer_width = "32")]
    pub(super) rest: [c_uint; 2],
}

unsafe extern "C" {
    fn __res_state() -> *mut ResState;
}

/// The calling thread's `_res`.
pub(super) fn of_thread() -> *mut ResState {
    // SAFETY: __res_state has no preconditions; it returns the thread's own, which lives as long as it.
    unsafe { __res_state() }
}

/// True where the calling thread's `_res` has been filled, by us or by the program.
pub fn has_manual() -> bool {
    // SAFETY: the state is this thread's own.
    unsafe { (*of_thread()).is_filled() }
}

/// What the calling thread's `_res` says; `None` where neither we nor the program have filled it. It is
/// good until the program goes on.
pub fn manual_of_thread<'a>() -> Option<Manual<'a>> {
    let state = of_thread();
    // SAFETY: `state` is this thread's own, which it can't change before our call has ended; one that is
    // filled has strings and addresses where these belong.
    unsafe { if (*state).is_filled() { manual(state) } else { None } }
}

/// Reads what of a state matters to a lookup; always something, with this libc.
///
/// # Safety
/// `state` is valid, its `dnsrch` are null or strings, its `nsaddrs` null or addresses, and all of it
/// stays unchanged for `'a`.
pub(super) unsafe fn manual<'a>(state: *const ResState) -> Option<Manual<'a>> {
    // SAFETY: by the function's contract.
    let state = unsafe { &*state };
    // The options are 32 bits on every architecture.
    let mut options = option::read(state.options as u32);
    options.ndots = low_bits(state.bits, 0) as u8;
    options.timeout = u32::try_from(state.retrans).unwrap_or(0);
    options.attempts = u32::try_from(state.retry).unwrap_or(0);
    let mut found = Manual { options, servers: Default::default(), search: Default::default() };
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
        room::push(&mut found.servers, server);
    }
    for &domain in state.dnsrch.iter().take_while(|domain| !domain.is_null()) {
        // SAFETY: by the function's contract it is a string.
        let domain = unsafe { CStr::from_ptr(domain) };
        // At most seven: as many as there is room for.
        room::push(&mut found.search, domain.to_bytes());
    }
    Some(found)
}

/// Fills a state as libc's `res_init` (`keep`: what the program has set before) or `res_ninit` does. Without
/// `keep` nothing is read that it holds.
///
/// # Safety
/// `state` is valid, with `keep` the thread's own.
pub(super) unsafe fn fill(state: *mut ResState, upstream: &Upstream, keep: bool) {
    let is_threads = state == of_thread();
    // SAFETY: by the function's contract.
    let state = unsafe { &mut *state };
    let conf = &upstream.conf;
    let default = Options::default();
    let kept = |own: u32, default: u32, set: c_int| {
        if keep && own == default && set != 0 { set } else { own as c_int }
    };
    state.retrans = kept(conf.options.timeout, default.timeout, state.retrans);
    state.retry = kept(conf.options.attempts, default.attempts, state.retry);
    let own = c_ulong::from(option::write(&conf.options));
    let defaults = c_ulong::from(option::write(&default));
    state.options = match keep && state.is_filled() {
        // What the program has switched off stays off.
        true => state.options | own & !defaults,
        false => own | c_ulong::from(option::INIT),
    };
    if keep && state.id == 0 {
        // Where a program's own queries begin to count; ours have random ones.
        state.id = process::seed() as u16;
    }
    (state.pfcode, state.flags, state.vcsock) = (0, 0, -1);
    (state.unused_qhook, state.unused_rhook) = (null_mut(), null_mut());
    fill_servers(state, upstream, is_threads);
    fill_search(state, &conf.search);
    let sorted = conf.sortlist.len().min(SORT_ROOM);
    for (place, pair) in state.sort_list.iter_mut().zip(&conf.sortlist) {
        place.address = u32::from_ne_bytes(pair.address.octets());
        place.mask = u32::from_ne_bytes(pair.mask.octets());
    }
    state.bits = place_bits(conf.options.ndots.into(), 0) | place_bits(sorted as c_uint, 1);
}

fn fill_servers(state: &mut ResState, upstream: &Upstream, is_threads: bool) {
    let before = state.ext.nsaddrs;
    // SAFETY: integers and pointers, for which zero is a value.
    (state.nsaddr_list, state.ext) = unsafe { MaybeUninit::zeroed().assume_init() };
    let ext = &mut state.ext;
    let places = state.nsaddr_list.iter_mut().zip(&mut ext.nsaddrs).zip(&mut ext.nssocks);
    state.nscount = 0;
    for (&(server, _), ((v4, v6), socket)) in upstream.servers.iter().zip(places) {
        match server.ip() {
            IpAddr::V4(ip) => {
                v4.sin_family = libc::AF_INET as libc::sa_family_t;
                v4.sin_port = server.port().to_be();
                v4.sin_addr.s_addr = u32::from_ne_bytes(ip.octets());
            }
            IpAddr::V6(ip) => {
                let mut address = address_of(ip);
                address.sin6_port = server.port().to_be();
                if let SocketAddr::V6(server) = server {
                    address.sin6_scope_id = server.scope_id();
                }
                let at = state.nscount as usize;
                *v6 = match is_threads {
                    true => addresses::own::place(at, before.get(at).copied(), address),
                    false => addresses::kept::place(address),
                };
                if v6.is_null() {
                    return;
                }
            }
        }
        *socket = -1;
        state.nscount += 1;
    }
}

fn address_of(ip: core::net::Ipv6Addr) -> libc::sockaddr_in6 {
    // SAFETY: plain data, for which zero is a value.
    let mut address: libc::sockaddr_in6 = unsafe { MaybeUninit::zeroed().assume_init() };
    address.sin6_family = libc::AF_INET6 as libc::sa_family_t;
    address.sin6_addr.s6_addr = ip.octets();
    address
}

/// The domains stand one after the other in `defdname`, whose beginning so is the first of them.
fn fill_search(state: &mut ResState, domains: &[Box<[u8]>]) {
    state.dnsrch = [null_mut(); SEARCH_ROOM];
    state.defdname = [0; NAME_ROOM];
    let mut rest = &mut state.defdname[..];
    for (domain, pointer) in shown_domains(domains).zip(&mut state.dnsrch) {
        let Some((room, after)) = rest.split_at_mut_checked(domain.len() + 1) else { return };
        *pointer = room.as_mut_ptr();
        for (place, &octet) in room.iter_mut().zip(domain) {
            *place = octet as c_char;
        }
        rest = after;
    }
}

/// The `index`th four of the bit-fields.
fn low_bits(bits: c_uint, index: u32) -> c_uint {
    if cfg!(target_endian = "little") {
        bits >> (4 * index) & 15
    } else {
        bits >> (28 - 4 * index) & 15
    }
}

fn place_bits(value: c_uint, index: u32) -> c_uint {
    if cfg!(target_endian = "little") { value << (4 * index) } else { value << (28 - 4 * index) }
}

impl ResState {
    /// Whether it has been filled (`RES_INIT`).
    fn is_filled(&self) -> bool {
        self.options & c_ulong::from(option::INIT) != 0
    }
}

/// Fills a state that has not been filled.
///
/// # Safety
/// `state` is valid.
pub(super) unsafe fn fill_once(state: *mut ResState, upstream: &Upstream) {
    // SAFETY: by the function's contract; one that isn't filled needs no closing.
    unsafe {
        if !(*state).is_filled() {
            fill(state, upstream, false);
        }
    }
}

/// Sets the id of the last query, as its two octets stand in the message.
///
/// # Safety
/// `state` is valid.
pub(super) unsafe fn set_id(state: *mut ResState, id: [u8; 2]) {
    // SAFETY: by the function's contract.
    unsafe { (*state).id = u16::from_ne_bytes(id) };
}

/// Sets the state's own `h_errno`.
///
/// # Safety
/// `state` is valid.
pub(super) unsafe fn set_h_errno(state: *mut ResState, h_errno: c_int) {
    // SAFETY: by the function's contract.
    unsafe { (*state).res_h_errno = h_errno };
}
