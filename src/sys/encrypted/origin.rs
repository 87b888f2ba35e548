//! Where librustdns-encrypted.so is: one absolute path, found out once.
//!
//! It lies beside this library, and where that is the kernel says (`/proc/self/maps`), not the dynamic
//! linker: what that one has is a name as somebody wrote it, relative to a folder that the program may have
//! left since, and for the program itself it is `argv[0]`, which is whatever its caller likes.
//!
//! The path is only good in the root directory that it was found in. In another one (chroot(2)) the file of
//! that name may be somebody else's.

use crate::sys::files::{self, File, Inode};
use crate::sys::mem::{NoMemory, append, c_string};
use crate::sys::own_object::is_the_program;
use crate::sys::set_once::Chosen;
use crate::sys::{kernel, process};
use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::ffi::CString;
use std::io::Write;

/// Its name.
const NAME: &[u8] = b"librustdns-encrypted.so";

/// Where it is for an archive, which is part of a program and lies nowhere: as the Makefile has it.
const INSTALLED: Option<&str> = option_env!("RUSTDNS_ENCRYPTED");

/// Where the object is for the command, which has the library in itself: as it has found out.
#[cfg(feature = "command")]
pub static FILE_FOR_COMMAND: std::sync::OnceLock<CString> = std::sync::OnceLock::new();

/// The root directory when this library was loaded: without an allocation, which most programs would make
/// for nothing else (a first one costs more than all the rest of [`note_root`]). Zeros: not known.
static ROOT: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];

/// What was found out.
static FOUND: Chosen<Origin> = Chosen::nothing();

struct Origin {
    /// The object.
    path: CString,
    /// This library, and which file that was; `None` for an archive.
    library: Option<(CString, Inode)>,
}

/// To be called when the library is loaded.
pub fn note_root() {
    let root = files::inode(c"/").map(Inode::words).unwrap_or_default();
    ROOT.iter().zip(root).for_each(|(place, word)| place.store(word, Relaxed));
}

fn is_root_the_same() -> bool {
    let root = ROOT.each_ref().map(|word| word.load(Relaxed));
    root != [0; 4] && files::inode(c"/").map(Inode::words) == Some(root)
}

/// Finds out where the object is, unless that was done before.
pub fn locate() -> Result<(), &'static str> {
    found().map(|_| ())
}

fn found() -> Result<&'static Origin, &'static str> {
    if let Some(found) = FOUND.get() {
        return Ok(found);
    }
    FOUND.set(find()?).map_err(out_of_memory)?;
    FOUND.get().ok_or("out of memory")
}

fn find() -> Result<Origin, &'static str> {
    #[cfg(feature = "command")]
    if let Some(file) = FILE_FOR_COMMAND.get() {
        return Ok(Origin { path: file.clone(), library: None });
    }
    if let Some(installed) = INSTALLED {
        return Ok(Origin { path: owned(&[installed.as_bytes()])?, library: None });
    }
    if is_the_program() {
        return Err("a program that has rustdns in itself knows of no librustdns-encrypted.so");
    }
    let (library, mapped) =
        mapping()?.ok_or("where this library lies can't be found out (/proc/self/maps)")?;
    let folder = library.iter().rposition(|&b| b == b'/').and_then(|at| library.get(..=at));
    let folder = folder.ok_or("this library lies in no folder")?;
    let path = owned(&[folder, NAME])?;
    let library = owned(&[&library])?;
    // The file system may give another device than stat(2) does (overlayfs, btrfs): where the root is the
    // same, the path is the library's whatever it says.
    let inode = if is_root_the_same() { files::inode(&library) } else { None };
    Ok(Origin { path, library: Some((library, inode.unwrap_or(mapped))) })
}

/// The object's path, where it may be loaded now.
pub(super) fn path() -> Result<CString, &'static str> {
    let Origin { path, library } = found()?;
    if !is_root_the_same() && !cfg!(feature = "command") {
        let is_the_library = |(file, inode): &(CString, Inode)| files::inode(file) == Some(*inode);
        if !library.as_ref().is_some_and(is_the_library) {
            return Err("librustdns-encrypted.so is out of reach: the root directory has changed");
        }
    }
    if process::is_secure() {
        return resolved(path).filter(|path| is_roots_alone(path.as_bytes())).ok_or(
            "librustdns-encrypted.so is not loaded into a setuid program: others than root may write \
             where it lies, or it is missing",
        );
    }
    owned(&[path.as_bytes()])
}

fn out_of_memory(NoMemory: NoMemory) -> &'static str {
    "out of memory"
}

fn owned(parts: &[&[u8]]) -> Result<CString, &'static str> {
    c_string(parts).map_err(out_of_memory)?.ok_or("a path with a NUL in it")
}

/// The same file by a path without symbolic links: what proc(5) has for it when it is open.
fn resolved(path: &CStr) -> Option<CString> {
    let file = File::open(path).ok()?;
    let mut link = [0u8; 32];
    let mut room = link.as_mut_slice();
    write!(room, "/proc/self/fd/{}", file.descriptor()).ok()?;
    let mut buffer = [0u8; libc::PATH_MAX as usize];
    let link = CStr::from_bytes_until_nul(&link).ok()?;
    // SAFETY: the link's path ends in NUL, and the buffer is valid for its length.
    let len = unsafe { kernel::readlink(link.as_ptr(), buffer.as_mut_ptr(), buffer.len()) };
    let resolved = buffer.get(..usize::try_from(len).ok()?)?;
    resolved.starts_with(b"/").then(|| owned(&[resolved]).ok())?
}

/// True where nobody but root could have put this file there: it, and each folder on its way, is root's, and
/// neither group nor others may write to it.
fn is_roots_alone(path: &[u8]) -> bool {
    let ends = path.iter().enumerate().filter(|&(at, &b)| b == b'/' && at > 0).map(|(at, _)| at);
    let mut parts = ends.chain([1, path.len()]);
    parts.all(|end| {
        let part = path.get(..end).and_then(|part| owned(&[part]).ok());
        part.is_some_and(|part| files::is_roots_alone(&part))
    })
}

/// The file that this code is mapped from, as proc(5) has it.
fn mapping() -> Result<Option<(Vec<u8>, Inode)>, &'static str> {
    let here = mapping as *const () as u64;
    let Ok((maps, _)) = files::read(c"/proc/self/maps") else { return Ok(None) };
    for line in maps.split(|&b| b == b'\n') {
        if let Some((path, inode)) = mapped(line, here) {
            let mut own = Vec::new();
            append(&mut own, path).map_err(out_of_memory)?;
            return Ok(Some((own, inode)));
        }
    }
    Ok(None)
}

/// The file of a line of maps, where the line is about this address:
/// `7f00-7f80 r-xp 00001000 fe:01 1234   /path`.
fn mapped(line: &[u8], here: u64) -> Option<(&[u8], Inode)> {
    let path = line.get(line.iter().position(|&b| b == b'/')?..)?;
    let mut words = core::str::from_utf8(line.get(..line.len() - path.len())?).ok()?.split(' ');
    let (start, end) = words.next()?.split_once('-')?;
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    if !(number(start)?..number(end)?).contains(&here) {
        return None;
    }
    let (major, minor) = words.nth(2)?.split_once(':')?;
    let device = libc::makedev(number(major)? as _, number(minor)? as _);
    let inode = words.next()?.parse().ok()?;
    // A library that an upgrade has replaced: what lies there now is its successor.
    let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
    Some((path, Inode::new(device as u64, inode)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_maps_is_read() {
        let line = b"7f00-7f80 r-xp 00001000 fe:01 1234                       /a b/lib.so";
        let inode = Inode::new(libc::makedev(0xfe, 1) as u64, 1234);
        assert_eq!(mapped(line, 0x7f7f), Some((&b"/a b/lib.so"[..], inode)));
        assert_eq!(mapped(line, 0x7f80), None);
        assert_eq!(mapped(b"7f00-7f80 rw-p 00000000 00:00 0 ", 0x7f01), None);
        let line = b"7f00-7f80 r-xp 00001000 fe:01 1234 /lib.so (deleted)";
        assert_eq!(mapped(line, 0x7f00), Some((&b"/lib.so"[..], inode)));
    }

    #[test]
    fn this_program_is_mapped() {
        let own = std::env::current_exe().unwrap();
        let (path, inode) = mapping().unwrap().unwrap();
        assert_eq!(path, own.as_os_str().as_encoded_bytes());
        assert_eq!(files::inode(&owned(&[&path]).unwrap()), Some(inode));
    }

    #[test]
    fn folders_that_others_write_to_are_not_roots_alone() {
        assert!(is_roots_alone(b"/usr/bin/env"));
        assert!(!is_roots_alone(b"/tmp"));
        assert!(!is_roots_alone(b"/tmp/nothing"));
        assert!(!is_roots_alone(b"/nothing"));
    }
}
