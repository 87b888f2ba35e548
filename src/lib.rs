//! rustdns: libc's name resolution, replaced in programs that are already built.
//!
//! The rooms, from a C call to its answer. A room names those below it and none above (`make lint` reads the imports):
//!
//! | room | what may be in it |
//! |---|---|
//! | `abi` | C in, C out: arguments become a question, answers become libc's structures, errors its codes |
//! | `resolve` | what programs ask, each from question to answer: nsswitch's order, search lists, address order |
//! | `source` | where answers come from, a service each: files, this host, mDNS, systemd-resolved, the DNS |
//! | `context` | what a call works with: the process's state, its worlds, one call's view |
//! | `observe` | what is said of a lookup: counters, the debug trace, what the command shows |
//! | `cache` | what was learned and is still true: answers, orders, health; memory alone |
//! | `rules` | pure rules: numeric names, services, search lists, IDNA, RFC 6724 |
//! | `config` | configuration files and settings, parsed and followed |
//! | `base` | plain data: addresses, names, answers, why there is none |
//! | `sys` | the only way to the system, and to memory that may run out |
//!
//! `unsafe` stands in `sys` and `abi` alone. As WebAssembly, from which portable C is made, `sys::host` and
//! `abi::host` take their places.

#[cfg_attr(target_family = "wasm", path = "abi/host/mod.rs")]
pub mod abi;
pub mod base;
pub mod cache;
pub mod config;
pub mod context;
pub mod observe;
pub mod resolve;
pub mod rules;
pub mod source;
pub mod sys;
