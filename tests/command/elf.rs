//! The reader of ELF files, against readelf(1) and against damage.

#[path = "../../src/bin/rustdns/elf.rs"]
mod reader;

use std::fs;
use std::process::Command;

use crate::support::differential::LIMIT;
use crate::support::process;
use crate::support::sandbox::preload_library;
use reader::NotElf;

#[test]
fn the_loader_and_libraries_are_those_that_readelf_names() {
    let library = preload_library();
    let mut loaders = 0;
    for file in ["/usr/bin/true", "/usr/bin/python3", "/usr/bin/env", library.to_str().unwrap()] {
        let mut command = Command::new("readelf");
        command.args(["-W", "-l", "-h", "-d", file]);
        let said = process::run(command, LIMIT).out();
        let loader = said
            .split_once("[Requesting program interpreter: ")
            .and_then(|(_, rest)| rest.split(']').next());
        let content = fs::read(file).unwrap();
        let elf = reader::read(&content).unwrap();
        assert_eq!(elf.interpreter, loader.map(str::as_bytes), "{file}\n{said}");
        assert!(said.contains(&format!("ELF{}", elf.machine.bits)), "{file}\n{said}");
        let order = if elf.machine.little_endian { "little endian" } else { "big endian" };
        assert!(said.contains(order), "{file}\n{said}");
        let libraries = said.split("(NEEDED)").skip(1);
        let libraries = libraries.map(|rest| rest.split(['[', ']']).nth(1).unwrap().as_bytes());
        assert_eq!(elf.needed, libraries.collect::<Vec<_>>(), "{file}\n{said}");
        loaders += usize::from(loader.is_some());
    }
    assert_eq!(loaders, 3);
}

/// Whatever octets come, the reader ends, in bounds: an index outside them would be a panic.
#[test]
fn damage_is_survived() {
    let whole = fs::read("/usr/bin/true").unwrap();
    assert_eq!(reader::read(b"#!/bin/sh\n"), Err(NotElf::Other));
    let mut broken = 0;
    for end in 4..1024 {
        broken += usize::from(reader::read(&whole[..end]) == Err(NotElf::Broken));
    }
    // The file's and the program headers: 64 octets and as many as stand in the first of them.
    let headers = 64 + 56 * usize::from(whole[56]);
    assert!(broken >= headers.min(1024) - 4, "{broken} of {headers}");
    for at in 4..1024 {
        for octet in [0, 1, 0x7f, 0x80, 0xff] {
            let mut file = whole.clone();
            for place in file[at..].iter_mut().take(8) {
                *place = octet;
            }
            let _whatever_it_is = reader::read(&file);
        }
    }
}
