//! A call that is carried by another thread. All of it is on the heap and belongs to both threads: the one
//! that asked may leave at any moment, by a jump out of a signal handler.

use super::Place;
use super::asked::{Asked, Told};
use super::contract::{Call, Event, MAX_QUESTIONS, Octets, Table, kind};
use crate::sys::mem::{NoMemory, append, reserve};
use crate::sys::shared::Shared;
use crate::sys::time::Instant;
use crate::sys::{calls, futex};
use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::mem::replace;
use core::net::SocketAddr;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A counted reference to a call.
pub(super) struct Job(NonNull<Inner>);

struct Inner {
    holders: AtomicU32,
    /// 1: what is told is whole.
    done: AtomicU32,
    /// Nobody waits for it any more.
    is_left: AtomicBool,
    table: &'static Table,
    call: Call,
    /// What the call points to.
    _octets: Vec<u8>,
    _place: Shared<Place>,
    /// Of the thread that works until `done`, then of the one that waits.
    taken: UnsafeCell<Taken>,
}

struct Taken {
    told: [Told; MAX_QUESTIONS],
    no_memory: bool,
}

impl Job {
    /// Copies all that is asked.
    pub(super) fn new(
        table: &'static Table,
        place: &Shared<Place>,
        asked: &Asked<'_>,
    ) -> Result<Job, NoMemory> {
        let parts = [asked.server, asked.authorities, asked.anchors];
        let mut octets = Vec::new();
        reserve(&mut octets, parts.iter().chain(&asked.questions).map(|part| part.len()).sum())?;
        let mut copied = |part: &[u8]| {
            // Within what was reserved: nothing moves.
            let start = octets.len();
            append(&mut octets, part)?;
            Ok(Octets::of(octets.get(start..).unwrap_or_default()))
        };
        let (address, scope) = match asked.address {
            SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped(), 0),
            SocketAddr::V6(v6) => (*v6.ip(), v6.scope_id()),
        };
        let mut call = Call {
            place: &raw const place.0,
            port: asked.address.port(),
            validate: asked.validate,
            scope,
            limit: u32::try_from(asked.limit.as_millis()).unwrap_or(u32::MAX),
            address: address.octets(),
            server: copied(asked.server)?,
            authorities: copied(asked.authorities)?,
            anchors: copied(asked.anchors)?,
            questions: [Octets::of(&[]); MAX_QUESTIONS],
            take,
            taker: null_mut(),
        };
        for (place, question) in call.questions.iter_mut().zip(asked.questions) {
            *place = copied(question)?;
        }
        // SAFETY: the layout has a size above zero.
        let inner = unsafe { std::alloc::alloc(Layout::new::<Inner>()) }.cast::<Inner>();
        let inner = NonNull::new(inner).ok_or(NoMemory)?;
        call.taker = inner.as_ptr().cast();
        const UNTOLD: Told = Told { kind: kind::LOCAL, message: Vec::new(), text: Vec::new() };
        let fresh = Inner {
            holders: AtomicU32::new(1),
            done: AtomicU32::new(0),
            is_left: AtomicBool::new(false),
            table,
            call,
            _octets: octets,
            _place: place.clone(),
            taken: UnsafeCell::new(Taken { told: [UNTOLD; MAX_QUESTIONS], no_memory: false }),
        };
        // SAFETY: freshly allocated with this type's layout, and ours alone.
        unsafe { inner.write(fresh) };
        Ok(Job(inner))
    }

    fn inner(&self) -> &Inner {
        // SAFETY: there as long as any reference; but for what is in cells it doesn't change.
        unsafe { self.0.as_ref() }
    }

    /// A further reference, as an address.
    pub(super) fn lent(&self) -> *mut c_void {
        self.inner().holders.fetch_add(1, Ordering::Relaxed);
        self.0.as_ptr().cast()
    }

    /// A reference that was [`lent`](Job::lent).
    ///
    /// # Safety
    /// Each is taken back once.
    pub(super) unsafe fn back(address: *mut c_void) -> Option<Job> {
        NonNull::new(address.cast()).map(Job)
    }

    /// Does the work, on this thread.
    ///
    /// # Safety
    /// Called once.
    pub(super) unsafe fn work(&self) {
        let inner = self.inner();
        // SAFETY: the call is whole, all that it points to is there as long as this reference, and what is
        // told is looked at by nobody else before `done`.
        unsafe { (inner.table.ask)(&raw const inner.call) };
        inner.done.store(1, Ordering::Release);
        futex::wake(&inner.done);
    }

    /// Waits for the end of the work, or until `deadline`; true at the end. Signals act meanwhile.
    pub(super) fn is_done(&self, deadline: Instant) -> bool {
        let done = &self.inner().done;
        loop {
            if done.load(Ordering::Acquire) != 0 {
                return true;
            }
            if futex::wait(done, 0, Some(deadline)) == futex::Woken::TimedOut {
                return false;
            }
        }
    }

    /// Nobody wants the answers any more: the work ends at its next event.
    pub(super) fn leave(&self) {
        self.inner().is_left.store(true, Ordering::Relaxed);
    }

    /// What has become of each question.
    ///
    /// # Safety
    /// The work has ended, or was never begun.
    pub(super) unsafe fn told(&self) -> Result<[Told; MAX_QUESTIONS], NoMemory> {
        // SAFETY: who worked has ended, and nobody else waits.
        let taken = unsafe { &mut *self.inner().taken.get() };
        const NOTHING: Told = Told { kind: kind::LOCAL, message: Vec::new(), text: Vec::new() };
        let told = replace(&mut taken.told, [NOTHING; MAX_QUESTIONS]);
        if taken.no_memory { Err(NoMemory) } else { Ok(told) }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.inner().holders.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: made by `new` with this layout, and this was the last reference.
            unsafe {
                self.0.drop_in_place();
                std::alloc::dealloc(self.0.as_ptr().cast(), Layout::new::<Inner>());
            }
        }
    }
}

/// # Safety
/// `taker` is an [`Inner`] whose work is being done on this thread, and `event` is whole.
unsafe extern "C" fn take(taker: *mut c_void, event: *const Event) -> bool {
    // SAFETY: by the function's contract.
    let (inner, event) = unsafe { (&*taker.cast::<Inner>(), &*event) };
    if event.kind != kind::BEAT {
        // SAFETY: this thread's until `done`.
        let taken = unsafe { &mut *inner.taken.get() };
        if let Some(told) = taken.told.get_mut(event.question) {
            told.kind = event.kind;
            // SAFETY: the event's octets are there until this returns.
            let (message, text) = unsafe { (event.message.get(), event.text.get()) };
            let copied =
                append(&mut told.message, message).and_then(|()| append(&mut told.text, text));
            taken.no_memory |= copied == Err(NoMemory);
        }
    }
    // Where this is the calling thread itself it may be cancelled.
    !inner.is_left.load(Ordering::Relaxed) && !calls::is_cancelled()
}
