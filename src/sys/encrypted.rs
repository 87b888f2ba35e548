//! librustdns-encrypted.so: loaded from beside this library where the settings need it, and asked on a
//! thread that ends before the call does. With the feature `encrypted` it is part of this library.

mod asked;
pub mod contract;
mod job;
#[cfg(not(feature = "encrypted"))]
mod object;
#[cfg(not(feature = "encrypted"))]
mod origin;

pub use self::asked::{Asked, Told};
use self::contract::{Files, MAX_QUESTIONS, Octets, kind};
use self::job::Job;
#[cfg(not(feature = "encrypted"))]
use self::object::table;
#[cfg(all(feature = "command", not(feature = "encrypted")))]
pub use self::origin::FILE_FOR_COMMAND;
#[cfg(not(feature = "encrypted"))]
pub use self::origin::{locate, note_root};
use super::calls::{self, PAUSE};
use super::shared::Shared;
use super::thread::{Joinable, stack_left};
use super::time::Instant;
use crate::sys::mem::{NoMemory, append};
use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::AtomicPtr;
use core::time::Duration;

/// What TLS and validation take of a stack at the most, and as much again.
const STACK: usize = 512 * 1024;

/// What has to be left of the calling thread's stack where there is no thread for it (docs/encrypted.md).
const STACK_WITHOUT_THREAD: usize = 256 * 1024;

/// How often who asks gives a sign of life.
const BEAT: Duration = Duration::from_millis(200);

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

/// What settings need of the object.
pub struct Needs<'a> {
    /// Certificates that are trusted; empty: the system's. `None`: no server is asked in private.
    pub authorities: Option<&'a [u8]>,
    /// Trust anchors; empty: the installed ones. `None`: no signature is checked.
    pub anchors: Option<&'a [u8]>,
}

/// Loads the object, and has it read what the settings need, on the calling thread: later it may be out of
/// reach. What fails is tried again, and said, by the call that needs it. Takes a stack that is not a small
/// thread's; where there is not as much, nothing is done.
pub fn prepare(needs: &Needs<'_>) {
    if stack_left().is_some_and(|left| left < STACK_WITHOUT_THREAD) {
        return;
    }
    let Ok(table) = table() else { return };
    let files = Files {
        authorities: Octets::of(needs.authorities.unwrap_or_default()),
        anchors: Octets::of(needs.anchors.unwrap_or_default()),
        private: needs.authorities.is_some(),
        validate: needs.anchors.is_some(),
    };
    // SAFETY: the files are whole, and outlive the call.
    unsafe { (table.prepare)(&raw const files) };
}

/// Asks a server, and returns what has become of each question. `beat` is called several times a second
/// meanwhile. The calling thread's signals act as in any other lookup.
pub fn ask(
    place: &Shared<Place>,
    asked: &Asked<'_>,
    beat: &dyn Fn(),
) -> Result<[Told; MAX_QUESTIONS], NoMemory> {
    let table = match table() {
        Ok(table) => table,
        Err(trouble) => return nobody(trouble),
    };
    let job = Job::new(table, place, asked)?;
    let lent = job.lent();
    // SAFETY: `work` takes the reference, and a job is made for two threads.
    match unsafe { Joinable::start(STACK, work, lent) } {
        Ok(thread) => {
            let pause = if calls::is_listening() { PAUSE } else { BEAT };
            while !job.is_done(Instant::now().after(pause)) {
                beat();
                if calls::is_cancelled() {
                    job.leave();
                }
            }
            thread.join();
        }
        Err(_) => {
            // SAFETY: nobody has taken it.
            drop(unsafe { Job::back(lent) });
            if stack_left().is_some_and(|left| left < STACK_WITHOUT_THREAD) {
                return nobody("no thread to ask on, and too little stack to do without");
            }
            // SAFETY: done once.
            unsafe { job.work() };
        }
    }
    // SAFETY: the work has been done.
    unsafe { job.told() }
}

unsafe extern "C-unwind" fn work(job: *mut c_void) -> *mut c_void {
    // SAFETY: what `ask` has lent, to this thread alone; done once.
    unsafe {
        if let Some(job) = Job::back(job) {
            job.work();
        }
    }
    null_mut()
}

/// No question was asked, for this reason.
fn nobody(trouble: &str) -> Result<[Told; MAX_QUESTIONS], NoMemory> {
    let mut told = [const { Told { kind: kind::LOCAL, message: Vec::new(), text: Vec::new() } };
        MAX_QUESTIONS];
    for told in &mut told {
        append(&mut told.text, trouble.as_bytes())?;
    }
    Ok(told)
}

/// What the object would have.
#[cfg(feature = "encrypted")]
fn table() -> Result<&'static contract::Table, &'static str> {
    use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
    static BEGUN: AtomicBool = AtomicBool::new(false);
    let table = &raw const rustdns_encrypted::rustdns_encrypted;
    // SAFETY: a table that is never gone; its form is that of ours, which is compiled from the same file.
    let table: &'static contract::Table = unsafe { &*table.cast() };
    if !BEGUN.swap(true, Relaxed) {
        // SAFETY: called once.
        unsafe { (table.begin)() };
    }
    Ok(table)
}

/// It is here.
#[cfg(feature = "encrypted")]
pub fn locate() -> Result<(), &'static str> {
    Ok(())
}

/// See [`locate`].
#[cfg(feature = "encrypted")]
pub fn note_root() {}

/// Where the object would be.
#[cfg(all(feature = "command", feature = "encrypted"))]
pub static FILE_FOR_COMMAND: std::sync::OnceLock<std::ffi::CString> = std::sync::OnceLock::new();
