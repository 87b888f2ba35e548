//! Programs of another architecture, run under qemu. `make cross` sets what that takes:
//!
//!     RUSTDNS_CC         the C compiler with its options, s390x-linux-gnu-gcc
//!     RUSTDNS_MUSL_CC    the same for musl, where only that is another architecture's
//!     RUSTDNS_EMULATOR   what runs its programs, qemu-s390x -L /usr/s390x-linux-gnu
//!     RUSTDNS_DIST       a folder with the libraries for it
//!
//! Where they are not set, all is of this machine's own architecture, and run as it is.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

fn words(variable: &str) -> Vec<String> {
    let value = std::env::var(variable).unwrap_or_default();
    value.split_whitespace().map(str::to_owned).collect()
}

/// The C compiler with its options: `native` where no other is set.
pub fn compiler(native: &str) -> Vec<String> {
    let words = words("RUSTDNS_CC");
    if words.is_empty() { vec![native.to_owned()] } else { words }
}

/// The C compiler for musl with its options: `musl-gcc` where `RUSTDNS_MUSL_CC` names no other.
pub fn musl_compiler() -> Vec<String> {
    let words = words("RUSTDNS_MUSL_CC");
    if words.is_empty() { vec!["musl-gcc".to_owned()] } else { words }
}

/// Like [`compiler`], for a binutils program: `readelf` is `s390x-linux-gnu-readelf` there.
pub fn tool(name: &str) -> String {
    match words("RUSTDNS_CC").first().and_then(|cc| cc.strip_suffix("gcc")) {
        Some(prefix) => format!("{prefix}{name}"),
        None => name.to_owned(),
    }
}

/// True where programs are built for another architecture and run under an emulator.
pub fn is_emulated() -> bool {
    !words("RUSTDNS_EMULATOR").is_empty()
}

/// How long a program may take that is given `limit` on this machine: an emulator is slow.
pub fn patience(limit: Duration) -> Duration {
    if is_emulated() { limit * 5 } else { limit }
}

/// A command that runs `program`, through the emulator if that is a file for another machine.
pub fn command(program: &OsStr) -> Command {
    let emulator = words("RUSTDNS_EMULATOR");
    match emulator.split_first() {
        Some((emulator, options)) if is_foreign(Path::new(program)) => {
            let mut command = Command::new(emulator);
            command.args(options).arg(program);
            command
        }
        _ => Command::new(program),
    }
}

/// Puts `library` in front of the program's libc: not of the emulator's, which has its own.
pub fn preload(command: &mut Command, library: &Path) {
    if !is_emulated() {
        command.env("LD_PRELOAD", library);
        return;
    }
    let runs =
        words("RUSTDNS_EMULATOR").first().is_some_and(|e| command.get_program() == OsStr::new(e));
    assert!(runs, "{command:?} is of this machine, the library is not");
    command.env("QEMU_SET_ENV", format!("LD_PRELOAD={}", library.display()));
}

/// True where the ELF file has another class, byte order or machine than the test's own program.
fn is_foreign(program: &Path) -> bool {
    let machine = |path: &Path| {
        let mut head = [0_u8; 20];
        File::open(path).and_then(|mut file| file.read_exact(&mut head)).ok()?;
        head.starts_with(b"\x7fELF").then(|| (head[4], head[5], [head[18], head[19]]))
    };
    let own = machine(Path::new("/proc/self/exe"));
    program.is_absolute() && machine(program).is_some_and(|found| Some(found) != own)
}
