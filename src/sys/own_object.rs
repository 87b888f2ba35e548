//! The object that this code is part of, as the dynamic linker knows it: the program itself, a library, or a
//! plug-in that somebody has linked the archive into, and may unload.

use super::kernel;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::transmute;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// In `PT_DYNAMIC`: the entry with these flags, and the one that keeps the object loaded (elf.h).
pub(crate) const FLAGS_1: usize = 0x6fff_fffb;
pub(crate) const FLAG_NODELETE: usize = 8;

/// What an object is.
struct Object {
    /// Where its program headers are.
    headers: usize,
    name: *const c_char,
    is_program: bool,
    is_kept: bool,
}

/// True where this code is part of the program itself, or of no object at all.
#[cfg(any(test, not(feature = "encrypted")))]
pub(super) fn is_the_program() -> bool {
    own().is_none_or(|own| own.is_program)
}

/// Sees to it that this code stays mapped, whatever the program unloads. Threads need it that outlive the call
/// that made them.
///
/// True where it does. False where the dynamic linker can't be had, or has no memory.
pub(super) fn keep() -> bool {
    static IS_KEPT: AtomicBool = AtomicBool::new(false);
    if !IS_KEPT.load(Relaxed) {
        let is_kept = own().is_none_or(|own| own.is_program || own.is_kept || stays(&own));
        IS_KEPT.store(is_kept, Relaxed);
    }
    IS_KEPT.load(Relaxed)
}

/// Has the dynamic linker keep an object that it has loaded.
fn stays(object: &Object) -> bool {
    let Some(open) = loader() else { return false };
    // The name is compared with those of objects that are there, and finds ours; no file is loaded by it,
    // whoever may have chosen it.
    let mode = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    // SAFETY: the object's name ends in NUL, and is there as long as the object, which runs this. The handle is
    // never closed.
    unsafe { !open(object.name, mode).is_null() }
}

/// `dlopen`.
type Open = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void;

/// libc's `dlopen`, by name: a static program has no loader, and must not be linked with one.
pub(super) fn loader() -> Option<Open> {
    // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
    let open = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"dlopen".as_ptr()) };
    // SAFETY: libc's function of this name has this type.
    (!open.is_null()).then(|| unsafe { transmute::<*mut c_void, Open>(open) })
}

/// The object that this code is part of.
fn own() -> Option<Object> {
    object_at(own as *const () as usize)
}

/// True where both addresses are of one object. Objects don't overlap, so that its headers tell which it is.
pub(super) fn are_of_one_object(address: usize, other: usize) -> bool {
    let headers = |address| object_at(address).map(|object| object.headers);
    headers(address).is_some_and(|own| Some(own) == headers(other))
}

/// The object that has this address; `None` where none has it.
fn object_at(address: usize) -> Option<Object> {
    struct Search {
        here: usize,
        found: Option<Object>,
    }
    unsafe extern "C" fn look(
        object: *mut libc::dl_phdr_info,
        _: libc::size_t,
        search: *mut c_void,
    ) -> c_int {
        // SAFETY: dl_iterate_phdr passes an object and what it was given, which nobody else looks at.
        let (object, search) = unsafe { (&*object, &mut *search.cast::<Search>()) };
        // SAFETY: the object's program headers, which are mapped as long as it is.
        let headers =
            unsafe { core::slice::from_raw_parts(object.dlpi_phdr, object.dlpi_phnum.into()) };
        let place = |address: usize| (object.dlpi_addr as usize).wrapping_add(address);
        let is_here = headers.iter().any(|header| {
            let start = place(header.p_vaddr as usize);
            header.p_type == libc::PT_LOAD
                && search.here.wrapping_sub(start) < header.p_memsz as usize
        });
        if !is_here {
            return 0;
        }
        let name = object.dlpi_name;
        // SAFETY: the name is null or ends in NUL.
        let is_program = unsafe {
            name.is_null()
                || CStr::from_ptr(name).is_empty()
                || object.dlpi_phdr as usize == kernel::auxiliary(libc::AT_PHDR as usize)
        };
        let is_kept = headers.iter().any(|header| {
            let words = header.p_memsz as usize / size_of::<usize>();
            let first = core::ptr::with_exposed_provenance::<usize>(place(header.p_vaddr as usize));
            // SAFETY: the object's dynamic section: pairs of words, mapped as long as it is.
            let entries = || unsafe { core::slice::from_raw_parts(first, words) }.chunks_exact(2);
            header.p_type == libc::PT_DYNAMIC
                && entries()
                    .any(|entry| matches!(entry, &[FLAGS_1, flags] if flags & FLAG_NODELETE != 0))
        });
        let headers = object.dlpi_phdr.addr();
        search.found = Some(Object { headers, name, is_program, is_kept });
        1
    }
    let mut search = Search { here: address, found: None };
    // SAFETY: `look` takes what it is given, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    search.found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_one_and_stays() {
        assert!(is_the_program() && keep());
    }
}
