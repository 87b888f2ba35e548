//! systemd's and Avahi's NSS modules, with libc beside the library, and the daemons behind them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::cc;
use super::differential::{LIMIT, Pair};
use super::process::run_with_input;
use super::sandbox::{Sandbox, skip};

/// The folder with `lib` and `bin`; `None`, after a loud skip, where it can't be had.
pub fn folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOLDER.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/peers");
        let output = Command::new(script).output().map_err(|e| e.to_string())?;
        if output.status.success() {
            Ok(PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end()))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    });
    match found {
        Ok(folder) => Some(folder),
        Err(why) => {
            skip(&format!("scripts/peers: {}", why.trim_end()));
            None
        }
    }
}

/// Makes the calls in one process of a probe (`gai` or `hostent`), with libc and its modules and with
/// the library.
pub fn compare_probe(sandbox: &Sandbox, peers: &Path, probe: &str, calls: &str) -> Pair {
    let program = cc::program(probe);
    let mut libc = sandbox.command(&program);
    libc.env("LD_LIBRARY_PATH", peers.join("lib"));
    let rustdns = sandbox.preload(sandbox.command(&program));
    let [libc, rustdns] = [libc, rustdns].map(|mut command| {
        command.arg("--batch");
        run_with_input(command, calls.as_bytes(), LIMIT)
    });
    Pair { what: format!("{probe} --batch"), libc, rustdns }
}
