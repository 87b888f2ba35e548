//! The clock, from the page of code that the kernel maps into each process (vdso(7)): a system call would cost more than
//! a lookup that is answered from memory.

use super::{auxiliary, call};
use core::ffi::{CStr, c_char, c_int};
use core::mem::transmute;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;

/// A time as the kernel writes it: its own words, of 64 bits in the newer of two calls.
#[repr(C)]
struct Time<W> {
    seconds: W,
    nanoseconds: W,
}

/// The kernel's function, in the C calling convention.
type Read = unsafe extern "C" fn(clock: c_int, time: *mut Time<Word>) -> c_int;

/// Where a word of the kernel's has 32 bits, the newer function has 64.
type Word = i64;

/// What the kernel's function is called, in the order in which they are looked for.
#[cfg(target_pointer_width = "64")]
const NAMES: &[&CStr] = &[c"__vdso_clock_gettime", c"__kernel_clock_gettime"];
#[cfg(target_pointer_width = "32")]
const NAMES: &[&CStr] = &[c"__vdso_clock_gettime64"];

/// The function's address; or one of these.
static FUNCTION: AtomicUsize = AtomicUsize::new(UNKNOWN);
const UNKNOWN: usize = 0;
const NONE: usize = 1;

/// What this clock says (clock_gettime(2)); `None` where there is no such clock.
#[inline]
pub(crate) fn clock_gettime(clock: c_int) -> Option<Duration> {
    let mut time = Time::<Word> { seconds: 0, nanoseconds: 0 };
    let function = match FUNCTION.load(Relaxed) {
        UNKNOWN => find(),
        function => function,
    };
    if function != NONE {
        let function = core::ptr::with_exposed_provenance::<()>(function);
        // SAFETY: the kernel's function of this name, which is mapped as long as the process lives and writes a time
        // of this form.
        let result = unsafe { transmute::<*const (), Read>(function)(clock, &raw mut time) };
        if result == 0 {
            return Some(time.since_start());
        }
    }
    by_call(clock)
}

#[cold]
#[cfg(target_pointer_width = "64")]
fn by_call(clock: c_int) -> Option<Duration> {
    let mut time = Time::<i64> { seconds: 0, nanoseconds: 0 };
    // SAFETY: a time of the form that the call writes.
    let result = unsafe { call!(libc::SYS_clock_gettime, clock, &raw mut time) };
    (result == 0).then(|| time.since_start())
}

/// By the call of Linux 5.1, else by the older one.
#[cold]
#[cfg(target_pointer_width = "32")]
fn by_call(clock: c_int) -> Option<Duration> {
    /// `clock_gettime64`: the same number on all machines.
    const CLOCK_GETTIME64: usize = 403;
    let mut time = Time::<i64> { seconds: 0, nanoseconds: 0 };
    // SAFETY: a time of the form that the call writes.
    if unsafe { call!(CLOCK_GETTIME64, clock, &raw mut time) } == 0 {
        return Some(time.since_start());
    }
    let mut time = Time::<i32> { seconds: 0, nanoseconds: 0 };
    // SAFETY: as above.
    let result = unsafe { call!(libc::SYS_clock_gettime, clock, &raw mut time) };
    (result == 0).then(|| time.since_start())
}

impl<W: Into<i64> + Copy> Time<W> {
    /// The kernel's nanoseconds are below 10^9, and no clock of ours is before its start.
    fn since_start(&self) -> Duration {
        Duration::new(self.seconds.into().cast_unsigned(), self.nanoseconds.into() as u32)
    }
}

/// Looks for the function, once; threads that do it at the same time find the same.
#[cold]
fn find() -> usize {
    let image = auxiliary(libc::AT_SYSINFO_EHDR as usize);
    // SAFETY: 0, or where the kernel has mapped its image, whole and for as long as the process lives.
    let found = if image == 0 { None } else { unsafe { Image::at(image) } };
    let function = found.and_then(|image| NAMES.iter().find_map(|name| image.function(name)));
    let function = function.unwrap_or(NONE);
    FUNCTION.store(function, Relaxed);
    function
}

#[cfg(target_pointer_width = "64")]
mod elf {
    pub(super) use libc::{Elf64_Ehdr as Header, Elf64_Phdr as Segment, Elf64_Sym as Symbol};
}
#[cfg(target_pointer_width = "32")]
mod elf {
    pub(super) use libc::{Elf32_Ehdr as Header, Elf32_Phdr as Segment, Elf32_Sym as Symbol};
}

/// Of elf.h: entries of a dynamic section.
const DT_HASH: usize = 4;
const DT_STRTAB: usize = 5;
const DT_SYMTAB: usize = 6;
const DT_GNU_HASH: usize = 0x6fff_fef5;

/// The kernel's image: a shared object of ELF, complete with its tables.
struct Image {
    /// What its addresses are to be raised by.
    bias: usize,
    symbols: *const elf::Symbol,
    count: usize,
    names: *const c_char,
}

impl Image {
    /// Reads the image's tables; `None` where one is missing.
    ///
    /// # Safety
    /// A whole image is mapped there.
    unsafe fn at(base: usize) -> Option<Image> {
        let pointer = core::ptr::with_exposed_provenance::<u8>(base);
        // SAFETY: by the function's contract the headers are where the first one says, and so are the tables.
        unsafe {
            let header = &*pointer.cast::<elf::Header>();
            let segments = core::slice::from_raw_parts(
                pointer.add(header.e_phoff as usize).cast::<elf::Segment>(),
                header.e_phnum.into(),
            );
            let of_kind = |kind| segments.iter().find(|segment| segment.p_type == kind);
            let code = of_kind(libc::PT_LOAD)?;
            let bias =
                base.wrapping_add(code.p_offset as usize).wrapping_sub(code.p_vaddr as usize);
            let dynamic = of_kind(libc::PT_DYNAMIC)?;
            let entries = core::slice::from_raw_parts(
                core::ptr::with_exposed_provenance::<[usize; 2]>(
                    bias.wrapping_add(dynamic.p_vaddr as usize),
                ),
                dynamic.p_memsz as usize / size_of::<[usize; 2]>(),
            );
            let table = |wanted: usize| {
                let entry = entries.iter().find(|[tag, _]| *tag == wanted);
                entry.map(|[_, address]| bias.wrapping_add(*address))
            };
            let count = match (table(DT_HASH), table(DT_GNU_HASH)) {
                (Some(table), _) => count_by_hash(table),
                (None, Some(table)) => count_by_gnu_hash(table),
                (None, None) => return None,
            };
            Some(Image {
                bias,
                symbols: core::ptr::with_exposed_provenance(table(DT_SYMTAB)?),
                count,
                names: core::ptr::with_exposed_provenance(table(DT_STRTAB)?),
            })
        }
    }

    /// Where the function of this name is.
    fn function(&self, name: &CStr) -> Option<usize> {
        // SAFETY: the table has so many symbols, whose names are offsets to strings that end in NUL.
        unsafe {
            let symbols = core::slice::from_raw_parts(self.symbols, self.count);
            let found = symbols.iter().find(|symbol| {
                symbol.st_shndx != 0
                    && CStr::from_ptr(self.names.add(symbol.st_name as usize)) == name
            });
            found.map(|symbol| self.bias.wrapping_add(symbol.st_value as usize))
        }
    }
}

/// How many symbols there are: the older hash table says it in its second word, which s390x and alpha have in 64 bits.
///
/// # Safety
/// Such a table is mapped there.
unsafe fn count_by_hash(table: usize) -> usize {
    // SAFETY: by the function's contract.
    unsafe {
        if cfg!(target_arch = "s390x") {
            *core::ptr::with_exposed_provenance::<u64>(table).add(1) as usize
        } else {
            *core::ptr::with_exposed_provenance::<u32>(table).add(1) as usize
        }
    }
}

/// The same by the newer one: the end of the chain that begins last.
///
/// # Safety
/// Such a table is mapped there.
unsafe fn count_by_gnu_hash(table: usize) -> usize {
    let words = core::ptr::with_exposed_provenance::<u32>(table);
    // SAFETY: by the function's contract: buckets, first hashed symbol, words of the filter, a shift; the filter, whose
    // words are as wide as a pointer; the buckets; the chains, of which each ends in an odd word.
    unsafe {
        let (buckets, first, filter) =
            (*words as usize, *words.add(1) as usize, *words.add(2) as usize);
        let heads = words.add(4 + filter * (size_of::<usize>() / size_of::<u32>()));
        let last =
            core::slice::from_raw_parts(heads, buckets).iter().copied().max().unwrap_or(0) as usize;
        if last < first {
            return first;
        }
        let chains = heads.add(buckets);
        let mut symbol = last;
        while *chains.add(symbol - first) & 1 == 0 {
            symbol += 1;
        }
        symbol + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn the_kernel_s_page_has_the_clock() {
        let before = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let now = clock_gettime(libc::CLOCK_REALTIME).unwrap();
        let after = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert!(before <= now && now <= after);
        assert!(FUNCTION.load(Relaxed) > NONE, "not by a system call");
        assert!(by_call(libc::CLOCK_REALTIME).unwrap() >= now);
        assert_eq!(clock_gettime(-77), None);
    }

    /// Both tables count the symbols of the image that has both.
    #[test]
    fn the_tables_agree() {
        let base = auxiliary(libc::AT_SYSINFO_EHDR as usize);
        // SAFETY: the kernel has mapped it there.
        let image = unsafe { Image::at(base) }.unwrap();
        assert!(image.count > 3 && image.function(c"no such function").is_none());
    }
}
