//! The addresses of IPv6 servers that a [`ResState`] points to. libc frees what it finds in one that it closes,
//! which is right for a thread's own only.

use crate::config::resolv::MAX_SERVERS;
use crate::sys::res_state::{ResState, of_thread};
use core::ptr::null_mut;

/// Addresses in a thread's `_res`. libc frees them when the thread ends, so each is a `malloc` of its own;
/// they are used again when it is filled again, and not freed: a copy of `_res` may still point to them.
pub(super) mod own {
    use super::{MAX_SERVERS, null_mut};
    use core::cell::Cell;

    thread_local! {
        static PLACES: [Cell<*mut libc::sockaddr_in6>; MAX_SERVERS] =
            const { [const { Cell::new(null_mut()) }; MAX_SERVERS] };
    }

    /// A place with this address, or null; `before`: what stands in `_res` at the same index. If that isn't
    /// what we put there, somebody may have freed that one.
    pub(in crate::abi) fn place(
        index: usize,
        before: Option<*mut libc::sockaddr_in6>,
        address: libc::sockaddr_in6,
    ) -> *mut libc::sockaddr_in6 {
        PLACES.with(|places| {
            let Some(known) = places.get(index) else { return null_mut() };
            let mut place = known.get();
            if place.is_null() || before != Some(place) {
                // SAFETY: malloc has no preconditions.
                place = unsafe { libc::malloc(size_of::<libc::sockaddr_in6>()) }.cast();
                known.set(place);
            }
            if !place.is_null() {
                // SAFETY: that large, and this thread's.
                unsafe { place.write(address) };
            }
            place
        })
    }

    /// True for a place of the calling thread's `_res`.
    pub(in crate::abi) fn is_one(place: *mut libc::sockaddr_in6) -> bool {
        PLACES.with(|places| places.iter().any(|known| known.get() == place))
    }
}

/// Addresses in states of callers: each server's once in the process, and for good. So it does no harm that a
/// state is copied, or closed twice or never.
pub(super) mod kept {
    use super::null_mut;
    use core::sync::atomic::{AtomicPtr, Ordering};

    #[repr(C)]
    struct Kept {
        address: libc::sockaddr_in6,
        next: *mut Kept,
    }

    static FIRST: AtomicPtr<Kept> = AtomicPtr::new(null_mut());

    fn find(wanted: impl Fn(&Kept) -> bool) -> Option<*mut libc::sockaddr_in6> {
        let mut at = FIRST.load(Ordering::Acquire);
        // SAFETY: null, or stored below: whole, and never freed.
        while let Some(kept) = unsafe { at.as_ref() } {
            if wanted(kept) {
                return Some(at.cast());
            }
            at = kept.next;
        }
        None
    }

    pub(in crate::abi) fn place(address: libc::sockaddr_in6) -> *mut libc::sockaddr_in6 {
        let same = |kept: &Kept| {
            let other = &kept.address;
            other.sin6_addr.s6_addr == address.sin6_addr.s6_addr
                && other.sin6_port == address.sin6_port
                && other.sin6_scope_id == address.sin6_scope_id
        };
        if let Some(place) = find(same) {
            return place;
        }
        // SAFETY: malloc has no preconditions.
        let fresh = unsafe { libc::malloc(size_of::<Kept>()) }.cast::<Kept>();
        if fresh.is_null() {
            return null_mut();
        }
        let mut next = FIRST.load(Ordering::Relaxed);
        loop {
            // SAFETY: that large, and ours until it is stored.
            unsafe { fresh.write(Kept { address, next }) };
            match FIRST.compare_exchange(next, fresh, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return fresh.cast(),
                Err(newer) => next = newer,
            }
        }
    }

    /// True for a place that is kept.
    pub(in crate::abi) fn is_one(place: *mut libc::sockaddr_in6) -> bool {
        find(|kept| core::ptr::eq(&raw const kept.address, place)).is_some()
    }
}

/// Takes the addresses that are ours out of a state that libc is about to close, and frees; they come back
/// for the thread's own state, which libc closes again when the thread ends.
///
/// # Safety
/// `state` is valid, and stays so as long as what is returned.
pub(super) unsafe fn shielded(state: *mut ResState) -> impl Drop {
    struct Shield {
        state: *mut ResState,
        ours: [*mut libc::sockaddr_in6; MAX_SERVERS],
    }
    impl Drop for Shield {
        fn drop(&mut self) {
            if self.state == of_thread() {
                // SAFETY: this thread's own.
                let places = unsafe { &mut (*self.state).ext.nsaddrs };
                for (place, &ours) in places.iter_mut().zip(&self.ours) {
                    if !ours.is_null() {
                        *place = ours;
                    }
                }
            }
        }
    }
    // SAFETY: by the function's contract.
    let places = unsafe { &mut (*state).ext.nsaddrs };
    let ours = places.each_mut().map(|place| {
        let is_ours = !place.is_null() && (own::is_one(*place) || kept::is_one(*place));
        if is_ours { core::mem::replace(place, null_mut()) } else { null_mut() }
    });
    Shield { state, ours }
}
