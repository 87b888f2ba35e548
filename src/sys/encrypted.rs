//! librustdns-encrypted.so: loaded from beside this library where it is first needed, and asked on a
//! thread that ends before the call does.

pub mod contract;

use self::contract::{Call, Event, MAX_QUESTIONS, Octets, SYMBOL, Table, VERSION, kind};
use super::process;
use super::thread;
use crate::mem::{NoMemory, append};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::transmute;
use core::net::SocketAddr;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use core::time::Duration;

/// Beside this library.
const FILE: &[u8] = b"librustdns-encrypted.so\0";
/// What TLS and validation take of a stack at the most, and as much again.
const STACK: usize = 512 * 1024;

/// What the object keeps for a process: hangs on its state, which a fork wipes.
#[derive(Default)]
pub struct Place(AtomicPtr<c_void>);

/// What is asked of a server.
pub struct Asked<'a> {
    /// Its address.
    pub address: SocketAddr,
    /// All of it, as the setting `upstream` has it; empty: a plain one.
    pub server: &'a [u8],
    /// Certificates that are trusted; empty: the system's.
    pub authorities: &'a [u8],
    /// Trust anchors; empty: the installed ones.
    pub anchors: &'a [u8],
    /// Whether signatures are checked.
    pub validate: bool,
    /// How long it may take.
    pub limit: Duration,
    /// Whole queries; empty ones are not asked.
    pub questions: [&'a [u8]; MAX_QUESTIONS],
}

/// What has become of a question.
pub struct Told {
    /// One of [`contract::kind`].
    pub kind: u32,
    /// The answer.
    pub message: Vec<u8>,
    /// All of that as text.
    pub text: Vec<u8>,
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

/// The object's table; it is loaded at the first call, and stays.
fn table() -> Result<&'static Table, &'static str> {
    static TABLE: AtomicPtr<Table> = AtomicPtr::new(null_mut());
    // The process that is loading it, or was when it forked: the linker's lock may be held in the
    // child by a thread that isn't there, for ever.
    static LOADING: AtomicI32 = AtomicI32::new(0);
    let mut table = TABLE.load(Ordering::Acquire);
    if table.is_null() {
        let own = process::id();
        if ![0, own].contains(&LOADING.load(Ordering::Relaxed)) {
            return Err("this process was forked while librustdns-encrypted.so was being loaded");
        }
        LOADING.store(own, Ordering::Relaxed);
        let loaded = load();
        LOADING.store(0, Ordering::Relaxed);
        table = loaded?.cast_mut();
        TABLE.store(table, Ordering::Release);
    }
    // SAFETY: an object of this very version exports it by this name, and is never unloaded.
    Ok(unsafe { &*table })
}

/// Where the object is for the command, which has the library in itself: as it has found out.
#[cfg(feature = "command")]
pub static FILE_FOR_COMMAND: std::sync::OnceLock<std::ffi::CString> = std::sync::OnceLock::new();

/// Loads the object from this library's folder.
fn load() -> Result<*const Table, &'static str> {
    type Address = unsafe extern "C" fn(*const c_void, *mut libc::Dl_info) -> c_int;
    type Open = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void;
    const NO_LOADER: &str = "this program is static: there is no librustdns-encrypted.so for it";
    // By name: a static program has no loader, and must not be linked with one.
    let (address, open) = (next(c"dladdr").ok_or(NO_LOADER)?, next(c"dlopen").ok_or(NO_LOADER)?);
    // SAFETY: libc's functions of these names have these types.
    let (address, open) = unsafe {
        (transmute::<*mut c_void, Address>(address), transmute::<*mut c_void, Open>(open))
    };
    // SAFETY: pointers and integers, for which zero is a value; the address is one of ours.
    let own = unsafe {
        let mut info: libc::Dl_info = core::mem::zeroed();
        if address(take as *const c_void, &raw mut info) == 0 || info.dli_fname.is_null() {
            return Err(NO_LOADER);
        }
        CStr::from_ptr(info.dli_fname).to_bytes()
    };
    let folder = own.iter().rposition(|&b| b == b'/').and_then(|at| own.get(..=at));
    let mut path = Vec::new();
    append(&mut path, folder.unwrap_or_default())
        .and_then(|()| append(&mut path, FILE))
        .map_err(|NoMemory| "out of memory")?;
    let path = path.as_ptr().cast();
    #[cfg(feature = "command")]
    let path = FILE_FOR_COMMAND.get().map_or(path, |file| file.as_ptr());
    // SAFETY: the path ends in NUL; the object's constructors do no more than Rust's std needs.
    let object = unsafe { open(path, libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if object.is_null() {
        return Err("librustdns-encrypted.so is not beside this library, or can't be loaded");
    }
    // SAFETY: dlsym takes the handle and a string that ends in NUL.
    let table = unsafe { libc::dlsym(object, SYMBOL.as_ptr()) }.cast::<Table>();
    // SAFETY: where the symbol is there, it points to a table, which begins with the version; its
    // octets are compared one by one up to the first that differs, and both end in NUL.
    let is_ours = !table.is_null() && unsafe { version(table) == VERSION };
    if is_ours { Ok(table) } else { Err("librustdns-encrypted.so is of another version") }
}

/// # Safety
/// `table` is a table of any version.
unsafe fn version<'a>(table: *const Table) -> &'a [u8] {
    // SAFETY: by the function's contract it begins with a pointer to a string that ends in NUL.
    unsafe { CStr::from_ptr(*table.cast::<*const c_char>()).to_bytes_with_nul() }
}

fn next(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}
