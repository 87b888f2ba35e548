//! The system, in small.

pub mod atomic;
pub mod futex;
pub mod mem;

#[path = "../../../src/sys/set_once.rs"]
pub mod set_once;
#[path = "../../../src/sys/clock.rs"]
pub mod clock;
#[path = "../../../src/sys/lock.rs"]
pub mod lock;
#[path = "../../../src/sys/monitor.rs"]
pub mod monitor;
#[path = "../../../src/sys/shared.rs"]
pub mod shared;
#[path = "../../../src/sys/tailed.rs"]
pub mod tailed;
#[path = "../../../src/sys/fork_local.rs"]
pub mod fork_local;

/// Why a system call failed: none does.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Other(i32),
}

impl Fault {
    pub fn errno(self) -> i32 {
        let Fault::Other(errno) = self;
        errno
    }
}

pub mod errno {
    pub const NOT_PERMITTED: i32 = 1;
}

pub mod calls {
    use core::time::Duration;

    pub const PAUSE: Duration = Duration::from_millis(100);

    pub fn is_cancelled() -> bool {
        false
    }

    pub fn is_listening() -> bool {
        false
    }
}

/// Memory.
pub mod kernel {
    use core::ffi::{c_int, c_void};

    pub fn page_size() -> usize {
        4096
    }

    pub fn map_memory(len: usize) -> *mut c_void {
        Box::leak(vec![0u64; len / 8].into_boxed_slice()).as_mut_ptr().cast()
    }

    /// # Safety
    /// None: nothing is done.
    pub unsafe fn munmap(_place: *mut c_void, _len: usize) -> c_int {
        0
    }

    /// As a kernel that knows what it is advised, and nothing else.
    ///
    /// # Safety
    /// None: nothing is done.
    pub unsafe fn madvise(_place: *mut c_void, _len: usize, advice: c_int) -> c_int {
        if advice == libc::MADV_WIPEONFORK { 0 } else { -1 }
    }
}

pub mod process {
    use core::cell::Cell;

    loom::thread_local! {
        static MARK: Cell<usize> = Cell::new(0);
    }

    /// Gives the calling thread a number from 1.
    pub fn set_thread_mark(mark: usize) {
        MARK.with(|own| own.set(mark));
    }

    pub fn thread_mark() -> usize {
        MARK.with(Cell::get)
    }

    pub fn thread_mark_below(bound: usize) -> usize {
        thread_mark() % bound
    }

    pub fn id() -> i32 {
        1
    }

    pub fn is_secure() -> bool {
        false
    }
}

pub mod published {
    use super::Fault;
    use super::atomic::AtomicUsize;
    use crate::sys::mem::NoMemory;

    pub const NUMBERS: usize = 48;

    #[derive(Default)]
    pub struct Block {
        pub stripes: [Stripe; 2],
    }

    pub struct Stripe {
        pub numbers: [AtomicUsize; NUMBERS],
    }

    impl Default for Stripe {
        fn default() -> Stripe {
            Stripe { numbers: core::array::from_fn(|_| AtomicUsize::new(0)) }
        }
    }

    pub struct Place(Box<Block>);

    impl Place {
        pub fn own() -> Result<Place, NoMemory> {
            Ok(Place(Box::default()))
        }

        pub fn shared() -> Result<Place, Fault> {
            Ok(Place(Box::default()))
        }

        pub fn block(&self) -> &Block {
            &self.0
        }
    }
}

pub mod time {
    pub use super::clock::Instant;
    use core::time::Duration;

    impl Instant {
        pub fn now() -> Instant {
            Instant(Duration::from_secs(1000))
        }
    }
}
