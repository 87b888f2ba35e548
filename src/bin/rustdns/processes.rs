//! Processes that show what the library does in them (setting `stats`), and their counters.
//!
//! The counters lie in a shared segment of System V's, which a process's maps list among other such segments:
//! what it begins with tells it from those.

use crate::answer::{Shown, Trouble};
use rustdns::observe::counters::Totals;
use rustdns::sys::published::{self, HEADER, MAGIC, NUMBERS, STRIPES};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};

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
    let totals = counters(id, &maps)?;
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

/// Why a process shows no counters, and what to do about it.
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

/// What a process has mapped, out of /proc/PID/maps (proc_pid_maps(5)).
struct Mapping<'a> {
    start: u64,
    length: u64,
    /// Of a segment: its number.
    inode: i32,
    path: &'a [u8],
}

impl Mapping<'_> {
    fn base(&self) -> &[u8] {
        self.path.rsplit(|&b| b == b'/').next().unwrap_or_default()
    }

    /// The mapping's first octets, not more than a block has: out of the process's memory, wherever it lives; where
    /// only tracers may look at that (Yama), out of the segment itself.
    fn read(&self, id: u32) -> Option<Vec<u8>> {
        let out_of_memory = || {
            let mut memory = File::open(format!("/proc/{id}/mem")).ok()?;
            memory.seek(SeekFrom::Start(self.start)).ok()?;
            let mut octets = vec![0; usize::try_from(self.length.min(LARGEST)).ok()?];
            memory.read_exact(&mut octets).ok()?;
            Some(octets)
        };
        let out_of_segment = || {
            // Another namespace has segments of the same numbers.
            let space = |id: &str| fs::read_link(format!("/proc/{id}/ns/ipc")).ok();
            let is_here = space("self")? == space(&id.to_string())?;
            is_here.then(|| published::look(self.inode, LARGEST as usize)).flatten()
        };
        out_of_memory().or_else(out_of_segment)
    }
}

/// No block is larger.
const LARGEST: u64 = (HEADER + STRIPES * NUMBERS * 8) as u64;

fn mappings(maps: &[u8]) -> impl Iterator<Item = Mapping<'_>> {
    // 7f0000000000-7f0000002000 rw-s 00000000 00:01 1234    /SYSV00000000 (deleted)
    maps.split(|&b| b == b'\n').filter_map(|line| {
        let (fields, path) = line.split_at_checked(line.iter().position(|&b| b == b'/')?)?;
        let mut fields = std::str::from_utf8(fields).ok()?.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        let (start, end) = (number(start)?, number(end)?);
        // As the kernel has it, a number of 64 bits; that of a segment is an int.
        let inode = fields.nth(3)?.parse::<u64>().ok()? as i32;
        let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
        Some(Mapping { start, length: end.checked_sub(start)?, inode, path })
    })
}

/// The counters of a process. A child has its parent's mapped too, until it execs: they are told apart by the
/// process id in them, as the process itself knows it.
fn counters(id: u32, maps: &[u8]) -> Result<Totals, Trouble> {
    let refused = |why| Trouble::refused(format_args!("process {id}: {why}"));
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    // NSpid: the id in each namespace, the innermost last.
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let own = ids.and_then(|ids| ids.split_whitespace().last()?.parse().ok()).unwrap_or(id);
    let mut is_hidden = false;
    for mapping in mappings(maps).filter(|mapping| mapping.base() == b"SYSV00000000") {
        let Some(octets) = mapping.read(id) else {
            is_hidden = true;
            continue;
        };
        match whose(&octets) {
            Whose::Nobodys => {}
            Whose::Process(process) if process != own => {}
            Whose::Process(_) | Whose::OtherVersion => {
                return totals(&octets)
                    .ok_or_else(|| refused("it has no counters that this version knows"));
            }
        }
    }
    if is_hidden {
        return Err(refused("its shared memory is closed to you: try as root"));
    }
    Err(why_none(id, maps))
}

/// Whose counters a segment has.
enum Whose {
    Process(u32),
    OtherVersion,
    Nobodys,
}

fn whose(octets: &[u8]) -> Whose {
    let [name @ .., version] = MAGIC;
    match octets.strip_prefix(&name).and_then(<[u8]>::split_first) {
        None => Whose::Nobodys,
        Some((&found, _)) if found != version => Whose::OtherVersion,
        // Behind the octets of a number.
        Some((_, rest)) => {
            match rest.split_at_checked(4).and_then(|(_, rest)| rest.first_chunk()) {
                Some(process) => Whose::Process(u32::from_ne_bytes(*process)),
                None => Whose::OtherVersion,
            }
        }
    }
}

/// What a block says; `None` where it is none of this version's.
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
