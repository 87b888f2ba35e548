//! `struct __res_state` (resolv.h) as we fill it from our configuration. What is being filled is not read: a
//! caller's is what its stack held before, or a copy of another.

use super::res_addresses as addresses;
use crate::config::resolv::Options;
use crate::context::manual::{option, shown_domains};
use crate::context::state::Upstream;
use crate::sys::process;
use crate::sys::res_state::{NAME_ROOM, ResState, SEARCH_ROOM, SORT_ROOM, of_thread};
use core::ffi::{c_char, c_int, c_uint, c_ulong};
use core::mem::MaybeUninit;
use core::net::{IpAddr, SocketAddr};
use core::ptr::null_mut;

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

fn place_bits(value: c_uint, index: u32) -> c_uint {
    if cfg!(target_endian = "little") { value << (4 * index) } else { value << (28 - 4 * index) }
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
