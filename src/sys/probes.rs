//! Static probes (USDT) for bpftrace, perf and gdb: one instruction that does nothing each, and a note in
//! the file that says where it stands and where its arguments are. docs/observability.md lists them.
//!
//! On architectures without assembly in stable Rust there are none.

use core::net::IpAddr;
#[cfg(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "arm",
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "loongarch64",
    target_arch = "s390x"
))]
use probe::probe;

#[cfg(not(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "arm",
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "loongarch64",
    target_arch = "s390x"
)))]
macro_rules! probe {
    ($provider:ident, $name:ident $(, $argument:expr)*) => {{
        $(let _ = $argument;)*
    }};
}

/// A lookup begins: of this name, or of this address (4 or 16 octets).
#[inline(never)]
pub fn lookup_start(about: &[u8]) {
    probe!(rustdns, lookup__start, about.as_ptr(), about.len());
}

/// The same for an address, by its octets.
#[inline(never)]
pub fn lookup_start_of(ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => lookup_start(&ip.octets()),
        IpAddr::V6(ip) => lookup_start(&ip.octets()),
    }
}

/// The thread's lookup has ended, with or without an answer.
#[inline(always)]
pub fn lookup_end(is_answered: bool) {
    probe!(rustdns, lookup__end, is_answered);
}

/// A query was sent: its name in wire form (RFC 1035 section 3.1), the record type, which server of
/// the list (from 0), whether by TCP, the id.
#[inline(always)]
pub fn query_sent(name: &[u8], qtype: u16, server: usize, tcp: bool, id: u16) {
    probe!(rustdns, query__sent, name.as_ptr(), name.len(), qtype, server, tcp, id);
}

/// A query was answered: by which server, with which id and response code, after how many microseconds.
#[inline(always)]
pub fn query_answered(server: usize, id: u16, rcode: u8, micros: u32) {
    probe!(rustdns, query__answered, server, id, rcode, micros);
}

/// The cache has answered a question: its name in wire form, the record type.
#[inline(always)]
pub fn cache_hit(name: &[u8], qtype: u16) {
    probe!(rustdns, cache__hit, name.as_ptr(), name.len(), qtype);
}

/// A lookup was answered as one of a moment ago, by its node.
#[inline(always)]
pub fn answered_again(node: &[u8]) {
    probe!(rustdns, answered__again, node.as_ptr(), node.len());
}

/// A server gives no answer and is asked last from now on.
#[inline(always)]
pub fn server_dead(server: usize) {
    probe!(rustdns, server__dead, server);
}
