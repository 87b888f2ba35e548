//! The object as a file: found beside this library, and loaded.

use super::contract::{SYMBOL, Table, VERSION};
use crate::mem::{NoMemory, append};
use crate::sys::process;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::transmute;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

/// Beside this library.
const FILE: &[u8] = b"librustdns-encrypted.so\0";

/// The object's table; it is loaded at the first call, and stays.
pub(super) fn table() -> Result<&'static Table, &'static str> {
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
        if address(table as *const c_void, &raw mut info) == 0 || info.dli_fname.is_null() {
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
    let path = super::FILE_FOR_COMMAND.get().map_or(path, |file| file.as_ptr());
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
