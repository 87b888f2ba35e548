//! Whether the calling thread was cancelled (pthread_cancel(3)) since its call began. The call holds that off and
//! acts on it when it has tidied up; so that this does not take until its time is over, it ends early.
//!
//! musl says so. GNU libc doesn't: there the preload library stands before libc's pthread_cancel and notes each
//! call of it. Where it is not preloaded (archive, module of nsswitch.conf) nobody hears of it, and the thread ends
//! when its lookup does.

#[cfg(all(feature = "preload", target_env = "gnu"))]
use super::lock::Mutex;
use core::time::Duration;

/// How long a thread waits until it looks.
pub const PAUSE: Duration = Duration::from_millis(100);

/// What a call hears of a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ear {
    state: State,
    /// What was [`heard`] when the call began, or when it last listened.
    heard: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing: the program has switched cancellation off, or there is no call.
    Deaf,
    Listens,
    Cancelled,
}

/// True where there is something to hear.
const CAN_HEAR: bool = cfg!(any(feature = "preload", not(target_env = "gnu")));

impl Ear {
    /// No call.
    pub const DEAF: Ear = Ear { state: State::Deaf, heard: 0 };

    /// Of a call that begins on a thread that may be cancelled (`is_on`) or not. `heard` is from before it was seen
    /// that the thread is not cancelled yet.
    pub fn new(heard: u32, is_on: bool) -> Ear {
        Ear { state: if CAN_HEAR && is_on { State::Listens } else { State::Deaf }, heard }
    }

    /// True where it may hear something yet.
    pub fn is_listening(self) -> bool {
        self.state == State::Listens
    }

    /// True where the call has heard that the thread is cancelled.
    pub fn is_cancelled(self) -> bool {
        self.state == State::Cancelled
    }

    /// Listens; true where the thread was cancelled.
    pub fn listen(&mut self) -> bool {
        if self.state == State::Listens && is_told(&mut self.heard) {
            self.state = State::Cancelled;
        }
        self.is_cancelled()
    }
}

#[cfg(not(target_env = "gnu"))]
fn is_told(_heard: &mut u32) -> bool {
    super::process::is_cancelled()
}

#[cfg(all(target_env = "gnu", not(feature = "preload")))]
fn is_told(_heard: &mut u32) -> bool {
    false
}

/// How many threads were cancelled so far, modulo 2^32.
#[cfg(not(all(feature = "preload", target_env = "gnu")))]
#[inline(always)]
pub fn heard() -> u32 {
    0
}

#[cfg(all(feature = "preload", target_env = "gnu"))]
use notes::is_told;
#[cfg(all(feature = "preload", target_env = "gnu"))]
pub use notes::{announce, heard};

/// The threads that were cancelled.
#[cfg(all(feature = "preload", target_env = "gnu"))]
mod notes {
    use super::Mutex;
    use core::sync::atomic::Ordering::Release;
    use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Acquire, Ordering::Relaxed};

    /// How many are remembered. Each thread that waits looks ten times a second: one that is cancelled together
    /// with a thousand others may miss it, and ends when its lookup does.
    const NOTES: usize = 1024;

    static THREADS: [AtomicUsize; NOTES] = [const { AtomicUsize::new(0) }; NOTES];
    static COUNT: AtomicU32 = AtomicU32::new(0);
    /// Of those who write.
    static WRITERS: Mutex<()> = Mutex::new(());

    fn place(number: u32) -> Option<&'static AtomicUsize> {
        THREADS.get(number as usize % NOTES)
    }

    /// How many threads were cancelled so far, modulo 2^32.
    #[inline(always)]
    pub fn heard() -> u32 {
        COUNT.load(Acquire)
    }

    /// A thread is about to be cancelled. Before it is, for afterwards another one may have its number.
    pub fn announce(thread: libc::pthread_t) {
        // A handler that has interrupted its own thread in here goes without.
        let Some(_writing) = WRITERS.lock() else { return };
        let number = COUNT.load(Relaxed);
        if let Some(place) = place(number) {
            place.store(thread as usize, Relaxed);
        }
        COUNT.store(number.wrapping_add(1), Release);
    }

    /// True where the calling thread is among those that were cancelled since so many had been.
    pub(super) fn is_told(heard: &mut u32) -> bool {
        let count = COUNT.load(Acquire);
        // SAFETY: pthread_self has no preconditions.
        let own = unsafe { libc::pthread_self() } as usize;
        let since = count.wrapping_sub(*heard).min(NOTES as u32);
        *heard = count;
        let mut numbers = (1..=since).filter_map(|back| place(count.wrapping_sub(back)));
        numbers.any(|place| place.load(Relaxed) == own)
    }
}
