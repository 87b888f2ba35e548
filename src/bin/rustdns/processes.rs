//! Processes that show what the library does in them (setting `stats`), and their counters.
//!
//! What a process has mapped says which file is its own: the kernel's word, which no file left behind by
//! another one that had the same number can contradict.

use crate::answer::{Shown, Trouble};
use rustdns::counters::Totals;
use rustdns::counters::publish::PREFIX;
use rustdns::sys::published::{HEADER, MAGIC, NUMBERS, STRIPES};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A process and what it has done so far.
pub(crate) struct Process {
    pub(crate) id: u32,
    /// As its command line begins: a program's name.
    pub(crate) name: String,
    pub(crate) totals: Totals,
}

/// The counters of one process.
pub(crate) fn one(id: u32) -> Result<Process, Trouble> {
    let maps = match fs::read(format!("/proc/{id}/maps")) {
        Ok(maps) => maps,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Err(Trouble::refused(format_args!(
                "process {id} belongs to somebody else: try as its user, or as root"
            )));
        }
        // A process that ends meanwhile has no maps any more (ESRCH).
        Err(_) => return Err(Trouble::not_found(format_args!("there is no process {id}"))),
    };
    let Some(mapping) = own_mapping(id, &maps) else { return Err(why_none(id, &maps)) };
    let totals = mapping.read(id).map_err(|error| {
        Trouble::refused(format_args!("{}: {error}", Shown(mapping.path.as_os_str().as_bytes())))
    })?;
    Ok(Process { id, name: name(id), totals })
}

/// Those of all processes that show them to this user, by id.
pub(crate) fn all() -> Vec<Process> {
    let mut all: Vec<_> = ids().filter_map(|id| one(id).ok()).collect();
    all.sort_by_key(|process| process.id);
    all
}

fn ids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Why a process has no file of counters, and what to do about it.
fn why_none(id: u32, maps: &[u8]) -> Trouble {
    let has = |beginning: &[u8]| mappings(maps).any(|m| m.base().starts_with(beginning));
    if has(b"librustdns.so") || has(b"libnss_rustdns.so") {
        return Trouble::not_found(format_args!(
            "process {id} has rustdns, but shows nothing of it: start it with RUSTDNS_STATS=on, or put \
             `stats on` into /etc/rustdns.conf (it counts from its first lookup on)"
        ));
    }
    if maps.is_empty() {
        return Trouble::not_found(format_args!("process {id} is the kernel's own, or a zombie"));
    }
    Trouble::not_found(format_args!("process {id} has no librustdns.so: start it by `rustdns run`"))
}

/// The first word of the command line without its folder, else what the kernel calls the process.
fn name(id: u32) -> String {
    let read = |file: &str| fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
    let line = read("cmdline");
    let word = line.split(|&b| b == 0).next().unwrap_or_default();
    let base = word.rsplit(|&b| b == b'/').next().unwrap_or_default();
    let name = if base.is_empty() { read("comm").trim_ascii().to_vec() } else { base.to_vec() };
    Shown(&name).to_string()
}

/// A shared mapping of a file, out of /proc/PID/maps (proc_pid_maps(5)).
struct Mapping {
    /// Its addresses, as the kernel writes them.
    range: OsString,
    path: PathBuf,
}

impl Mapping {
    fn base(&self) -> &[u8] {
        self.path.file_name().unwrap_or_default().as_bytes()
    }

    /// The counters in the file: as the process sees it, which may have another root, or be in another
    /// mount namespace.
    fn read(&self, id: u32) -> io::Result<Totals> {
        // The mapping itself, where we may (capabilities(7): CAP_CHECKPOINT_RESTORE).
        let itself = Path::new("/proc").join(id.to_string()).join("map_files").join(&self.range);
        let inside = self.path.strip_prefix("/").unwrap_or(&self.path);
        let theirs = Path::new("/proc").join(id.to_string()).join("root").join(inside);
        let file = File::open(itself).or_else(|_| open(&theirs)).or_else(|_| open(&self.path))?;
        let mut octets = Vec::new();
        file.take(LARGEST).read_to_end(&mut octets)?;
        totals(&octets).ok_or_else(|| io::Error::other("no counters that this version knows"))
    }
}

/// No file of counters is larger.
const LARGEST: u64 = (HEADER + STRIPES * NUMBERS * 8) as u64;

fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("not a file")),
    }
}

fn mappings(maps: &[u8]) -> impl Iterator<Item = Mapping> {
    // 7f0000000000-7f0000002000 rw-s 00000000 00:19 1234    /run/rustdns/name
    maps.split(|&b| b == b'\n').filter_map(|line| {
        let slash = line.iter().position(|&b| b == b'/')?;
        let (fields, path) = line.split_at_checked(slash)?;
        let range = fields.split(|&b| b == b' ').next()?;
        let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
        let range = OsString::from_vec(range.to_vec());
        Some(Mapping { range, path: PathBuf::from(OsString::from_vec(path.to_vec())) })
    })
}

/// The mapping of a process's own counters. A child has its parent's mapped too, until it execs: they are
/// told apart by the process id in the name, as the process itself knows it.
fn own_mapping(id: u32, maps: &[u8]) -> Option<Mapping> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    // NSpid: the id in each namespace, the innermost last.
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let own = ids.and_then(|ids| ids.split_whitespace().last()?.parse().ok()).unwrap_or(id);
    let beginning = format!("{PREFIX}{own}.");
    mappings(maps).find(|mapping| mapping.base().starts_with(beginning.as_bytes()))
}

/// What a file of counters says; `None` where it is none of this version's.
fn totals(octets: &[u8]) -> Option<Totals> {
    let (header, stripes) = octets.split_at_checked(HEADER)?;
    let (magic, rest) = header.split_first_chunk::<8>()?;
    let word = u32::from_ne_bytes(*rest.first_chunk()?) as usize;
    if *magic != MAGIC || !matches!(word, 4 | 8) || stripes.len() < STRIPES * NUMBERS * word {
        return None;
    }
    let mut totals = [0u64; NUMBERS];
    for stripe in stripes.chunks_exact(NUMBERS * word).take(STRIPES) {
        for (total, number) in totals.iter_mut().zip(stripe.chunks_exact(word)) {
            let number = match number.first_chunk() {
                Some(octets) => u64::from_ne_bytes(*octets),
                None => u32::from_ne_bytes(*number.first_chunk()?).into(),
            };
            *total = total.wrapping_add(number);
        }
    }
    // A number that was taken away is its complement: the sum is one of as many bits.
    let bits = if word == 4 { u64::from(u32::MAX) } else { u64::MAX };
    Some(Totals(totals.map(|total| (total & bits) as usize)))
}

/// Removes files of this user's that no process has mapped: killed ones have left them. Says nothing,
/// for there is nothing to be done about one that stays.
pub(crate) fn sweep() {
    let user = rustdns::sys::process::effective_user();
    let mut mapped = BTreeSet::new();
    // Processes that can't be looked into keep all files that bear their numbers.
    let mut hidden = BTreeSet::new();
    for id in ids() {
        match fs::read(format!("/proc/{id}/maps")) {
            Ok(maps) => mapped.extend(mappings(&maps).map(|mapping| mapping.base().to_vec())),
            Err(_) => drop(hidden.insert(id)),
        }
    }
    let system =
        if user == 0 { "/run/rustdns".into() } else { format!("/run/user/{user}/rustdns") };
    for folder in [system, format!("/tmp/rustdns-{user}")] {
        let Ok(status) = fs::symlink_metadata(&folder) else { continue };
        if !status.is_dir() || status.uid() != user {
            continue;
        }
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_left = id_in(&name).is_some_and(|id| !hidden.contains(&id))
                && !mapped.contains(name.as_bytes());
            // One that is being made is mapped in a moment.
            let is_old = entry
                .metadata()
                .and_then(|status| status.modified())
                .is_ok_and(|made| made.elapsed().is_ok_and(|age| age.as_secs() >= 1));
            if is_left && is_old {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// The process in a file's name.
fn id_in(name: &OsStr) -> Option<u32> {
    name.to_str()?.strip_prefix(PREFIX)?.split('.').next()?.parse().ok()
}
