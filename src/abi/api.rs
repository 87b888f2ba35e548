//! The library under its own names, for programs that use it beside libc's resolver:
//! `include/rustdns.h` is made from this file (`make header`), comments included.

use super::codes::returned;
use super::guard::guard;
use super::{getaddrinfo, getnameinfo};
use crate::base::error::Error;
use crate::context::state::{State, state};
use crate::observe::counters::{Count, DURATIONS};
use crate::sys::log::{self, Listener};
use core::ffi::{c_char, c_int, c_void};
use core::mem::{offset_of, size_of};
use libc::{addrinfo, sockaddr, socklen_t};

/// Translates `node` and `service` into socket addresses, as getaddrinfo(3) does; `hints` narrows
/// them. On success `*res` is a list for rustdns_freeaddrinfo().
///
/// Returns 0 or an EAI_* code of <netdb.h>; with EAI_SYSTEM, errno says why, else errno is left
/// alone. Thread-safe, not async-signal-safe; works in the child of a threaded process after fork().
/// May block for as long as resolv.conf's `timeout` and `attempts` allow. Acts on a pending thread
/// cancellation at its start.
///
/// # Safety
/// `node` and `service` are null or strings that end in NUL; `hints` is null or valid; `res` is
/// valid for writing a pointer. All stay unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rustdns_getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    res: *mut *mut addrinfo,
) -> c_int {
    guard((libc::EAI_FAIL, None), || {
        // SAFETY: by this function's contract.
        unsafe { getaddrinfo::translate(node, service, hints, res) }
    })
}

/// Translates a socket address of `salen` octets into a host's name in `host` and a service's name
/// in `serv`, as getnameinfo(3) does; each is left out where its pointer is null or its length zero.
///
/// Returns 0 or an EAI_* code: EAI_OVERFLOW where a buffer is too small. errno, threads, signals,
/// fork, time and cancellation as for rustdns_getaddrinfo().
///
/// # Safety
/// `sa` is null or valid for reading `salen` octets; `host` and `serv` are null or valid for writing
/// `hostlen` and `servlen` octets.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rustdns_getnameinfo(
    sa: *const sockaddr,
    salen: socklen_t,
    host: *mut c_char,
    hostlen: socklen_t,
    serv: *mut c_char,
    servlen: socklen_t,
    flags: c_int,
) -> c_int {
    guard((libc::EAI_FAIL, None), || {
        // SAFETY: by this function's contract.
        unsafe { getnameinfo::translate(sa, salen, (host, hostlen), (serv, servlen), flags) }
    })
}

/// Frees a list of rustdns_getaddrinfo() or of libc's getaddrinfo(), or the rest of one. Null is no
/// list. Keeps errno.
///
/// # Safety
/// `list` is null or such a list, and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rustdns_freeaddrinfo(list: *mut addrinfo) {
    // SAFETY: by this function's contract.
    unsafe { getaddrinfo::release(list) };
}

/// The text for an EAI_* code: libc's own, in the program's language. Never null; static.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rustdns_gai_strerror(code: c_int) -> *const c_char {
    // SAFETY: gai_strerror takes any number.
    unsafe { libc::gai_strerror(code) }
}

/// Reads the environment and all configuration files anew, changed or not, and forgets every
/// answer. (A file that changes is noticed without this, after 100 ms.)
///
/// Returns 0, or EAI_MEMORY. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rustdns_reload() -> c_int {
    guard((libc::EAI_FAIL, None), || returned(state().and_then(State::reload).map_err(Error::from)))
}

/// Forgets every answer that is kept. Thread-safe: what another thread is using at this moment may
/// stay.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rustdns_cache_flush() {
    guard((0, None), || {
        if let Ok(state) = state() {
            state.flush();
        }
        (0, None)
    });
}

/// What the library has done in this process: since its first call, or since the fork that made the
/// process.
#[repr(C)]
pub struct Statistics {
    /// The caller sets it to sizeof(struct rustdns_statistics); afterwards it says how many octets
    /// of the structure this library knows. Later versions add members at the end only.
    pub size: usize,
    /// Questions that the cache answered; A and AAAA of a name are two.
    pub cache_hits: usize,
    /// Questions that it could not answer.
    pub cache_misses: usize,
    /// Answers that made room for others before their time.
    pub cache_evictions: usize,
    /// Answers that it holds now.
    pub cache_entries: usize,
    /// Queries sent to name servers, repetitions included.
    pub queries: usize,
    /// Answers that came to them, good or bad.
    pub answers: usize,
    /// Questions that no name server answered in time.
    pub timeouts: usize,
    /// Calls that looked up a name or an address: getaddrinfo(), getnameinfo(), gethostbyname(),
    /// res_query() and their relatives.
    pub lookups: usize,
    /// Those that found nothing, for whatever reason.
    pub failures: usize,
    /// Answers of name servers that deny a name or a record.
    pub negative: usize,
    /// Questions answered from the cache after their time, because no name server answered.
    pub stale: usize,
    /// Lookups that waited for another thread's question instead of asking themselves.
    pub coalesced: usize,
    /// Queries sent by UDP, repetitions included.
    pub queries_udp: usize,
    /// Queries sent by TCP.
    pub queries_tcp: usize,
    /// How often a name server was found dead, and put behind the others.
    pub servers_dead: usize,
    /// The memory that the cache takes, in octets.
    pub cache_octets: usize,
    /// How many lookups took how long: latency[0] of them less than 4 microseconds, latency[i]
    /// less than 4 << i, and the last what is longer. A lookup that repeats one of a moment ago is
    /// in latency[0] without having been measured.
    pub latency: [usize; LATENCIES],
    /// Queries sent over TLS or HTTPS, or by TCP to have the answers' signatures checked.
    pub queries_private: usize,
    /// Answers that `dnssec validate` has found to be what their zones have signed.
    pub secure: usize,
    /// Answers that it has found to be from zones that sign nothing.
    pub insecure: usize,
    /// Answers that it has thrown away.
    pub bogus: usize,
}

/// Classes of latency.
pub const LATENCIES: usize = 24;
const _: () = assert!(LATENCIES == DURATIONS);

/// Fills `*stats`, as many octets of it as its member `size` says (any more than this library knows
/// are set to zero).
///
/// Returns 0, EAI_OVERFLOW where `size` has no room for itself, or EAI_MEMORY. Thread-safe.
///
/// # Safety
/// `stats` points to a structure whose member `size` is set, valid for writing that many octets.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rustdns_stats(stats: *mut Statistics) -> c_int {
    guard((libc::EAI_FAIL, None), || {
        // SAFETY: by this function's contract.
        returned(unsafe { fill(stats) })
    })
}

/// # Safety
/// As [`rustdns_stats`].
unsafe fn fill(stats: *mut Statistics) -> Result<(), Error> {
    // SAFETY: by the function's contract there is a `size`, though perhaps nothing more.
    let room = unsafe { (&raw const (*stats).size).read_unaligned() };
    if room < offset_of!(Statistics, cache_hits) {
        return Err(Error::Overflow);
    }
    let state = state()?;
    let totals = state.counters.totals();
    let now = Statistics {
        size: room.min(size_of::<Statistics>()),
        cache_hits: totals.hits(),
        cache_misses: totals.of(Count::Misses),
        cache_evictions: totals.of(Count::Evictions),
        cache_entries: totals.of(Count::Entries),
        queries: totals.queries(),
        answers: totals.of(Count::Answers),
        timeouts: totals.of(Count::Timeouts),
        lookups: totals.lookups(),
        failures: totals.of(Count::Failures),
        negative: totals.of(Count::Negative),
        stale: totals.of(Count::Stale),
        coalesced: totals.of(Count::Coalesced),
        queries_udp: totals.of(Count::Udp),
        queries_tcp: totals.of(Count::Tcp),
        servers_dead: totals.of(Count::Dead),
        cache_octets: totals.of(Count::Octets),
        latency: totals.durations(),
        queries_private: totals.of(Count::Private),
        secure: totals.of(Count::Secure),
        insecure: totals.of(Count::Insecure),
        bogus: totals.of(Count::Bogus),
    };
    let place = stats.cast::<u8>();
    // SAFETY: the caller's structure has `room` octets, ours has at least `now.size`, and they don't
    // overlap.
    unsafe {
        core::ptr::copy_nonoverlapping((&raw const now).cast::<u8>(), place, now.size);
        core::ptr::write_bytes(place.add(now.size), 0, room - now.size);
    }
    Ok(())
}

/// Receives each line of the trace: `level` 1 is a decision, 2 a query or an answer; `line` ends in NUL
/// without a newline, is valid during the call, and has at most 511 octets.
pub type Log =
    Option<unsafe extern "C-unwind" fn(ctx: *mut c_void, level: c_int, line: *const c_char)>;

/// Has every line of the trace told to `function`, with `ctx`, whatever RUSTDNS_DEBUG says; null ends
/// that. A child made by fork() keeps it.
///
/// It is called on whichever thread makes a lookup, also on several at once, with thread
/// cancellation off; it must return (no exception, no longjmp) and must not call this library. A
/// lookup that is under way may still tell the previous function.
///
/// Returns 0, or EAI_MEMORY.
///
/// # Safety
/// `function` is null, or may be called so with `ctx` until another one is set and for the lookups that
/// were under way then.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rustdns_set_log(function: Log, ctx: *mut c_void) -> c_int {
    guard((libc::EAI_FAIL, None), || {
        // SAFETY: by this function's contract.
        let listener = function.map(|function| unsafe { Listener::new(function, ctx) });
        returned(log::listen(listener).map_err(Error::from))
    })
}

/// The library's version: "0.1.0". Static. RUSTDNS_VERSION is the header's.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rustdns_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
