//! Calls about names and addresses, and about the library itself.

use super::reply::{NONE, Reply, decode, error};
use crate::base::error::Error;
use crate::context::call::Session;
use crate::context::state::{self, State, state};
use crate::observe::counters::Count;
use crate::resolve::forward;
use crate::resolve::nameinfo::{self, SocketName};
use crate::rules::query::{Family, Flags, Hints, SockType};
use crate::sys::mem::NoMemory;
use core::slice;
use std::sync::Mutex;

/// Where the C file puts octets for the next call.
static ROOM: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Prepares a new instance.
#[unsafe(no_mangle)]
extern "C" fn start() {
    // Boxing a function that captures nothing allocates nothing.
    std::panic::set_hook(Box::new(state::trace_panic));
}

/// Room for `len` octets, until the next call of this function; null where there is no memory.
#[unsafe(no_mangle)]
extern "C" fn room(len: usize) -> *mut u8 {
    let Ok(mut room) = ROOM.lock() else { return core::ptr::null_mut() };
    room.clear();
    if room.try_reserve_exact(len).is_err() {
        return core::ptr::null_mut();
    }
    room.resize(len, 0);
    room.as_mut_ptr()
}

/// Octets in the room; `None` where the length says so.
///
/// # Safety
/// They lie in the room, which stays as it is for `'a`.
pub(super) unsafe fn optional<'a>(place: *const u8, len: u32) -> Option<&'a [u8]> {
    // SAFETY: by the function's contract.
    (len != NONE).then(|| unsafe { slice::from_raw_parts(place, len as usize) })
}

/// # Safety
/// As [`optional`]; there are octets.
pub(super) unsafe fn octets<'a>(place: *const u8, len: u32) -> &'a [u8] {
    // SAFETY: by the function's contract.
    unsafe { optional(place, len) }.unwrap_or_default()
}

/// A family as the C file says it.
pub(super) fn family_of(family: u32) -> Family {
    match family {
        4 => Family::V4,
        6 => Family::V6,
        _ => Family::Any,
    }
}

/// `getaddrinfo`. The answer: canonical name, endpoints (type, protocol, port), addresses.
///
/// # Safety
/// Node and service lie in the room.
#[unsafe(no_mangle)]
unsafe extern "C" fn getaddrinfo(
    node: *const u8,
    node_len: u32,
    service: *const u8,
    service_len: u32,
    flags: u32,
    family: u32,
    socktype: u32,
    protocol: i32,
) -> i32 {
    // SAFETY: by the function's contract.
    let (node, service) = unsafe { (optional(node, node_len), optional(service, service_len)) };
    let is = |bit: u32| flags >> bit & 1 != 0;
    let flags = Flags {
        passive: is(0),
        canonname: is(1),
        numeric_host: is(2),
        numeric_serv: is(3),
        v4_mapped: is(4),
        all: is(5),
        addr_config: is(6),
        idn: is(7),
        canon_idn: is(8),
    };
    let hints =
        Hints { flags, family: family_of(family), socktype: socktype_of(socktype), protocol };
    let result = forward::resolve(node, service, &hints).and_then(|found| {
        let mut reply = Reply::default();
        match &found.canonical {
            Some(name) => reply.octets(name)?,
            None => reply.number(NONE)?,
        };
        reply.number(found.endpoints.len() as u32)?; // a handful
        for endpoint in &found.endpoints {
            reply.number(number_of(endpoint.socktype))?.signed(endpoint.protocol)?;
            reply.number(endpoint.port.into())?;
        }
        reply.addresses(&found.addresses)?.leave();
        Ok(())
    });
    returned(result)
}

fn returned(result: Result<(), Error>) -> i32 {
    result.map_or_else(error, |()| 0)
}

fn socktype_of(number: u32) -> SockType {
    match number {
        0 => SockType::Any,
        1 => SockType::Stream,
        2 => SockType::Dgram,
        3 => SockType::Raw,
        4 => SockType::SeqPacket,
        5 => SockType::Dccp,
        _ => SockType::Other,
    }
}

fn number_of(socktype: SockType) -> u32 {
    match socktype {
        SockType::Any | SockType::Other => 0,
        SockType::Stream => 1,
        SockType::Dgram => 2,
        SockType::Raw => 3,
        SockType::SeqPacket => 4,
        SockType::Dccp => 5,
    }
}

/// `getnameinfo` of an address in its form (`is_local`: of a path), for host (bit 0 of `wanted`) and
/// service (bit 1). The answer: the host's and the service's text, each where it was wanted.
///
/// # Safety
/// The address or path lies in the room.
#[unsafe(no_mangle)]
unsafe extern "C" fn getnameinfo(
    place: *const u8,
    len: u32,
    is_local: u32,
    flags: u32,
    wanted: u32,
) -> i32 {
    // SAFETY: by the function's contract.
    let given = unsafe { octets(place, len) };
    let is = |bit: u32| flags >> bit & 1 != 0;
    let flags = nameinfo::Flags {
        numeric_host: is(0),
        numeric_service: is(1),
        no_fqdn: is(2),
        name_required: is(3),
        datagram: is(4),
        idn: is(5),
        numeric_scope: is(6),
    };
    let result = (|| {
        let name = if is_local != 0 {
            SocketName::Local(given)
        } else {
            let (address, port) = decode(given.first_chunk().ok_or(Error::Family)?);
            SocketName::Inet(address, port)
        };
        let session = Session::begin()?;
        let mut reply = Reply::default();
        if wanted & 1 != 0 {
            reply.octets(&nameinfo::host_text(&session, &name, flags)?)?;
        }
        if wanted & 2 != 0 {
            reply.octets(&nameinfo::service_text(&session, &name, flags)?)?;
        }
        reply.leave();
        Ok(())
    })();
    returned(result)
}

/// `rustdns_reload`.
#[unsafe(no_mangle)]
extern "C" fn reload() -> i32 {
    returned(state().and_then(State::reload).map_err(Error::from))
}

/// `rustdns_cache_flush`.
#[unsafe(no_mangle)]
extern "C" fn flush() {
    if let Ok(state) = state() {
        state.flush();
    }
}

/// `rustdns_stats`. The answer: its numbers, in the structure's order.
#[unsafe(no_mangle)]
extern "C" fn statistics() -> i32 {
    let result = state().and_then(|state| {
        let totals = state.counters.totals();
        let mut reply = Reply::default();
        for number in [
            totals.hits(),
            totals.of(Count::Misses),
            totals.of(Count::Evictions),
            totals.of(Count::Entries),
            totals.queries(),
            totals.of(Count::Answers),
            totals.of(Count::Timeouts),
            totals.lookups(),
            totals.of(Count::Failures),
            totals.of(Count::Negative),
            totals.of(Count::Stale),
            totals.of(Count::Coalesced),
            totals.of(Count::Udp),
            totals.of(Count::Tcp),
            totals.of(Count::Dead),
            totals.of(Count::Octets),
        ]
        .into_iter()
        .chain(totals.durations())
        .chain(
            [Count::Private, Count::Secure, Count::Insecure, Count::Bogus]
                .map(|what| totals.of(what)),
        ) {
            reply.number(number as u32)?; // a wasm32 number
        }
        reply.leave();
        Ok(())
    });
    returned(result.map_err(Error::from))
}

/// `__nss_configure_lookup` for the database `hosts`.
///
/// # Safety
/// The line lies in the room.
#[unsafe(no_mangle)]
unsafe extern "C" fn choose_hosts_database(line: *const u8, len: u32) -> i32 {
    // SAFETY: by the function's contract.
    let result: Result<(), NoMemory> = Session::choose_hosts_database(unsafe { octets(line, len) });
    returned(result.map_err(Error::from))
}
