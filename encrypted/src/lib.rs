//! librustdns-encrypted.so: DNS over TLS and over HTTPS, and the validation of DNSSEC, for librustdns.so,
//! which loads it where they are configured.
//!
//! One call carries one or two questions to one server:
//!
//! ```text
//! ask (C) ─ call: what is asked ─► exchange: a runtime for this call
//!                                      ├─ connection: TCP, TLS or HTTPS, by hickory and rustls
//!                                      ├─ chain: keys and delegations, as DNSSEC needs them
//!                                      ├─ security: is the answer what the zone has signed?
//!                                      │    └─ wildcard: is there no name closer than its own?
//!                                      ▼
//!                                  events, each a whole message or why there is none
//! ```
//!
//! `process` holds what outlives a call: certificates, TLS sessions, keys. It is memory and nothing
//! else, and belongs to one process: a forked child begins anew, but for the files that `prepare` has read.

mod anchors;
mod call;
mod chain;
mod connection;
#[cfg(all(feature = "object", target_env = "gnu"))]
mod destructors;
mod exchange;
mod failure;
mod process;
mod security;
mod socket;
mod wildcard;

#[allow(unsafe_code)]
#[path = "../../src/sys/encrypted/contract.rs"]
#[allow(dead_code, reason = "each side uses its own half")]
pub mod contract;

use core::ffi::c_void;
use core::sync::atomic::AtomicPtr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use call::Asked;
use contract::{Call, Files, Table};
use failure::Failure;

/// What librustdns.so looks for: [`contract::SYMBOL`].
#[cfg_attr(feature = "object", unsafe(export_name = "rustdns_encrypted_1"))]
#[allow(unsafe_code, non_upper_case_globals, reason = "a symbol of C")]
pub static rustdns_encrypted: Table = Table { begin, prepare, ask, forget };

/// What panics here is a bug, and told as the reason; the program's standard error is not ours. As part
/// of an archive the crate is in that one's hands.
#[cfg(feature = "object")]
fn silence() {
    static SILENCED: std::sync::Once = std::sync::Once::new();
    SILENCED.call_once(|| std::panic::set_hook(Box::new(|_| ())));
}

/// See [`Table::begin`]: what would take the dynamic linker's lock later, on another thread, takes it now.
#[allow(unsafe_code)]
unsafe extern "C" fn begin() {
    #[cfg(feature = "object")]
    silence();
    // Looks libc's function up by name, once. Where there are no random numbers, the call will say so.
    let _ = getrandom::fill(&mut [0]);
}

/// See [`Table::prepare`].
///
/// # Safety
/// The files are whole, and what they point to is there until this returns.
#[allow(unsafe_code)]
unsafe extern "C" fn prepare(files: *const Files) {
    // What goes wrong is found again, and told, by the call that needs it.
    let _ = catch_unwind(|| {
        // SAFETY: by the function's contract.
        unsafe { process::prepare(&*files) }
    });
}

/// Asks one server; see [`Table::ask`].
///
/// # Safety
/// The call is whole, and what it points to is there until this returns.
#[allow(unsafe_code)]
unsafe extern "C" fn ask(call: *const Call) {
    // SAFETY: by the function's contract.
    let asked = unsafe { Asked::read(&*call) };
    if catch_unwind(AssertUnwindSafe(|| exchange::run(&asked))).is_err() {
        let bug = Failure::local("internal error, please report".into());
        asked.fail_rest(&bug);
    }
}

/// Frees what is kept at a place; see [`Table::forget`].
///
/// # Safety
/// The place is valid, and no call that uses it is under way or comes later.
#[allow(unsafe_code)]
unsafe extern "C" fn forget(place: *const AtomicPtr<c_void>) {
    // SAFETY: by the function's contract.
    let place = unsafe { &*place };
    // A panic in a destructor: what it has not freed stays.
    let _ = catch_unwind(AssertUnwindSafe(|| process::forget(place)));
}
