//! The system, behind a narrow seam: sockets, waiting, the clock, random octets, files, interfaces,
//! the environment, and memory that a fork wipes. Everything above is safe code without libc's types,
//! so that the same core can be built where only a C compiler exists: as WebAssembly, each of these
//! modules asks a C file instead (`host`, docs/portable-c.md).

#![allow(unsafe_code)]

pub mod addresses;
pub mod atomic;
#[cfg_attr(target_family = "wasm", path = "host/under_way.rs")]
pub mod calls;
#[cfg(not(target_family = "wasm"))]
pub mod cancelled;
pub mod capacity;
#[cfg_attr(target_family = "wasm", path = "host/charset.rs")]
pub mod charset;
mod clock;
mod content;
pub mod conversion;
#[cfg_attr(target_family = "wasm", path = "host/encrypted.rs")]
pub mod encrypted;
#[cfg_attr(target_family = "wasm", path = "host/environment.rs")]
pub mod environment;
#[cfg_attr(target_family = "wasm", path = "host/errno.rs")]
pub mod errno;
#[cfg_attr(target_family = "wasm", path = "host/files.rs")]
pub mod files;
#[cfg_attr(target_family = "wasm", path = "host/fork_local.rs")]
pub mod fork_local;
mod freedom;
#[cfg_attr(target_family = "wasm", path = "host/futex.rs")]
pub mod futex;
#[cfg(target_family = "wasm")]
pub mod host;
#[cfg_attr(target_family = "wasm", path = "host/inherited.rs")]
pub mod inherited;
#[cfg_attr(target_family = "wasm", path = "host/interfaces.rs")]
pub mod interfaces;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod kernel;
pub mod lock;
#[cfg_attr(target_family = "wasm", path = "host/log.rs")]
pub mod log;
pub mod mem;
#[cfg(not(target_family = "wasm"))]
pub mod monitor;
#[cfg_attr(target_family = "wasm", path = "host/namespaces.rs")]
pub mod namespaces;
pub mod netlink;
#[cfg_attr(target_family = "wasm", path = "host/next_library.rs")]
pub mod next_library;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod own_object;
#[cfg_attr(target_family = "wasm", path = "host/pages.rs")]
pub mod pages;
mod plain_state;
pub mod probes;
#[cfg_attr(target_family = "wasm", path = "host/process.rs")]
pub mod process;
#[cfg_attr(target_family = "wasm", path = "host/published.rs")]
pub mod published;
mod received;
#[cfg_attr(target_family = "wasm", path = "host/res_state.rs")]
#[cfg_attr(not(any(target_env = "gnu", target_family = "wasm")), path = "res_state_none.rs")]
pub mod res_state;
pub mod routes;
#[cfg_attr(target_family = "wasm", path = "host/routing_socket.rs")]
mod routing_socket;
pub mod set_once;
pub mod shared;
#[cfg_attr(target_family = "wasm", path = "host/socket.rs")]
pub mod socket;
pub mod surroundings;
pub mod tailed;
#[cfg(feature = "command")]
pub mod terminal;
#[cfg(not(target_family = "wasm"))]
pub mod thread;
#[cfg_attr(target_family = "wasm", path = "host/time.rs")]
pub mod time;
pub mod told;
#[cfg_attr(target_family = "wasm", path = "host/torsocks.rs")]
pub mod torsocks;
#[cfg(feature = "command")]
pub mod tty;
pub mod udp;

/// A failed system call, sorted by what the pipeline does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing to read or no room to write now.
    WouldBlock,
    /// The peer's host says that nobody listens there.
    Refused,
    /// No route to the peer, or this address family is not configured.
    Unreachable,
    /// The file, or a folder on its way, is not there.
    Missing,
    /// Descriptors, buffers or memory are exhausted; the `errno`.
    Exhausted(i32),
    /// Anything else; the `errno`.
    Other(i32),
}

impl Fault {
    /// The `errno` value behind it, for `EAI_SYSTEM` and the trace.
    pub fn errno(self) -> i32 {
        match self {
            Fault::WouldBlock => errno::AGAIN,
            Fault::Refused => errno::REFUSED,
            Fault::Unreachable => errno::UNREACHABLE,
            Fault::Missing => errno::NO_ENTRY,
            Fault::Exhausted(errno) | Fault::Other(errno) => errno,
        }
    }
}
