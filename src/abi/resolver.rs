//! The resolver(3) family: `res_query` and its relatives, each under both spellings that binaries
//! import, for the thread's `_res` and (`res_n*`) for a state of the caller's.

use super::args::text;
use super::codes::Returned;
use super::guard::guard;
use super::res_state;
use crate::base::error::HostError;
use crate::base::name::Name;
use crate::context::call::Session;
use crate::resolve::raw::query::{self, Unwritten};
use crate::resolve::raw::{Asked, Failure, Resolver};
use crate::sys::mem::NoMemory;
use crate::sys::res_state::{ResState, of_thread, read};
use crate::sys::{errno, probes};
use core::ffi::{c_char, c_int};
use core::mem::MaybeUninit;
use core::slice;

unsafe extern "C" {
    fn __h_errno_location() -> *mut c_int;
}

/// What all of these return for a failure.
const FAILED: c_int = -1;

/// Whose configuration a call goes by.
#[derive(Clone, Copy)]
enum Whose {
    /// The thread's `_res`, filled first where it has not been.
    Thread,
    /// The caller's.
    #[cfg(target_env = "gnu")]
    Caller(*mut ResState),
}

impl Whose {
    fn state(self) -> *mut ResState {
        match self {
            Whose::Thread => of_thread(),
            #[cfg(target_env = "gnu")]
            Whose::Caller(state) => state,
        }
    }

    /// Runs `work` with a resolver that goes by the state.
    ///
    /// # Safety
    /// A caller's state is valid, and filled.
    unsafe fn run<T>(
        self,
        work: impl FnOnce(&Resolver<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        probes::lookup_start(&[]);
        let session = Session::begin()?;
        let configured = session.current_upstream()?;
        let state = self.state();
        // SAFETY: the thread's state is its own; a caller's is valid by the function's contract.
        let plain = unsafe {
            if matches!(self, Whose::Thread) {
                res_state::fill_once(state, &configured);
            }
            read(state)
        };
        let upstream = session.upstream_by(plain, configured)?;
        session.counted(work(&Resolver::new(&session, &upstream)))
    }

    /// Turns a result into what the C caller sees, `h_errno` set in the thread and in the state.
    ///
    /// # Safety
    /// As [`Whose::run`].
    unsafe fn returned(self, result: Result<usize, Failure>) -> Returned {
        match result {
            // Lengths are at most 65535.
            Ok(length) => (length as c_int, None),
            Err(failure) => {
                if let Some(host) = failure.host {
                    // SAFETY: by the function's contract.
                    unsafe { self.set_h_errno(host) };
                }
                (FAILED, failure.errno)
            }
        }
    }

    /// # Safety
    /// As [`Whose::run`].
    unsafe fn set_h_errno(self, host: HostError) {
        let number = host.number();
        // SAFETY: the first returns a pointer to the thread's h_errno; the state is valid by the
        // function's contract, or the thread's own.
        unsafe {
            *__h_errno_location() = number;
            res_state::set_h_errno(self.state(), number);
        }
    }
}

/// A C caller's buffer; a null pointer or a length below 1 is none.
///
/// # Safety
/// `place` is null or valid for writing `length` octets, and nobody else's during the call.
unsafe fn buffer<'a>(place: *mut u8, length: c_int) -> &'a mut [MaybeUninit<u8>] {
    match usize::try_from(length) {
        // SAFETY: by the function's contract; MaybeUninit needs no octet to have a value.
        Ok(length) if !place.is_null() => unsafe {
            slice::from_raw_parts_mut(place.cast(), length)
        },
        _ => &mut [],
    }
}

/// # Safety
/// A caller's state is valid and filled; `name` is null or a string; `answer` is valid for writing
/// `size` octets.
unsafe fn query(
    whose: Whose,
    name: *const c_char,
    asked: Asked,
    answer: *mut u8,
    size: c_int,
) -> Returned {
    // SAFETY: by the function's contract.
    unsafe {
        let result = whose.run(|resolver| {
            resolver.query(text(name).unwrap_or_default(), asked, buffer(answer, size))
        });
        whose.returned(result)
    }
}

/// # Safety
/// As [`query`].
unsafe fn search(
    whose: Whose,
    name: *const c_char,
    asked: Asked,
    answer: *mut u8,
    size: c_int,
) -> Returned {
    // SAFETY: by the function's contract.
    unsafe {
        let result = whose.run(|resolver| {
            whose.set_h_errno(HostError::NotFound);
            let name = text(name).unwrap_or_default();
            let tell = &mut |host| whose.set_h_errno(host);
            resolver.search(name, asked, buffer(answer, size), tell)
        });
        whose.returned(result)
    }
}

/// # Safety
/// As [`query`]; `domain` is null or a string.
unsafe fn query_domain(
    whose: Whose,
    name: *const c_char,
    domain: *const c_char,
    asked: Asked,
    answer: *mut u8,
    size: c_int,
) -> Returned {
    // SAFETY: by the function's contract.
    unsafe {
        let result = whose.run(|resolver| {
            let name = text(name).unwrap_or_default();
            resolver.query_domain(name, text(domain), asked, buffer(answer, size))
        });
        whose.returned(result)
    }
}

/// # Safety
/// As [`query`]; `message` is valid for reading `length` octets.
unsafe fn send(
    whose: Whose,
    message: *const u8,
    length: c_int,
    answer: *mut u8,
    size: c_int,
) -> Returned {
    // SAFETY: by the function's contract.
    unsafe {
        let message = match usize::try_from(length) {
            Ok(length) if !message.is_null() => slice::from_raw_parts(message, length),
            _ => &[],
        };
        let result = whose.run(|resolver| resolver.send(message, buffer(answer, size)));
        whose.returned(result)
    }
}

/// # Safety
/// As [`query`].
unsafe fn make_query(
    whose: Whose,
    form: query::Form,
    name: *const c_char,
    out: *mut u8,
    size: c_int,
) -> Returned {
    // SAFETY: by the function's contract.
    unsafe {
        let name = Name::from_text(text(name).unwrap_or_default());
        let mut written = [0; query::MAX];
        let out = buffer(out, size);
        let room = written.get_mut(..out.len().min(query::MAX)).unwrap_or_default();
        let length = whose.run(|resolver| Ok(query::write(name, form, resolver.options(), room)));
        let length = match length {
            Ok(Ok(length)) => length,
            Ok(Err(Unwritten::NoRoom)) => return (FAILED, Some(errno::TOO_LONG)),
            Ok(Err(Unwritten::Invalid)) => return (FAILED, None),
            Err(failure) => return (FAILED, failure.errno),
        };
        let written = written.get(..length).unwrap_or_default();
        for (place, &octet) in out.iter_mut().zip(written) {
            place.write(octet);
        }
        if let Some(&id) = written.first_chunk() {
            res_state::set_id(whose.state(), id);
        }
        (length as c_int, None)
    }
}

/// # Safety
/// `state` is valid; with `keep` it is the thread's own.
unsafe fn init(state: *mut ResState, keep: bool) -> Returned {
    let filled = (|| {
        if keep {
            Session::begin()?.reload()?;
        }
        // After a reload: with the environment as it is now.
        let upstream = Session::begin()?.configured_upstream()?;
        // SAFETY: by the function's contract.
        unsafe { res_state::fill(state, &upstream, keep) };
        Ok::<(), NoMemory>(())
    })();
    match filled {
        Ok(()) => (0, None),
        Err(NoMemory) => (FAILED, Some(errno::NO_MEMORY)),
    }
}

/// Defines a function under its two names, of which musl has the first.
macro_rules! exported {
    ($(#[$doc:meta])* $plain:ident, $underscored:ident,
     ($($argument:ident: $kind:ty),*), $work:expr) => {
        $(#[$doc])*
        ///
        /// Returns -1 for a failure, `errno` and `h_errno` as the function sets them. Thread-safe (a
        /// state of the caller's is used by one thread at a time); not async-signal-safe; works in the
        /// child of a threaded process after `fork`; keeps no descriptor open. Acts on a pending
        /// thread cancellation at its start.
        ///
        /// # Safety
        /// Names are strings that end in NUL, buffers are valid for their lengths, a state is valid
        /// and filled by `res_ninit`. All stay unchanged during the call.
        #[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
        pub unsafe extern "C-unwind" fn $plain($($argument: $kind),*) -> c_int {
            guard((FAILED, None), || {
                // SAFETY: by this function's contract.
                #[allow(unused_unsafe)]
                unsafe { $work }
            })
        }

        #[cfg(target_env = "gnu")]
        #[doc = concat!("[`", stringify!($plain), "`] by the name that older binaries import.")]
        ///
        /// # Safety
        /// The same.
        #[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
        pub unsafe extern "C-unwind" fn $underscored($($argument: $kind),*) -> c_int {
            // SAFETY: by this function's contract.
            unsafe { $plain($($argument),*) }
        }
    };
}

exported! {
    /// Reads configuration and environment anew, and fills the thread's `_res`.
    res_init, __res_init, (),
    init(of_thread(), true)
}
#[cfg(target_env = "gnu")]
exported! {
    /// Fills a state from the configuration.
    res_ninit, __res_ninit, (state: *mut ResState),
    init(state, false)
}
exported! {
    /// Asks for the records of one full name.
    res_query, __res_query,
    (name: *const c_char, class: c_int, kind: c_int, answer: *mut u8, size: c_int),
    query(Whose::Thread, name, Asked { class, qtype: kind }, answer, size)
}
#[cfg(target_env = "gnu")]
exported! {
    /// The same, by a state of the caller's.
    res_nquery, __res_nquery,
    (state: *mut ResState, name: *const c_char, class: c_int, kind: c_int, answer: *mut u8, size: c_int),
    query(Whose::Caller(state), name, Asked { class, qtype: kind }, answer, size)
}
exported! {
    /// Asks for a name by way of `HOSTALIASES` and the search list.
    res_search, __res_search,
    (name: *const c_char, class: c_int, kind: c_int, answer: *mut u8, size: c_int),
    search(Whose::Thread, name, Asked { class, qtype: kind }, answer, size)
}
#[cfg(target_env = "gnu")]
exported! {
    /// The same, by a state of the caller's.
    res_nsearch, __res_nsearch,
    (state: *mut ResState, name: *const c_char, class: c_int, kind: c_int, answer: *mut u8, size: c_int),
    search(Whose::Caller(state), name, Asked { class, qtype: kind }, answer, size)
}
exported! {
    /// Asks for a name with a domain (null: none) behind it.
    res_querydomain, __res_querydomain,
    (name: *const c_char, domain: *const c_char, class: c_int, kind: c_int, answer: *mut u8, size: c_int),
    query_domain(Whose::Thread, name, domain, Asked { class, qtype: kind }, answer, size)
}
#[cfg(target_env = "gnu")]
exported! {
    /// The same, by a state of the caller's.
    res_nquerydomain, __res_nquerydomain,
    (state: *mut ResState, name: *const c_char, domain: *const c_char, class: c_int, kind: c_int,
     answer: *mut u8, size: c_int),
    query_domain(Whose::Caller(state), name, domain, Asked { class, qtype: kind }, answer, size)
}
exported! {
    /// Writes a query; `data` and `newrr` are not looked at.
    res_mkquery, __res_mkquery,
    (op: c_int, name: *const c_char, class: c_int, kind: c_int, _data: *const u8, _length: c_int,
     _newrr: *const u8, out: *mut u8, size: c_int),
    make_query(Whose::Thread, query::Form { op, class, qtype: kind }, name, out, size)
}
#[cfg(target_env = "gnu")]
exported! {
    /// The same, by a state of the caller's.
    res_nmkquery, __res_nmkquery,
    (state: *mut ResState, op: c_int, name: *const c_char, class: c_int, kind: c_int,
     _data: *const u8, _length: c_int, _newrr: *const u8, out: *mut u8, size: c_int),
    make_query(Whose::Caller(state), query::Form { op, class, qtype: kind }, name, out, size)
}
exported! {
    /// Sends a query that the caller has written.
    res_send, __res_send, (message: *const u8, length: c_int, answer: *mut u8, size: c_int),
    send(Whose::Thread, message, length, answer, size)
}
#[cfg(target_env = "gnu")]
exported! {
    /// The same, by a state of the caller's.
    res_nsend, __res_nsend,
    (state: *mut ResState, message: *const u8, length: c_int, answer: *mut u8, size: c_int),
    send(Whose::Caller(state), message, length, answer, size)
}
