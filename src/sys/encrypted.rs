//! librustdns-encrypted.so: loaded from beside this library where it is first needed, and asked on a
//! thread that ends before the call does. With the feature `encrypted` it is part of this library.

mod asked;
pub mod contract;
#[cfg(not(feature = "encrypted"))]
mod object;

pub use self::asked::{Asked, Told};
use self::contract::{Call, Event, MAX_QUESTIONS, Octets, kind};
#[cfg(not(feature = "encrypted"))]
use self::object::table;
use super::thread;
use crate::mem::{NoMemory, append};
use core::ffi::c_void;
use core::net::SocketAddr;
use core::sync::atomic::AtomicPtr;

/// What TLS and validation take of a stack at the most, and as much again.
const STACK: usize = 512 * 1024;

/// What the object keeps for a process: hangs on its state, which a fork wipes.
/// Each network namespace and root has one: what was learned in one is not used in another.
#[derive(Default)]
pub struct Place(AtomicPtr<c_void>);

impl Drop for Place {
    fn drop(&mut self) {
        // What is there was put there by the object, which so has been loaded.
        if !self.0.get_mut().is_null()
            && let Ok(table) = table()
        {
            // SAFETY: the place is valid, and nobody else has it: it is being dropped.
            unsafe { (table.forget)(&raw const self.0) };
        }
    }
}

/// Asks a server, and returns what has become of each question. `beat` is called several times a second
/// meanwhile, on another thread.
pub fn ask(
    place: &Place,
    asked: &Asked<'_>,
    beat: &(dyn Fn() + Sync),
) -> Result<[Told; MAX_QUESTIONS], NoMemory> {
    const UNTOLD: Told = Told { kind: kind::LOCAL, message: Vec::new(), text: Vec::new() };
    let mut taken = Taken { told: [UNTOLD; MAX_QUESTIONS], beat, no_memory: false };
    let (address, scope) = match asked.address {
        SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped(), 0),
        SocketAddr::V6(v6) => (*v6.ip(), v6.scope_id()),
    };
    let call = Call {
        place: &raw const place.0,
        port: asked.address.port(),
        validate: asked.validate,
        scope,
        limit: u32::try_from(asked.limit.as_millis()).unwrap_or(u32::MAX),
        address: address.octets(),
        server: Octets::of(asked.server),
        authorities: Octets::of(asked.authorities),
        anchors: Octets::of(asked.anchors),
        questions: asked.questions.map(Octets::of),
        take,
        taker: (&raw mut taken).cast(),
    };
    let mut trouble = Some("no thread to ask on");
    let mut work = || {
        trouble = table()
            .map(|table| {
                // SAFETY: the call is whole, and all that it points to outlives it.
                unsafe { (table.ask)(&raw const call) }
            })
            .err();
    };
    // SAFETY: the thread has ended when this returns, and nobody looks at what it works on before;
    // every export holds off cancellation; the object lets no panic out, and `table` has none.
    // Where there is no thread to be had, nothing was done, and `trouble` says so.
    let _ = unsafe { thread::run_joined(STACK, &mut work) };
    if let Some(trouble) = trouble {
        for told in &mut taken.told {
            append(&mut told.text, trouble.as_bytes())?;
        }
    }
    if taken.no_memory { Err(NoMemory) } else { Ok(taken.told) }
}

/// What has been told so far.
struct Taken<'a> {
    told: [Told; MAX_QUESTIONS],
    beat: &'a (dyn Fn() + Sync),
    no_memory: bool,
}

/// # Safety
/// `taker` is a [`Taken`] that nobody else looks at, and `event` is whole.
unsafe extern "C" fn take(taker: *mut c_void, event: *const Event) {
    // SAFETY: by the function's contract.
    let (taken, event) = unsafe { (&mut *taker.cast::<Taken<'_>>(), &*event) };
    if event.kind == kind::BEAT {
        return (taken.beat)();
    }
    let Some(told) = taken.told.get_mut(event.question) else { return };
    told.kind = event.kind;
    // SAFETY: the event's octets are there until this returns.
    let (message, text) = unsafe { (event.message.get(), event.text.get()) };
    let copied = append(&mut told.message, message).and_then(|()| append(&mut told.text, text));
    taken.no_memory |= copied == Err(NoMemory);
}

/// Where the object is for the command, which has the library in itself: as it has found out.
#[cfg(feature = "command")]
pub static FILE_FOR_COMMAND: std::sync::OnceLock<std::ffi::CString> = std::sync::OnceLock::new();

/// What the object would have.
#[cfg(feature = "encrypted")]
fn table() -> Result<&'static contract::Table, &'static str> {
    let table = &raw const rustdns_encrypted::rustdns_encrypted;
    // SAFETY: a table that is never gone; its form is that of ours, which is compiled from the same file.
    Ok(unsafe { &*table.cast() })
}
