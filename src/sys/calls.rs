//! The calls under way on the calling thread: what one leaves behind that never returns, because a signal
//! handler has jumped out of it (siglongjmp(3)), is tidied up by the next one.
//!
//! A call signs its outermost frame and notes in the thread's own memory where that is, which descriptors it
//! has open and how the thread could be cancelled before. It takes the signature away when it returns. If the
//! next call finds a note, the other call is either under way still, beneath a signal handler that makes this
//! one, or gone. Which of two frames is the deeper one says nothing, since a handler may have a stack of its own
//! (sigaltstack(2)) and coroutines have many. It is gone for certain where
//!
//! - its signature is, or the stack that had it: other frames have been there since;
//! - its frame lies between the outermost frame of the running call and its innermost one, which are on one
//!   stack. That is looked at where the call is deep in its work ([`opened`]).
//!
//! Else it is left alone.
//!
//! What is missed: a call that was jumped out of, as long as nothing overwrites its frame. The next call is made
//! from deeper then, past memory that the program has set aside and not written to; or from so much further out
//! that its own frames don't reach the place. The descriptors stay open until one does. A call that is jumped out
//! of in the same place as one before it is seen, so the number of descriptors stays bounded.
//!
//! What would be wrong: a stack that is swapped by copying it, in the middle of a call. For that a function of
//! the program's would have to be called in the middle of one and not return ([`super::log`]), which is
//! forbidden there.

mod open;

use self::open::Descriptors;
use super::process::{self, Cancellation};
use super::{cancelled, futex};
use core::cell::Cell;
use core::ffi::c_int;
use core::mem::size_of;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst, compiler_fence};

pub use super::cancelled::PAUSE;

/// How many words of a frame are signed: frames that come later may leave gaps.
const SIGNED: usize = 4;
/// How many calls of a thread are told apart.
const CALLS: usize = 4;

/// No call.
const NONE: usize = 0;
/// A call whose note is being written.
const UNWRITTEN: usize = usize::MAX;

/// Set once a call was jumped out of: from then on descriptors are known as soon as they are opened.
static JUMPED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Nothing in it has a destructor, so that it is there as long as the thread.
    static THREAD: Thread = const { Thread::new() };
}

/// What is known of a thread.
struct Thread {
    /// The first place is for a call that begins while no other is noted.
    calls: [Place; CALLS],
    /// Other places than the first are taken, or were.
    is_crowded: Cell<bool>,
    /// The call that began last and is under way.
    current: Cell<usize>,
    /// The number of the last call that began.
    last: Cell<usize>,
    open: Descriptors,
    ear: Cell<cancelled::Ear>,
}

/// The place of a note.
struct Place {
    /// The call's number on this thread, or [`NONE`] or [`UNWRITTEN`].
    number: Cell<usize>,
    frame: Cell<usize>,
    cancellation: Cell<Cancellation>,
}

/// A call that has begun.
#[derive(Clone, Copy)]
struct Call {
    number: usize,
    /// Where it has signed.
    frame: usize,
    /// How the thread could be cancelled before it.
    cancellation: Cancellation,
}

impl Place {
    const fn new() -> Place {
        let cancellation = Cell::new(Cancellation::AT_FIRST);
        Place { number: Cell::new(NONE), frame: Cell::new(0), cancellation }
    }

    fn is_free(&self) -> bool {
        self.number.get() == NONE
    }

    fn free(&self) {
        self.number.set(NONE);
    }

    /// Notes a call here. A handler may make a whole call in between, but takes no place that is not free.
    #[inline(always)]
    fn note(&self, call: Call) {
        self.number.set(UNWRITTEN);
        compiler_fence(SeqCst);
        self.frame.set(call.frame);
        self.cancellation.set(call.cancellation);
        compiler_fence(SeqCst);
        self.number.set(call.number);
    }

    fn noted(&self) -> Option<Call> {
        let number = self.number.get();
        let is_noted = number != NONE && number != UNWRITTEN;
        let (frame, cancellation) = (self.frame.get(), self.cancellation.get());
        is_noted.then_some(Call { number, frame, cancellation })
    }
}

impl Thread {
    const fn new() -> Thread {
        Thread {
            calls: [const { Place::new() }; CALLS],
            is_crowded: Cell::new(false),
            current: Cell::new(NONE),
            last: Cell::new(NONE),
            open: Descriptors::new(),
            ear: Cell::new(cancelled::Ear::DEAF),
        }
    }

    fn place_of(&self, number: usize) -> Option<&Place> {
        self.calls.iter().find(|place| place.number.get() == number)
    }
}

/// The outermost frame of a call: lives in it from [`begin`] to [`end`], in one place.
pub struct Frame {
    words: [usize; SIGNED],
    number: usize,
    /// The call that this one has interrupted.
    before: usize,
    ear_before: cancelled::Ear,
    cancellation: Cancellation,
}

/// How a call has ended.
pub struct Ended {
    /// How the thread could be cancelled before it.
    pub cancellation: Cancellation,
    /// The call has ended early, because the thread is cancelled.
    pub is_cancelled: bool,
}

impl Frame {
    /// The frame of a call that has not begun.
    #[inline(always)]
    pub const fn new() -> Frame {
        Frame {
            words: [0; SIGNED],
            number: NONE,
            before: NONE,
            ear_before: cancelled::Ear::DEAF,
            cancellation: Cancellation::HELD_OFF,
        }
    }

    fn place(&self) -> usize {
        (&raw const self.words).expose_provenance()
    }

    fn sign(&mut self, number: usize) {
        let signature = signature(self.place(), number);
        for (word, signed) in self.words.iter_mut().zip(signature) {
            // SAFETY: a word of our own; volatile, because it is read by who doesn't know the frame.
            unsafe { core::ptr::from_mut(word).write_volatile(signed) };
        }
    }
}

impl Default for Frame {
    fn default() -> Frame {
        Frame::new()
    }
}

/// What a call of this number writes into its frame at `place`.
fn signature(place: usize, number: usize) -> [usize; SIGNED] {
    let mixed = (place ^ number.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b) | 1;
    [mixed, !mixed, mixed.rotate_left(11), !mixed.rotate_left(17)]
}

/// A call begins: a thread that is cancelled ends here, or else can't be cancelled until [`end`]. What earlier
/// calls have left behind is tidied up.
///
/// Always inlined into a frame that holds nothing to drop: see [`process::disable_cancellation`].
#[inline(always)]
pub fn begin(frame: &mut Frame) {
    let heard = cancelled::heard();
    let found = process::disable_cancellation();
    enter(frame, found, heard);
}

#[inline(never)]
fn enter(frame: &mut Frame, found: Cancellation, heard: u32) {
    THREAD.with(|thread| {
        let number = match thread.last.get().wrapping_add(1) {
            NONE | UNWRITTEN => 1,
            number => number,
        };
        thread.last.set(number);
        frame.number = number;
        frame.sign(number);
        frame.before = thread.current.get();
        frame.ear_before = thread.ear.get();
        let [first, ..] = &thread.calls;
        if first.is_free() && !thread.is_crowded.get() {
            frame.cancellation = found;
            let call = Call { number, frame: frame.place(), cancellation: found };
            first.note(call);
        } else {
            enter_beside_others(thread, frame, found);
        }
        thread.ear.set(cancelled::Ear::new(heard, frame.cancellation.is_on()));
        thread.current.set(number);
    });
}

/// The same where another call is noted, which is under way or gone.
#[cold]
#[inline(never)]
fn enter_beside_others(thread: &Thread, frame: &mut Frame, found: Cancellation) {
    let place = frame.place();
    let left = tidy_up(thread, &|call| is_gone(call, place));
    let cancellation = left.map_or(found, |left| found.or_before(left));
    frame.cancellation = cancellation;
    thread.is_crowded.set(true);
    if thread.place_of(frame.before).is_none() {
        (frame.before, frame.ear_before) = (NONE, cancelled::Ear::DEAF);
    }
    let mut others = thread.calls.iter().skip(1);
    // Where there is no room, the oldest is forgotten. What it has open stays open if it is gone.
    let oldest = || thread.calls.iter().skip(1).min_by_key(|place| place.number.get());
    if let Some(place) = others.find(|place| place.is_free()).or_else(oldest) {
        place.note(Call { number: frame.number, frame: frame.place(), cancellation });
    }
}

/// A call ends.
#[inline(never)]
pub fn end(frame: &mut Frame) -> Ended {
    THREAD.with(|thread| {
        let ear = thread.ear.get();
        thread.ear.set(frame.ear_before);
        thread.current.set(frame.before);
        let [first, ..] = &thread.calls;
        if first.number.get() == frame.number && !thread.is_crowded.get() {
            first.free();
        } else {
            leave_others(thread, frame);
        }
        frame.words = [0; SIGNED];
        Ended { cancellation: frame.cancellation, is_cancelled: ear.is_cancelled() }
    })
}

#[cold]
#[inline(never)]
fn leave_others(thread: &Thread, frame: &mut Frame) {
    if let Some(own) = thread.place_of(frame.number) {
        frame.cancellation = own.cancellation.get();
        own.free();
    }
    let place = frame.place();
    if let Some(left) = tidy_up(thread, &|call| is_gone(call, place)) {
        frame.cancellation = frame.cancellation.or_before(left);
    }
    if thread.place_of(thread.current.get()).is_none() {
        thread.current.set(NONE);
    }
    let mut others = thread.calls.iter().skip(1);
    thread.is_crowded.set(others.any(|place| !place.is_free()));
}

/// The running call is deep in its work: what lies between its outermost frame and this one is its own.
#[cold]
#[inline(never)]
fn look_above(thread: &Thread) {
    let here = 0u8;
    let here = (&raw const here).addr();
    let Some(place) = thread.place_of(thread.current.get()) else { return };
    let own = here..place.frame.get();
    if let Some(left) = tidy_up(thread, &|call| own.contains(&call.frame)) {
        place.cancellation.set(place.cancellation.get().or_before(left));
    }
}

/// Closes what calls have left open that are gone. Returns how the thread could be cancelled before the first of
/// them.
fn tidy_up(thread: &Thread, is_gone: &dyn Fn(&Call) -> bool) -> Option<Cancellation> {
    let errno = process::errno();
    let mut first: Option<Call> = None;
    for place in &thread.calls {
        let Some(call) = place.noted().filter(is_gone) else { continue };
        JUMPED.store(true, Relaxed);
        place.free();
        thread.open.close(call.number);
        if first.is_none_or(|first| call.number < first.number) {
            first = Some(call);
        }
    }
    process::set_errno(errno);
    first.map(|call| call.cancellation)
}

/// True where the call's frame is no more; `own` is where the running one has signed.
fn is_gone(call: &Call, own: usize) -> bool {
    let size = size_of::<[usize; SIGNED]>();
    if call.frame.abs_diff(own) < size {
        return true;
    }
    let words = call.frame..call.frame + size;
    for (at, signed) in words.step_by(size_of::<usize>()).zip(signature(call.frame, call.number)) {
        match futex::is_readable(at) {
            Some(true) => {}
            // A stack that was unmapped.
            Some(false) => return true,
            None => return false,
        }
        // SAFETY: the word is mapped, which nobody but this thread can change for its stacks; it is aligned, and
        // any value will do. It may belong to whatever is there now, and is only compared.
        let word = unsafe { core::ptr::with_exposed_provenance::<usize>(at).read_volatile() };
        if word != signed {
            return true;
        }
    }
    false
}

/// A descriptor was opened, which will be closed before the call ends.
pub fn opened(descriptor: c_int) {
    THREAD.with(|thread| {
        let call = thread.current.get();
        if call == NONE {
            return;
        }
        if thread.is_crowded.get() {
            look_above(thread);
        }
        let is_noted = |call| thread.place_of(call).is_some();
        thread.open.note(descriptor, call, JUMPED.load(Relaxed), &is_noted);
    });
}

/// A descriptor that was [`opened`] is closed.
pub fn closed(descriptor: c_int) {
    THREAD.with(|thread| {
        let call = thread.current.get();
        if call != NONE {
            thread.open.forget(descriptor, call);
        }
    });
}

/// True where the kernel was not asked yet what it knows the call's descriptors by.
pub fn is_hasty() -> bool {
    THREAD.with(|thread| {
        let call = thread.current.get();
        call != NONE && thread.open.is_any_unknown(call)
    })
}

/// The call waits for longer than a moment: what it has open is to be known again.
#[cold]
pub fn settle() {
    let errno = process::errno();
    THREAD.with(|thread| {
        let call = thread.current.get();
        if call != NONE {
            thread.open.know(call);
        }
    });
    process::set_errno(errno);
}

/// The call is one that libc lets nobody cancel.
pub fn be_deaf() {
    THREAD.with(|thread| thread.ear.set(cancelled::Ear::DEAF));
}

/// True while the call under way is to look after [`cancelled::PAUSE`] whether it [`is_cancelled`].
pub fn is_listening() -> bool {
    THREAD.with(|thread| thread.current.get() != NONE && thread.ear.get().is_listening())
}

/// True where the thread was cancelled since the call has begun: it is to end, as if it had failed.
pub fn is_cancelled() -> bool {
    THREAD.with(|thread| {
        let mut ear = thread.ear.get();
        let is_cancelled = thread.current.get() != NONE && ear.listen();
        if is_cancelled {
            thread.ear.set(ear);
        }
        is_cancelled
    })
}
