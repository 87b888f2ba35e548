//! The descriptors that a thread's calls have open.

use super::NONE;
use crate::sys::files::{File, Status};
use crate::sys::socket;
use core::cell::Cell;
use core::ffi::c_int;
use core::mem::ManuallyDrop;
use core::num::NonZeroU64;
use core::sync::atomic::{Ordering::SeqCst, compiler_fence};

/// How many are noted. A call has fewer: a socket for each server and family.
const MOST: usize = 16;

/// What the kernel knows an open file by: a socket's cookie; another one's device and number, and a bit that no
/// cookie has.
type Identity = NonZeroU64;

/// Of one that the kernel has no word for.
const UNKNOWN: Option<Identity> = NonZeroU64::new(u64::MAX);

/// A descriptor that a call has open.
#[derive(Clone, Copy)]
struct Open {
    descriptor: c_int,
    /// The call's number; [`NONE`]: none is noted.
    call: usize,
    /// What the kernel knows it by; `None` where nobody has asked.
    identity: Option<Identity>,
}

impl Open {
    const FREE: Open = Open { descriptor: 0, call: NONE, identity: None };
}

/// Those of a thread.
pub(super) struct Descriptors([Cell<Open>; MOST]);

impl Descriptors {
    pub(super) const fn new() -> Descriptors {
        Descriptors([const { Cell::new(Open::FREE) }; MOST])
    }

    /// Notes one that the call has opened. `ask`: and what the kernel knows it by. Where there is no room, it
    /// takes the place of one whose call is forgotten.
    pub(super) fn note(
        &self,
        descriptor: c_int,
        call: usize,
        ask: bool,
        is_noted: &dyn Fn(usize) -> bool,
    ) {
        let identity = if ask { identity(descriptor).or(UNKNOWN) } else { None };
        let free = self.0.iter().find(|place| place.get().call == NONE);
        let forgotten = || self.0.iter().find(|place| !is_noted(place.get().call));
        if let Some(place) = free.or_else(forgotten) {
            // A handler may come in between, and takes a place that is free.
            place.set(Open { descriptor, call: NONE, identity });
            compiler_fence(SeqCst);
            place.set(Open { descriptor, call, identity });
        }
    }

    /// The call has closed it.
    pub(super) fn forget(&self, descriptor: c_int, call: usize) {
        let mut own = self.of(call).filter(|place| place.get().descriptor == descriptor);
        if let Some(place) = own.next() {
            place.set(Open::FREE);
        }
    }

    /// True where the kernel was not asked yet what it knows the call's by.
    pub(super) fn is_any_unknown(&self, call: usize) -> bool {
        self.of(call).any(|place| place.get().identity.is_none())
    }

    /// Asks it.
    pub(super) fn know(&self, call: usize) {
        for place in self.of(call).filter(|place| place.get().identity.is_none()) {
            let open = place.get();
            // Once.
            place.set(Open { identity: identity(open.descriptor).or(UNKNOWN), ..open });
        }
    }

    /// Closes what a call has left that is gone, as far as it is still the same: the program may have closed it,
    /// and have something else under its number.
    pub(super) fn close(&self, call: usize) {
        for place in self.of(call) {
            let open = place.replace(Open::FREE);
            let is_known = open.identity.is_some() && open.identity != UNKNOWN;
            if is_known && open.identity == identity(open.descriptor) {
                socket::close(open.descriptor);
            }
        }
    }

    fn of(&self, call: usize) -> impl Iterator<Item = &Cell<Open>> {
        self.0.iter().filter(move |place| place.get().call == call)
    }
}

fn identity(descriptor: c_int) -> Option<Identity> {
    if let Some(cookie) = socket::cookie(descriptor) {
        return Identity::new(cookie);
    }
    let file = ManuallyDrop::new(File::of(descriptor));
    let file = Status::of(&file).ok()?.inode();
    Identity::new(1 << 63 | file.device.rotate_left(40) ^ file.number)
}
