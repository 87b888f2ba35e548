//! Calls of the resolver(3) family. They go by the state that the C file has at hand, which is filled.

use super::calls::{octets, optional};
use super::reply::{Reply, encode};
use crate::base::address::Address;
use crate::base::error::HostError;
use crate::base::name::Name;
use crate::context::call::Session;
use crate::context::manual::{option, shown_domains};
use crate::resolve::raw::query::{self, Unwritten};
use crate::resolve::raw::{Asked, Failure, Resolver};
use crate::sys::mem::{NoMemory, reserve};
use crate::sys::{errno, res_state};
use core::mem::MaybeUninit;
use core::net::SocketAddr;

#[link(wasm_import_module = "rustdns_sys")]
unsafe extern "C" {
    /// Sets `h_errno`, the thread's and the state's.
    fn h_errno_set(number: i32);
}

/// No message is longer, so no larger buffer makes a difference.
const LONGEST: u32 = 65536;

/// What a call that failed returns.
const FAILED: i32 = -1;

/// Says in `errno`'s place that it is left alone.
const LEFT_ALONE: i32 = i32::MIN;

/// Does a call's work. The answer, of a call that failed too: `errno`, and what of the caller's buffer
/// was written to. Returns the length that is told, or -1.
fn run(
    size: u32,
    work: impl FnOnce(&Resolver<'_>, &mut [MaybeUninit<u8>]) -> Result<usize, Failure>,
) -> i32 {
    let mut room: Vec<MaybeUninit<u8>> = Vec::new();
    let size = size.min(LONGEST) as usize;
    let mut written = 0;
    let result = (|| {
        reserve(&mut room, size)?;
        room.resize(size, MaybeUninit::new(0)); // within the capacity
        let session = Session::begin()?;
        let configured = session.current_upstream()?;
        let upstream = session.upstream_by(res_state::read(), configured)?;
        let resolver = Resolver::new(&session, &upstream);
        let result = session.counted(work(&resolver, &mut room));
        written = resolver.written();
        result
    })();
    let written = room.get(..written).unwrap_or_default();
    // SAFETY: all of the room has a value.
    let written = unsafe { &*(core::ptr::from_ref(written) as *const [u8]) };
    let failure = result.err();
    if let Some(host) = failure.and_then(|failure| failure.host) {
        tell(host);
    }
    let errno = failure.and_then(|failure| failure.errno).unwrap_or(LEFT_ALONE);
    let mut reply = Reply::default();
    if reply.signed(errno).and_then(|reply| reply.octets(written)).is_ok() {
        reply.leave();
    }
    result.map_or(FAILED, |length| length as i32) // at most 65535
}

fn tell(host: HostError) {
    // SAFETY: a plain integer.
    unsafe { h_errno_set(host.number()) };
}

/// `res_query`. This and the following end as [`run`].
///
/// # Safety
/// The name lies in the room.
#[unsafe(no_mangle)]
unsafe extern "C" fn res_query(
    name: *const u8,
    len: u32,
    class: i32,
    qtype: i32,
    size: u32,
) -> i32 {
    // SAFETY: by the function's contract.
    let name = unsafe { octets(name, len) };
    run(size, |resolver, room| resolver.query(name, Asked { class, qtype }, room))
}

/// `res_search`.
///
/// # Safety
/// The name lies in the room.
#[unsafe(no_mangle)]
unsafe extern "C" fn res_search(
    name: *const u8,
    len: u32,
    class: i32,
    qtype: i32,
    size: u32,
) -> i32 {
    // SAFETY: by the function's contract.
    let name = unsafe { octets(name, len) };
    run(size, |resolver, room| {
        tell(HostError::NotFound);
        resolver.search(name, Asked { class, qtype }, room, &mut tell)
    })
}

/// `res_querydomain`.
///
/// # Safety
/// Name and domain lie in the room.
#[unsafe(no_mangle)]
unsafe extern "C" fn res_query_domain(
    name: *const u8,
    len: u32,
    domain: *const u8,
    domain_len: u32,
    class: i32,
    qtype: i32,
    size: u32,
) -> i32 {
    // SAFETY: by the function's contract.
    let (name, domain) = unsafe { (octets(name, len), optional(domain, domain_len)) };
    run(size, |resolver, room| resolver.query_domain(name, domain, Asked { class, qtype }, room))
}

/// `res_send`.
///
/// # Safety
/// The message lies in the room.
#[unsafe(no_mangle)]
unsafe extern "C" fn res_send(message: *const u8, len: u32, size: u32) -> i32 {
    // SAFETY: by the function's contract.
    let message = unsafe { octets(message, len) };
    run(size, |resolver, room| resolver.send(message, room))
}

/// `res_mkquery`.
///
/// # Safety
/// The name lies in the room.
#[unsafe(no_mangle)]
unsafe extern "C" fn res_make_query(
    op: i32,
    name: *const u8,
    len: u32,
    class: i32,
    qtype: i32,
    size: u32,
) -> i32 {
    // SAFETY: by the function's contract.
    let name = Name::from_text(unsafe { octets(name, len) });
    let form = query::Form { op, class, qtype };
    run(size, |resolver, room| {
        let mut written = [0; query::MAX];
        let len = room.len().min(query::MAX);
        let place = written.get_mut(..len).unwrap_or_default();
        let unwritten = |errno| Failure::without_answer(None, errno);
        let length =
            query::write(name, form, resolver.options(), place).map_err(|why| match why {
                Unwritten::NoRoom => unwritten(Some(errno::TOO_LONG)),
                Unwritten::Invalid => unwritten(None),
            })?;
        for (place, &octet) in room.iter_mut().zip(written.get(..length).unwrap_or_default()) {
            place.write(octet);
        }
        resolver.note_written(length);
        Ok(length)
    })
}

/// The configuration that a state is filled from, of files and environment as they are now where
/// `anew` says so. The answer: options of the configuration and by default, ndots, timeout and
/// attempts (each with its default), the servers in their form, domains each ended by NUL, the sort
/// list's pairs.
#[unsafe(no_mangle)]
extern "C" fn res_configuration(anew: u32) -> i32 {
    let result = (|| {
        if anew != 0 {
            Session::begin()?.reload()?;
        }
        let upstream = Session::begin()?.configured_upstream()?;
        let (own, default) = (&upstream.conf.options, crate::config::resolv::Options::default());
        let mut reply = Reply::default();
        reply.number(option::write(own))?.number(option::write(&default))?;
        reply.number(own.ndots.into())?;
        reply.number(own.timeout)?.number(default.timeout)?;
        reply.number(own.attempts)?.number(default.attempts)?;
        let servers = upstream.servers.len().min(crate::config::resolv::MAX_SERVERS);
        reply.number(servers as u32)?;
        for &(server, _) in upstream.servers.iter().take(servers) {
            let scope = if let SocketAddr::V6(server) = server { server.scope_id() } else { 0 };
            let address = Address { ip: server.ip(), scope };
            reply.raw(&encode(address, server.port()))?;
        }
        reply.number(shown_domains(&upstream.conf.search).count() as u32)?;
        for domain in shown_domains(&upstream.conf.search) {
            reply.octets(domain)?;
        }
        reply.number(upstream.conf.sortlist.len() as u32)?;
        for pair in &upstream.conf.sortlist {
            reply.raw(&pair.address.octets())?.raw(&pair.mask.octets())?;
        }
        reply.leave();
        Ok::<(), NoMemory>(())
    })();
    result.map_or(FAILED, |()| 0)
}
