//! `rustdns run`: gives a program the library and its settings, and lets it take this process's place.

use crate::answer::{Shown, Trouble};
use crate::arguments::Run;
use crate::library::Library;
use crate::{Outcome, program};
use rustdns::config::settings::Settings;
use rustdns::sys::interfaces;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Executes the program; returns only where that can't be.
pub(crate) fn run(arguments: &Run) -> Outcome {
    let Some((command, rest)) = arguments.command.split_first() else {
        return Err(Trouble::refused("no program given; say `rustdns run -- CMD`"));
    };
    let servers = servers(&arguments.server)?;
    let root = arguments.root.as_deref().map(root).transpose()?;
    let library = Library::find(arguments.library.as_deref())?;
    let path = variable("PATH");
    let file = program::find(command, path.as_deref())?;
    let wants = program::check(&file, &library, path.as_deref())?;

    let present = variable("LD_PRELOAD");
    if has_torsocks(present.as_deref()) {
        let _ = writeln!(
            std::io::stderr(),
            "rustdns: torsocks is preloaded too: no server is asked, names go to torsocks"
        );
    }
    let mut program = Command::new(&file);
    program.arg0(command).args(rest);
    program.env("LD_PRELOAD", preload(library.path.as_os_str(), present));
    program.env("GODEBUG", godebug(variable("GODEBUG")));
    if wants.leave_for_sanitizer {
        program.env("ASAN_OPTIONS", sanitizer_options(variable("ASAN_OPTIONS")));
    }
    for (name, value) in [
        ("RUSTDNS_UPSTREAM", servers),
        ("RUSTDNS_ROOT", root),
        ("RUSTDNS_DEBUG", arguments.debug.map(|level| level.to_string().into())),
    ] {
        if let Some(value) = value {
            program.env(name, value);
        }
    }
    let error = program.exec();
    Err(Trouble::not_executable(format_args!("{}: {error}", Shown(file.as_os_str().as_bytes()))))
}

#[allow(clippy::disallowed_methods, reason = "this process has one thread: nobody is in setenv")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The servers as the setting `upstream` has them.
fn servers(given: &[OsString]) -> Result<Option<OsString>, Trouble> {
    for server in given {
        let mut settings = Settings::default();
        let set = settings.set(b"upstream", server.as_bytes(), 0, &interfaces::index);
        if set.is_err() || settings.upstream.addresses.len() != 1 {
            return Err(Trouble::refused(format_args!(
                "--server {}: not an address; say for example 192.0.2.1, [2001:db8::1]:5353 or tls://192.0.2.1#dns.example",
                Shown(server.as_bytes())
            )));
        }
    }
    Ok((!given.is_empty()).then(|| given.join(OsStr::new(" "))))
}

/// The folder's absolute path: the program may change its own folder before it looks anything up.
fn root(folder: &Path) -> Result<OsString, Trouble> {
    let shown = Shown(folder.as_os_str().as_bytes());
    match folder.canonicalize() {
        Ok(path) if path.is_dir() => Ok(path.into_os_string()),
        Ok(_) => Err(Trouble::refused(format_args!("--root {shown}: not a folder"))),
        Err(error) => Err(Trouble::refused(format_args!(
            "--root {shown}: {error}; name a folder that has etc/resolv.conf, etc/hosts and the like"
        ))),
    }
}

/// The objects that `LD_PRELOAD` names (ld.so(8)).
fn objects(value: &OsStr) -> impl Iterator<Item = &[u8]> {
    let words = value.as_bytes().split(|&b| b == b':' || b.is_ascii_whitespace());
    words.filter(|object| !object.is_empty())
}

fn has_torsocks(present: Option<&OsStr>) -> bool {
    let is_torsocks = |object: &[u8]| {
        let name = object.rsplit(|&b| b == b'/').next();
        name.is_some_and(|name| name.starts_with(b"libtorsocks.so"))
    };
    present.is_some_and(|present| objects(present).any(is_torsocks))
}

/// `LD_PRELOAD` with the library in front of what is there already.
pub(crate) fn preload(library: &OsStr, present: Option<OsString>) -> OsString {
    let present = present.unwrap_or_default();
    let others = objects(&present).filter(|other| *other != library.as_bytes());
    let mut value = library.as_bytes().to_vec();
    for other in others {
        value.push(b':');
        value.extend_from_slice(other);
    }
    OsString::from_vec(value)
}

/// `ASAN_OPTIONS` by which AddressSanitizer's runtime need not be the first library: what it replaces, we
/// don't. The programs that this one starts are left without the runtime, as they are without us.
fn sanitizer_options(present: Option<OsString>) -> OsString {
    let mut value = present.unwrap_or_default().into_vec();
    if !value.is_empty() {
        value.push(b':');
    }
    value.extend_from_slice(b"verify_asan_link_order=0");
    OsString::from_vec(value)
}

/// `GODEBUG` with Go's resolver told to call libc's functions, other settings kept.
fn godebug(present: Option<OsString>) -> OsString {
    let present = present.unwrap_or_default();
    let mut value = Vec::new();
    for other in present.as_bytes().split(|&b| b == b',') {
        if !other.is_empty() && !other.starts_with(b"netdns=") {
            value.extend_from_slice(other);
            value.push(b',');
        }
    }
    value.extend_from_slice(b"netdns=cgo");
    OsString::from_vec(value)
}
