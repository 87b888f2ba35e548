//! C and C++ programs of `tests/c` linked with what `make` leaves, as pkg-config says and no other way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::sandbox::preload_library;
use super::{foreign, process};

/// With what a program is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Nothing of ours.
    Libc,
    /// `librustdns.so`; it is run with [`dist`] as its `LD_LIBRARY_PATH`.
    Shared,
    /// `librustdns.a` and a static libc.
    Static,
    /// The same, for a compiler that is told itself to link statically.
    StaticPie,
    /// `librustdns.a` in a program that is otherwise dynamic.
    Archive,
    /// A static libc alone.
    StaticLibc,
}

/// Compilers, with what they are to find wrong.
pub const C99: &[&str] = &["gcc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"];
/// The same for C++.
pub const CPP: &[&str] = &["g++", "-std=c++11", "-Wall", "-Wextra", "-pedantic", "-Werror"];
/// C with all that glibc has.
pub const GNU: &[&str] = &["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread"];

/// The folder with libraries, module, header and rustdns.pc.
pub fn dist() -> PathBuf {
    preload_library().parent().unwrap().to_owned()
}

/// Compiles `tests/c/SOURCE` and links it. Neither compiler nor linker may have anything to say.
pub fn program(compiler: &[&str], source: &str, link: Link) -> PathBuf {
    let (program, said) = try_program(compiler, source, link);
    assert_eq!(said, "", "{compiler:?} {source}");
    program
}

/// The same, with what compiler and linker said.
pub fn try_program(compiler: &[&str], source: &str, link: Link) -> (PathBuf, String) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/tests-link");
    fs::create_dir_all(&folder).unwrap();
    // Its own file for each call: other tests link the same source in other ways.
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{source}-{link:?}-{}-{number}", std::process::id());
    let program = folder.join(name);
    let own = foreign::compiler(compiler[0]);
    let mut command = Command::new(&own[0]);
    command.args(&own[1..]);
    command.args(&compiler[1..]).arg("-O1").arg("-g").arg("-o").arg(&program);
    command.arg(root.join("tests/c").join(source));
    match link {
        Link::Libc => {}
        Link::Shared => drop(command.args(pkg_config(&["--cflags", "--libs"]))),
        Link::Static => {
            command.arg("-static").args(pkg_config(&["--static", "--cflags", "--libs"]));
        }
        Link::StaticPie => drop(command.args(pkg_config(&["--static", "--cflags", "--libs"]))),
        Link::Archive => drop(command.arg(dist().join("librustdns.a"))),
        Link::StaticLibc => drop(command.arg("-static")),
    }
    let shown = format!("{command:?}");
    let output = process::run(command, Duration::from_secs(120));
    assert!(output.success(), "{shown}\n{output}");
    (program, output.out() + &output.err())
}

/// What pkg-config says of rustdns in [`dist`].
pub fn pkg_config(what: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", dist()).args(what).arg("rustdns");
    let output = process::run(command, Duration::from_secs(10));
    assert!(output.success(), "pkg-config {what:?} rustdns\n{output}");
    output.out().split_whitespace().map(str::to_owned).collect()
}
