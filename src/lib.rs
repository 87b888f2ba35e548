//! rustdns: libc's name resolution, replaced in programs that are already built.
//!
//! The pipeline, from a C call to its answer:
//!
//! ```text
//! abi::guard ─ abi::args ─► resolve / reverse / hostent ─► session: the configuration, as of this call
//!                                │
//!                                ├─ lookup::{numeric, service, search}   rules, pure
//!                                ├─ source::{hosts, local, dns}          answers, in nsswitch's order
//!                                │      └─ cache ─ dns::{exchange, flight, read}
//!                                ├─ order ─ lookup::select               RFC 6724
//!                                ▼
//!                          abi::addrinfo: the caller's list
//! ```
//!
//! `counters` counts what is done, `trace` and `sys::probes` say it. `state` holds what outlives a call, by network
//! namespace and root (`world`): memory that a fork wipes. `sys` is the only way to the system, `abi` the only
//! way to C; `unsafe` stands in these two alone. As WebAssembly, from which portable C is made, `sys::host`
//! and `abi::host` take their places.

#[cfg_attr(target_family = "wasm", path = "abi/host/mod.rs")]
pub mod abi;
pub mod address;
pub mod cache;
pub mod config;
pub mod counters;
pub mod error;
pub mod hostent;
pub mod inherited;
pub mod loading;
pub mod locale;
pub mod lookup;
pub mod mem;
pub mod nameinfo;
pub mod network;
pub mod order;
pub mod recent;
pub mod resolve;
pub mod resolver;
pub mod reverse;
pub mod session;
pub mod source;
pub mod state;
pub mod sys;
pub mod trace;
pub mod walk;
#[cfg(feature = "command")]
#[doc(hidden)]
pub mod witness;
pub mod world;
