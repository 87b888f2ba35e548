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
}

/// Why octets can't be read as an ELF file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotElf {
    /// They begin as no ELF file does.
    Other,
    /// They begin as one, and then make no sense.
    Broken,
}

const PT_INTERP: u32 = 3;

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
    // e_phoff, e_phentsize, e_phnum; in a program header p_offset and p_filesz.
    let (at, size, count, offset, length) =
        if fields.wide { (32, 54, 56, 8, 32) } else { (28, 42, 44, 4, 16) };
    let table = fields.word(at)?;
    let (size, count) = (usize::from(fields.half(size)?), usize::from(fields.half(count)?));
    let mut interpreter = None;
    for index in 0..count {
        let header = table.checked_add(size.checked_mul(index)?)?;
        if fields.quarter(header)? == PT_INTERP {
            let start = fields.word(header.checked_add(offset)?)?;
            let length = fields.word(header.checked_add(length)?)?;
            let path = file.get(start..start.checked_add(length)?)?;
            interpreter = Some(path.split(|&b| b == 0).next()?);
        }
    }
    Some(Elf { machine, interpreter })
}

/// Numbers of the file's class and order of octets.
struct Fields<'a> {
    file: &'a [u8],
    wide: bool,
    little_endian: bool,
}

impl Fields<'_> {
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
