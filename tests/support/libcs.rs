//! C libraries to compare with: this machine's, and those of other releases of Debian that
//! `scripts/roots` makes ready. Users have many; where they differ, the library does as the newest.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::OnceLock;

use super::process::run;
use super::sandbox::{Sandbox, preload_library};
use super::{cc, foreign};

/// Those that `make differential-roots` compares with, oldest first.
pub const SUITES: [&str; 3] = ["bullseye", "trixie", "sid"];

/// The one that `make test` compares with, beside this machine's.
pub const NEWER: &str = "trixie";

/// A version of glibc: 2.41 is `Version(2, 41)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Version, String> {
        let number = |text: &str| text.parse().map_err(|e| format!("{text}: {e}"));
        let (major, minor) = text.split_once('.').ok_or_else(|| format!("{text} is no version"))?;
        Ok(Version(number(major)?, number(minor)?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A C library that programs can be run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Libc {
    pub version: Version,
    compiler: Vec<String>,
    /// The library can be preloaded there.
    takes_library: bool,
}

impl Libc {
    /// This machine's.
    pub fn machine() -> Libc {
        Libc::of_compiler(foreign::compiler("cc"), true)
    }

    /// That of another release of Debian.
    pub fn of(suite: &str) -> Libc {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/roots");
        let output = Command::new(script).arg(suite).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let why = "in a sandbox it has no network, and must have been run before";
        assert!(output.status.success(), "scripts/roots {suite}: {why}: {errors}");
        let compiler = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        let libc = Libc::of_compiler(vec![compiler], false);
        Libc { takes_library: libc.takes(&preload_library()), ..libc }
    }

    /// The one that `RUSTDNS_LIBC` names, or else this machine's.
    pub fn chosen() -> &'static Libc {
        static CHOSEN: OnceLock<Libc> = OnceLock::new();
        CHOSEN.get_or_init(|| match std::env::var("RUSTDNS_LIBC") {
            Ok(suite) => Libc::of(&suite),
            Err(_) => Libc::machine(),
        })
    }

    /// That one, and the newer one of `make test`: for what libcs do in different ways.
    pub fn several() -> &'static [Libc] {
        static SEVERAL: OnceLock<Vec<Libc>> = OnceLock::new();
        SEVERAL.get_or_init(|| {
            let newer = (!foreign::is_emulated()).then(|| Libc::of(NEWER));
            let mut all = vec![Libc::chosen().clone()];
            all.extend(newer.filter(|newer| newer != Libc::chosen()));
            all
        })
    }

    /// The probe `tests/c/NAME.c`, linked with it.
    pub fn program(&self, name: &str) -> PathBuf {
        cc::program_by(&self.compiler, name)
    }

    /// The probe as the library is preloaded into it: linked with this libc, or where that is too old
    /// for the library as it was built, with this machine's.
    pub fn program_for_library(&self, name: &str) -> PathBuf {
        if self.takes_library { self.program(name) } else { Libc::machine().program(name) }
    }

    /// As its own headers say.
    fn of_compiler(compiler: Vec<String>, takes_library: bool) -> Libc {
        let mut cpp = Command::new(&compiler[0]);
        cpp.args(&compiler[1..]).args(["-E", "-P", "-"]);
        cpp.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = cpp.spawn().unwrap_or_else(|e| panic!("{compiler:?}: {e}"));
        let asked = b"#include <features.h>\nversion __GLIBC__ __GLIBC_MINOR__\n";
        child.stdin.take().unwrap().write_all(asked).unwrap();
        let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        let version = match words[..] {
            [.., "version", major, minor] => format!("{major}.{minor}").parse().unwrap(),
            _ => panic!("{compiler:?}: no glibc: {text}"),
        };
        Libc { version, compiler, takes_library }
    }

    fn takes(&self, library: &Path) -> bool {
        let mut command = Command::new(self.program("gai"));
        command.arg("--batch").env("LD_PRELOAD", library);
        let output = run(command, super::differential::LIMIT);
        output.success() && output.stderr.is_empty()
    }
}

/// A command that runs the probe `NAME` with this libc, or with the library in front of it.
pub fn command(sandbox: &Sandbox, libc: &Libc, name: &str, preload: bool) -> Command {
    if preload {
        sandbox.preload(sandbox.command(libc.program_for_library(name)))
    } else {
        sandbox.command(libc.program(name))
    }
}
