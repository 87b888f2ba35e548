//! Go programs, built once with Debian's Go and with the newest.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::stage::{build_folder, repository, succeed};
use crate::support::link::pkg_config;

/// Whose Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Go {
    Debian,
    Newest,
}

/// How a Go program is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    Dynamic,
    Static,
    /// Static, with `librustdns.a` in front of libc.
    StaticRustdns,
}

/// Builds the Go program `source` with cgo and gives the path of the program; each once.
pub fn go_program(source: &Path, go: Go, link: Link) -> PathBuf {
    type Built = Mutex<Option<HashMap<(PathBuf, Go, Link), PathBuf>>>;
    static BUILT: Built = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    let key = (source.to_owned(), go, link);
    if let Some(program) = built.get(&key) {
        return program.clone();
    }
    let stem = source.file_stem().unwrap().display();
    let folder = source.parent().unwrap().file_name().unwrap().display();
    let program = build_folder().join(format!("{folder}-{stem}-{go:?}-{link:?}"));
    let mut command = Command::new(go_command(go));
    command
        .env("GO111MODULE", "off")
        .env("CGO_ENABLED", "1")
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "")
        .env("GOCACHE", build_folder().join("go-cache"))
        .arg("build");
    let linker_flags = match link {
        Link::Dynamic => None,
        Link::Static => Some("-static".to_owned()),
        Link::StaticRustdns => {
            let libraries = pkg_config(&["--static", "--libs"]).join(" ");
            Some(format!("-static {libraries}"))
        }
    };
    if let Some(flags) = linker_flags {
        command.arg("-ldflags").arg(format!("-linkmode external -extldflags '{flags}'"));
    }
    command.arg("-o").arg(&program).arg(source);
    succeed(command);
    built.insert(key, program.clone());
    program
}

fn go_command(go: Go) -> PathBuf {
    match (go, std::env::var_os("RUSTDNS_NEWEST_GO")) {
        (Go::Debian, _) => PathBuf::from("/usr/bin/go"),
        (Go::Newest, Some(path)) => PathBuf::from(path),
        (Go::Newest, None) => {
            let output = succeed(Command::new(repository().join("scripts/newest-go")));
            PathBuf::from(output.out().trim())
        }
    }
}
