//! Every name of libc's resolver that a program or library of this machine imports is ours, or is left
//! to libc on purpose (docs/imports.md).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use support::process::run;

/// How names of the family begin, whatever underscores stand before.
const FAMILY: &[&str] = &[
    "getaddrinfo",
    "freeaddrinfo",
    "getnameinfo",
    "gai_",
    "gethost",
    "sethost",
    "endhost",
    "h_errno",
    "herror",
    "hstrerror",
    "res_",
    "dn_",
    "ns_",
    "getnet",
    "setnet",
    "endnet",
    "getserv",
    "setserv",
    "endserv",
    "getproto",
    "setproto",
    "endproto",
];

/// How many files nm is given at once.
const AT_ONCE: usize = 200;

fn list(name: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/symbols").join(name);
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn is_in(list: &[String], name: &str) -> bool {
    list.iter().any(|one| match one.strip_suffix('*') {
        Some(start) => name.trim_start_matches('_').starts_with(start),
        None => one == name,
    })
}

/// Dynamic ELF files below the folders where programs and libraries are.
fn files() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        ["/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/usr/local"]
            .map(PathBuf::from)
            .into();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let mut magic = [0; 4];
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file()
                && let Ok(mut file) = fs::File::open(entry.path())
                && file.read_exact(&mut magic).is_ok()
                && magic == *b"\x7fELF"
            {
                found.push(entry.path());
            }
        }
    }
    found
}

/// The family's names that are imported from libc, with one of the files that do.
fn imports(files: &[PathBuf]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for some in files.chunks(AT_ONCE) {
        let mut nm = Command::new("nm");
        nm.env("LC_ALL", "C").args(["-D", "-A", "--undefined-only"]).args(some);
        // It also says what it can't read: other architectures' files, static programs.
        let output = run(nm, Duration::from_secs(120));
        for line in output.out().lines() {
            // FILE: U NAME@GLIBC_2.34; what libc's own libraries have of each other is its own.
            let Some((file, symbol)) = line.split_once(": ") else { continue };
            let Some((name, version)) = symbol.trim().trim_start_matches("U ").split_once('@')
            else {
                continue;
            };
            let bare = name.trim_start_matches('_');
            let is_libcs = version.contains("GLIBC_") && !version.contains("PRIVATE");
            if is_libcs && FAMILY.iter().any(|start| bare.starts_with(start)) {
                found
                    .entry(name.to_owned())
                    .or_insert_with(|| file.trim_end_matches(':').to_owned());
            }
        }
    }
    found
}

/// Would find: a program that is half on libc's resolver and half on ours.
#[test]
fn every_import_is_ours_or_left_to_libc() {
    let files = files();
    let imports = imports(&files);
    assert!(files.len() > 200 && imports.contains_key("getaddrinfo"), "{} files", files.len());
    let (ours, left) = (list("librustdns.so.txt"), list("left-to-libc.txt"));
    let nobodys: Vec<String> = imports
        .iter()
        .filter(|(name, _)| !is_in(&ours, name) && !is_in(&left, name))
        .map(|(name, file)| format!("{name} in {file}"))
        .collect();
    assert!(nobodys.is_empty(), "neither exported nor left to libc: {nobodys:#?}");
}

/// Would find: a name that we have begun to export and still claim to leave alone, and one that libc
/// never had.
#[test]
fn what_is_left_to_libc_is_libcs() {
    let (ours, left) = (list("librustdns.so.txt"), list("left-to-libc.txt"));
    let both: Vec<&String> = ours.iter().filter(|name| is_in(&left, name)).collect();
    assert!(both.is_empty(), "{both:?}");
    assert!(left.is_sorted());

    let mut nm = Command::new("nm");
    let libraries = ["libc.so.6", "libresolv.so.2"].map(|name| {
        let folders = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"].map(PathBuf::from);
        let folders = folders.into_iter().chain([Path::new("/usr/lib").join(multiarch())]);
        let file = folders.map(|folder| folder.join(name)).find(|file| file.exists());
        file.unwrap_or_else(|| panic!("{name} is nowhere"))
    });
    nm.args(["-D", "--defined-only"]).args(libraries);
    let output = run(nm, Duration::from_secs(60));
    let defined: BTreeSet<String> = output
        .out()
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2)?.split('@').next().map(str::to_owned))
        .collect();
    for name in left.iter().filter(|name| !name.ends_with('*')) {
        assert!(defined.contains(name), "libc has no {name}");
    }
}

fn multiarch() -> String {
    let mut cc = Command::new("cc");
    cc.arg("-print-multiarch");
    run(cc, Duration::from_secs(10)).out().trim().to_owned()
}
