//! The object as a file: loaded, once, from where [`origin`] has found it.

use super::contract::{SYMBOL, Table};
use super::origin;
use crate::sys::own_object::loader;
use crate::sys::process;
#[cfg(target_env = "gnu")]
use core::ffi::CStr;
use core::ffi::c_int;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

/// The object's table; it is loaded at the first call, and stays.
///
/// Always on the thread that asked: it may be in a constructor, within a dlopen of the program's, and hold
/// the dynamic linker's lock, which it gets again and no other thread does.
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
    // SAFETY: an object of this very contract exports it by this name, and is never unloaded.
    Ok(unsafe { &*table })
}

/// The object calls libc by names that the program may have taken: it finds libc's own, before the program's and other
/// preloads'. (No memory of the object's is ours to free, or the other way round.) The runtimes of sanitizers end a
/// process that wants this.
#[cfg(target_env = "gnu")]
fn own_names_first() -> c_int {
    const RUNTIMES: [&CStr; 3] = [c"__asan_init", c"__tsan_init", c"__msan_init"];
    // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
    let is_there =
        |name: &&CStr| unsafe { !libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()).is_null() };
    if RUNTIMES.iter().any(is_there) { 0 } else { libc::RTLD_DEEPBIND }
}

/// musl's dynamic linker has no such mode.
#[cfg(not(target_env = "gnu"))]
fn own_names_first() -> c_int {
    0
}

fn load() -> Result<*const Table, &'static str> {
    const NO_LOADER: &str = "this program is static: there is no librustdns-encrypted.so for it";
    let open = loader().ok_or(NO_LOADER)?;
    let path = origin::path()?;
    // SAFETY: the path ends in NUL; the object's constructors do no more than Rust's std needs.
    let object =
        unsafe { open(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL | own_names_first()) };
    if object.is_null() {
        return Err("librustdns-encrypted.so is not beside this library, or can't be loaded");
    }
    // SAFETY: dlsym takes the handle and a string that ends in NUL.
    let table = unsafe { libc::dlsym(object, SYMBOL.as_ptr()) }.cast::<Table>();
    if table.is_null() {
        return Err("librustdns-encrypted.so does not fit this library: start the program again");
    }
    // SAFETY: what an object exports by this name is a table of this contract.
    unsafe { ((*table).begin)() };
    Ok(table)
}
