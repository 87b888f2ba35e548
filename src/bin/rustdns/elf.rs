//! What an ELF file says of itself (System V ABI, chapters 4 and 5): enough to know whether a library
//! can be loaded into it. Any octets may come; nothing is trusted.

/// What has to be the same in a program and in the libraries that are loaded into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// 32 or 64.
    pub(crate) bits: u8,
    /// The less significant octet first.
    pub(crate) little_endian: bool,
    /// `e_machine`.
    pub(crate) number: u16,
}

impl core::fmt::Display for Machine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match NAMES.iter().find(|(number, _)| *number == self.number) {
            Some((_, name)) => write!(f, "{name}")?,
            None => write!(f, "machine {}", self.number)?,
        }
        let end = if self.little_endian { "little" } else { "big" };
        write!(f, ", {} bits, {end}-endian", self.bits)
    }
}

/// Machines by the numbers of `<elf.h>`.
const NAMES: &[(u16, &str)] = &[
    (2, "SPARC"),
    (3, "x86"),
    (4, "m68k"),
    (8, "MIPS"),
    (20, "PowerPC"),
    (21, "PowerPC64"),
    (22, "S/390"),
    (40, "ARM"),
    (43, "SPARC V9"),
    (62, "x86-64"),
    (183, "AArch64"),
    (243, "RISC-V"),
    (258, "LoongArch"),
    (0x9026, "Alpha"),
    (0x9916, "SW64"),
];

/// An ELF file, read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Elf<'a> {
    pub(crate) machine: Machine,
    /// `PT_INTERP`: the path of the loader; `None` in a static program, and in most libraries.
    pub(crate) interpreter: Option<&'a [u8]>,
    /// `DT_NEEDED`: the libraries that are loaded with it; none where that can't be read.
    pub(crate) needed: Vec<&'a [u8]>,
}

/// Why octets can't be read as an ELF file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotElf {
    /// They begin as no ELF file does.
    Other,
    /// They begin as one, and then make no sense.
    Broken,
}

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NEEDED: usize = 1;
const DT_STRTAB: usize = 5;

/// Reads the file's header and its program headers.
pub(crate) fn read(file: &[u8]) -> Result<Elf<'_>, NotElf> {
    if !file.starts_with(b"\x7fELF") {
        return Err(NotElf::Other);
    }
    read_headers(file).ok_or(NotElf::Broken)
}

fn read_headers(file: &[u8]) -> Option<Elf<'_>> {
    let bits = match file.get(4)? {
        1 => 32,
        2 => 64,
        _ => return None,
    };
    let little_endian = match file.get(5)? {
        1 => true,
        2 => false,
        _ => return None,
    };
    let fields = Fields { file, wide: bits == 64, little_endian };
    let machine = Machine { bits, little_endian, number: fields.half(18)? };
    // e_phoff, e_phentsize, e_phnum; in a program header p_offset, p_vaddr and p_filesz.
    let (at, size, count, offset, address, length) =
        if fields.wide { (32, 54, 56, 8, 16, 32) } else { (28, 42, 44, 4, 8, 16) };
    let table = fields.word(at)?;
    let (size, count) = (usize::from(fields.half(size)?), usize::from(fields.half(count)?));
    let mut interpreter = None;
    let (mut segments, mut dynamic) = (Vec::new(), None);
    for index in 0..count {
        let header = table.checked_add(size.checked_mul(index)?)?;
        let field = |at| fields.word(header.checked_add(at)?);
        let segment = || {
            Some(Segment {
                start: field(offset)?,
                address: field(address)?,
                length: field(length)?,
            })
        };
        match fields.quarter(header)? {
            PT_INTERP => interpreter = Some(text(segment()?.octets(file)?)?),
            PT_LOAD => segments.push(segment()?),
            PT_DYNAMIC => dynamic = segment(),
            _ => {}
        }
    }
    let needed = dynamic.and_then(|dynamic| fields.needed(&dynamic, &segments)).unwrap_or_default();
    Some(Elf { machine, interpreter, needed })
}

/// The text that `octets` begin with, up to its NUL.
fn text(octets: &[u8]) -> Option<&[u8]> {
    octets.split(|&b| b == 0).next()
}

/// A part of the file, and where it lies in memory.
struct Segment {
    start: usize,
    address: usize,
    length: usize,
}

impl Segment {
    fn octets<'a>(&self, file: &'a [u8]) -> Option<&'a [u8]> {
        file.get(self.start..self.start.checked_add(self.length)?)
    }

    /// Where in the file an address is.
    fn place(&self, address: usize) -> Option<usize> {
        let at = address.checked_sub(self.address).filter(|&at| at < self.length)?;
        self.start.checked_add(at)
    }
}

/// Numbers of the file's class and order of octets.
struct Fields<'a> {
    file: &'a [u8],
    wide: bool,
    little_endian: bool,
}

impl<'a> Fields<'a> {
    /// The libraries that the dynamic section names.
    fn needed(&self, dynamic: &Segment, segments: &[Segment]) -> Option<Vec<&'a [u8]>> {
        let word = if self.wide { 8 } else { 4 };
        let (mut names, mut table) = (Vec::new(), None);
        for at in (0..dynamic.length).step_by(2 * word) {
            let entry = dynamic.start.checked_add(at)?;
            let value = self.word(entry.checked_add(word)?)?;
            match self.word(entry)? {
                0 => break,
                DT_NEEDED => names.push(value),
                DT_STRTAB => table = segments.iter().find_map(|segment| segment.place(value)),
                _ => {}
            }
        }
        let table = table?;
        let name = |at: &usize| text(self.file.get(table.checked_add(*at)?..)?);
        names.iter().map(name).collect()
    }

    /// 16 bits.
    fn half(&self, at: usize) -> Option<u16> {
        u16::try_from(self.number(at, 2)?).ok()
    }

    /// 32 bits.
    fn quarter(&self, at: usize) -> Option<u32> {
        u32::try_from(self.number(at, 4)?).ok()
    }

    /// An offset or a size: 32 or 64 bits.
    fn word(&self, at: usize) -> Option<usize> {
        usize::try_from(self.number(at, if self.wide { 8 } else { 4 })?).ok()
    }

    fn number(&self, at: usize, octets: usize) -> Option<u64> {
        let field = self.file.get(at..at.checked_add(octets)?)?;
        let push = |number: u64, &octet: &u8| number << 8 | u64::from(octet);
        Some(if self.little_endian {
            field.iter().rev().fold(0, push)
        } else {
            field.iter().fold(0, push)
        })
    }
}
