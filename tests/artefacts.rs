//! What `make` leaves: hardened, stripped, and exporting what the committed lists say and no more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use support::link::dist;
use support::process::{Output, run};
use support::sandbox::skip;

const LIBRARY: &str = "librustdns.so";
const MODULE: &str = "libnss_rustdns.so.2";
const ARCHIVE: &str = "librustdns.a";

/// What a tool says of an artefact.
fn ask(tool: &[&str], artefact: &str) -> String {
    let mut command = Command::new(tool[0]);
    command.env("LC_ALL", "C").args(&tool[1..]).arg(dist().join(artefact));
    let output: Output = run(command, Duration::from_secs(60));
    assert!(output.success(), "{tool:?} {artefact}: {output}");
    output.out()
}

/// The values of a tag of the dynamic section.
fn dynamic(artefact: &str, tag: &str) -> Vec<String> {
    let text = ask(&["readelf", "-W", "-d"], artefact);
    let tag = format!("({tag})");
    let lines = text.lines().filter(|line| line.contains(&tag));
    lines.map(|line| line.split(&tag).nth(1).unwrap().trim().to_owned()).collect()
}

#[test]
fn names_and_needs() {
    for (artefact, soname) in [(LIBRARY, "librustdns.so.0"), (MODULE, MODULE)] {
        assert_eq!(dynamic(artefact, "SONAME"), [format!("Library soname: [{soname}]")]);
        for needed in dynamic(artefact, "NEEDED") {
            let known = ["[libc.so.", "[ld-linux", "[ld64.so", "[ld.so"];
            assert!(known.iter().any(|name| needed.contains(name)), "{artefact} needs {needed}");
        }
        assert!(dynamic(artefact, "RUNPATH").is_empty() && dynamic(artefact, "RPATH").is_empty());
    }
}

/// Names that others may take: see the list.
#[test]
fn imports_are_listed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/symbols/imports.txt");
    let text = fs::read_to_string(file).unwrap();
    let listed: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let is_reserved = |name: &str| {
        let second = name.strip_prefix('_').and_then(|rest| rest.chars().next());
        second.is_some_and(|second| second == '_' || second.is_ascii_uppercase())
    };
    let mut used = BTreeSet::new();
    for (artefact, options) in [(LIBRARY, "-Du"), (MODULE, "-Du"), ("librustdns.a", "-u")] {
        let said = ask(&["nm", options], artefact);
        let names = said.lines().filter_map(|line| line.split_whitespace().nth(1));
        let names: Vec<_> = names.map(|name| name.split('@').next().unwrap()).collect();
        assert!(names.contains(&"dlsym"), "{artefact}: {said}");
        for name in names.into_iter().filter(|name| !is_reserved(name)) {
            assert!(listed.contains(&name), "{artefact} takes {name} from libc");
            used.insert(name.to_owned());
        }
    }
    let unused: Vec<_> =
        listed.iter().filter(|name| !name.is_empty() && !used.contains(**name)).collect();
    assert!(unused.is_empty(), "no longer needed: {unused:?}");
}

#[test]
fn hardened() {
    for artefact in [LIBRARY, MODULE] {
        let flags = dynamic(artefact, "FLAGS_1").concat();
        assert!(flags.contains("NOW") && flags.contains("NODELETE"), "{artefact}: {flags}");
        let flags = dynamic(artefact, "FLAGS").concat();
        assert!(flags.contains("BIND_NOW"), "{artefact}: {flags}");
        assert!(
            !flags.contains("TEXTREL") && dynamic(artefact, "TEXTREL").is_empty(),
            "{artefact}"
        );
        // A thread's storage that must be there from the start can't be had by a dlopen.
        assert!(!flags.contains("STATIC_TLS"), "{artefact}: {flags}");
        let segments = ask(&["readelf", "-W", "-l"], artefact);
        assert!(segments.contains("Elf file type is DYN"), "{artefact}: {segments}");
        assert!(segments.contains("GNU_RELRO"), "{artefact}: {segments}");
        let stack = segments.lines().find(|line| line.contains("GNU_STACK"));
        assert!(
            stack.is_some_and(|line| line.contains("RW ") && !line.contains("RWE")),
            "{segments}"
        );
        // Nothing is at once writable and executable.
        assert!(!segments.lines().any(|line| line.contains("LOAD") && line.contains("RWE")));
    }
}

#[test]
fn stripped_with_the_debug_information_apart() {
    for artefact in [LIBRARY, MODULE] {
        let sections = ask(&["readelf", "-W", "-S"], artefact);
        assert!(!sections.contains(".debug_info") && !sections.contains(".symtab"), "{sections}");
        assert!(sections.contains(".gnu_debuglink"), "{sections}");
        let debug = format!("{artefact}.debug");
        assert!(ask(&["readelf", "-W", "-S"], &debug).contains(".debug_info"));
        let link = ask(&["readelf", "--string-dump=.gnu_debuglink"], artefact);
        assert!(link.contains(&debug), "{link}");
    }
}

#[test]
fn exports_of_the_library() {
    compare(LIBRARY, exported(LIBRARY));
}

#[test]
fn exports_of_the_module() {
    compare(MODULE, exported(MODULE));
}

/// The archive's names are the whole truth: a static link takes an object of libc's that has one name of ours
/// and one that we lack, and then complains; any further name may clash with another library's.
#[test]
fn names_of_the_archive() {
    let text = ask(&["nm", "-g", "--defined-only"], ARCHIVE);
    let names = text.lines().filter_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
        // The point that notes of probes count from: one for a whole program.
        [_, _, "_.stapsdt.base"] => None,
        [_, "W", name] => Some(format!("{name} (weak)")),
        [_, _, name] => Some(name.to_owned()),
        _ => None,
    });
    compare(ARCHIVE, names.collect());
    // What is not in the list would be made local. A static program has one pthread_cancel, libc's.
    let list = |name| fs::read_to_string(format!("tests/symbols/{name}.txt")).unwrap();
    let preloaded = list(LIBRARY).replace("pthread_cancel\n", "");
    assert_eq!(list(ARCHIVE).replace(" (weak)", ""), preloaded);
}

fn exported(artefact: &str) -> BTreeSet<String> {
    let text = ask(&["nm", "-D", "--defined-only"], artefact);
    text.lines().filter_map(|line| line.split_whitespace().nth(2)).map(str::to_owned).collect()
}

fn compare(artefact: &str, found: BTreeSet<String>) {
    let list = format!("tests/symbols/{artefact}.txt");
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&list)).unwrap();
    let wanted: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let missing: Vec<_> = wanted.difference(&found).collect();
    let unlisted: Vec<_> = found.difference(&wanted).collect();
    assert!(
        missing.is_empty() && unlisted.is_empty(),
        "{list}: missing {missing:?}, not listed {unlisted:?}"
    );
    assert!(text.lines().is_sorted(), "{list} is not sorted");
}

/// What rustdns.pc says is enough; and it is found beside what it speaks of.
#[test]
fn pkg_config_is_whole() {
    let dist = dist();
    let flags = support::link::pkg_config(&["--cflags", "--libs"]).join(" ");
    assert_eq!(flags, format!("-I{0} -L{0} -lrustdns", dist.display()));
    let version = support::link::pkg_config(&["--modversion"]).concat();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
}

/// `make install` puts all of it in place, `make uninstall` takes all of it away.
#[test]
fn install_and_uninstall() {
    if std::env::var_os("RUSTDNS_DIST").is_some_and(|d| !Path::new(&d).ends_with("target/dist")) {
        return skip("make installs from target/dist, and the library under test is elsewhere");
    }
    let root =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("install-{}", std::process::id()));
    let make = |target: &str, prefix: &str| {
        let mut command = Command::new("make");
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["--no-print-directory", target]);
        command.arg(format!("DESTDIR={}", root.display())).arg(format!("PREFIX={prefix}"));
        // make would build what is older than its source: what is installed is what is tested.
        command.arg("--assume-old=all");
        let output = run(command, Duration::from_secs(600));
        assert!(output.success(), "make {target} PREFIX={prefix}\n{output}");
    };
    let multiarch = run(
        {
            let mut command = Command::new("cc");
            command.arg("-print-multiarch");
            command
        },
        Duration::from_secs(10),
    );
    let multiarch = multiarch.out().trim().to_owned();
    for (prefix, lib) in [("/usr/local", "lib".to_owned()), ("/usr", format!("lib/{multiarch}"))] {
        make("install", prefix);
        let at = |path: &str| root.join(&prefix[1..]).join(path);
        let lib = |name: &str| at(&format!("{}/{name}", lib.trim_end_matches('/')));
        let whole = lib(&format!("librustdns.so.{}", env!("CARGO_PKG_VERSION")));
        for link in ["librustdns.so", "librustdns.so.0"] {
            assert_eq!(lib(link).canonicalize().unwrap(), whole.canonicalize().unwrap());
        }
        for file in [whole, lib(ARCHIVE), lib(MODULE), at("include/rustdns.h")] {
            assert!(file.is_file(), "{}", file.display());
        }
        for page in
            ["man1/rustdns.1", "man3/librustdns.3", "man5/rustdns.conf.5", "man8/libnss_rustdns.8"]
        {
            let name = Path::new(page).file_name().unwrap();
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man").join(name);
            let installed = std::fs::read(at("share/man").join(page)).unwrap();
            assert!(installed == std::fs::read(source).unwrap(), "{page}");
        }
        for file in ["README.md", "docs/faq.md", "examples/systemd/rustdns.conf"] {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let installed = std::fs::read(at("share/doc/rustdns").join(file)).unwrap();
            assert!(installed == std::fs::read(source).unwrap(), "{file}");
        }
        the_command_finds_its_library(&at("bin/rustdns"));
        let pc = fs::read_to_string(lib("pkgconfig/rustdns.pc")).unwrap();
        let shown = lib("").display().to_string();
        let folder = shown.strip_prefix(root.to_str().unwrap()).unwrap().trim_end_matches('/');
        assert!(pc.contains(&format!("libdir={folder}\n")), "{folder}\n{pc}");
        make("uninstall", prefix);
        let left = files_below(&root);
        assert!(left.is_empty(), "{left:?}");
        assert!(!at("share/doc/rustdns").exists());
    }
    std::fs::remove_dir_all(&root).unwrap();
}

/// An installed command preloads the library that was installed with it.
fn the_command_finds_its_library(rustdns: &Path) {
    let mut command = Command::new(rustdns);
    command.args(["run", "--", "sh", "-c", "echo $LD_PRELOAD"]);
    let output = run(command, Duration::from_secs(10));
    assert!(output.success(), "{output}");
    let prefix = rustdns.parent().unwrap().parent().unwrap().canonicalize().unwrap();
    let library = Path::new(output.out().trim_end()).canonicalize().unwrap();
    assert!(library.starts_with(&prefix), "{output}");
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files_below(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}
