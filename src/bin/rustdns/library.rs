//! Where librustdns.so is: beside this command, as the Makefile leaves and installs it, else where the
//! system has its libraries.

use crate::answer::{Shown, Trouble};
use crate::elf::{self, Machine};
use rustdns::sys::encrypted::FILE_FOR_COMMAND;
use std::ffi::{CString, OsStr};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// By its soname first: a package may leave the name without a number to its development package.
const NAMES: [&str; 2] = ["librustdns.so.0", "librustdns.so"];

/// The object that asks encrypted servers and checks signatures.
const ENCRYPTED: &str = "librustdns-encrypted.so";

/// Says to the library in this command where that object is: where librustdns.so is looked for.
pub(crate) fn note_encrypted() {
    let found = folders().into_iter().map(|at| at.join(ENCRYPTED)).find(|file| file.is_file());
    if let Some(path) = found.and_then(|path| CString::new(path.into_os_string().into_vec()).ok()) {
        // Said once.
        let _ = FILE_FOR_COMMAND.set(path);
    }
}

/// The library to be loaded into a program.
pub(crate) struct Library {
    /// Absolute, and without what `LD_PRELOAD` takes for the end of a name.
    pub(crate) path: PathBuf,
    pub(crate) machine: Machine,
}

impl Library {
    /// The library at `path`; without one, the first that is found.
    pub(crate) fn find(path: Option<&Path>) -> Result<Library, Trouble> {
        match path {
            Some(path) => Library::open(path),
            None => {
                let folders = folders();
                let files = folders.iter().flat_map(|at| NAMES.iter().map(|name| at.join(name)));
                match files.into_iter().find(|file| file.is_file()) {
                    Some(file) => Library::open(&file),
                    None => Err(nowhere(&folders)),
                }
            }
        }
    }

    fn open(path: &Path) -> Result<Library, Trouble> {
        let shown = Shown(path.as_os_str().as_bytes());
        let trouble = |why: &dyn core::fmt::Display| {
            Trouble::refused(format_args!(
                "library {shown}: {why}; name a librustdns.so with --library"
            ))
        };
        let path = std::path::absolute(path).map_err(|error| trouble(&error))?;
        if path.as_os_str().as_bytes().iter().any(|&b| b == b':' || b.is_ascii_whitespace()) {
            return Err(trouble(&"LD_PRELOAD can't hold a path with a colon or a blank"));
        }
        let file = fs::read(&path).map_err(|error| trouble(&error))?;
        match elf::read(&file) {
            Ok(elf) => Ok(Library { path, machine: elf.machine }),
            Err(_) => Err(trouble(&"not an ELF file")),
        }
    }
}

fn nowhere(folders: &[PathBuf]) -> Trouble {
    let mut text = String::from(
        "librustdns.so not found: install it (make install), or name it with --library; looked in",
    );
    for folder in folders {
        text.push_str(&format!(" {}", Shown(folder.as_os_str().as_bytes())));
    }
    Trouble::refused(text)
}

fn folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(own) = std::env::current_exe()
        && let Some(own) = own.parent()
    {
        // target/dist has both in one folder.
        if own.file_name() != Some(OsStr::new("bin")) {
            folders.push(own.to_owned());
        }
        if let Some(prefix) = own.parent() {
            folders.extend(below(prefix));
        }
    }
    for prefix in ["/usr/local", "/usr"] {
        folders.extend(below(Path::new(prefix)));
    }
    let mut once = Vec::new();
    folders.into_iter().for_each(|folder| {
        if !once.contains(&folder) {
            once.push(folder);
        }
    });
    once
}

/// Where libc looks for its modules.
pub(crate) fn module_folders() -> Vec<PathBuf> {
    let prefixes = ["/", "/usr", "/usr/local"];
    prefixes.iter().flat_map(|prefix| below(Path::new(prefix))).collect()
}

fn below(prefix: &Path) -> [PathBuf; 3] {
    [prefix.join("lib").join(MULTIARCH), prefix.join("lib64"), prefix.join("lib")]
}

/// Debian's name for the folder of this architecture's libraries, as the Makefile has it from the C
/// compiler; where there is none, `lib64` and `lib` remain.
const MULTIARCH: &str = match option_env!("RUSTDNS_MULTIARCH") {
    Some(name) if !name.is_empty() => name,
    _ => ".",
};
