//! The C probes of `tests/c`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::sandbox::preload_library;

/// The program made from `tests/c/NAME.c`; compiled once in each test process.
pub fn program(name: &str) -> PathBuf {
    build(name, &[])
}

/// The shared object made from `tests/c/NAME.c`.
pub fn shared_object(name: &str) -> PathBuf {
    build(name, &["-shared", "-fPIC"])
}

/// The program made from `tests/c/NAME.cpp`.
pub fn cxx_program(name: &str) -> PathBuf {
    build_from(name, name, &["-x", "c++"], &[])
}

/// The same as [`program`], linked statically with the library's archive. The linker must have
/// nothing to say, and take nothing from libc that the archive has.
pub fn static_program(name: &str) -> PathBuf {
    let archive = preload_library().with_extension("a");
    build_from(name, &format!("{name}-static"), &["-static", "-Wl,--fatal-warnings"], &[&archive])
}

/// The same as [`program`], linked statically with musl and without the library; `None` where there is
/// no musl-gcc (scripts/packages.musl).
pub fn musl_program(name: &str) -> Option<PathBuf> {
    let found = ["/bin", "/usr/bin"].iter().any(|bin| Path::new(bin).join("musl-gcc").exists());
    found.then(|| compile("musl-gcc", name, &format!("{name}-musl"), &["-static"], &[]))
}

fn build(name: &str, options: &[&str]) -> PathBuf {
    build_from(name, name, options, &[])
}

fn build_from(name: &str, target: &str, options: &[&str], archives: &[&Path]) -> PathBuf {
    compile("cc", name, target, options, archives)
}

/// `NAME.c` and these archives, as `target`.
fn compile(
    compiler: &str,
    name: &str,
    target: &str,
    options: &[&str],
    archives: &[&Path],
) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
    // The map is only changed after a success, so a failed test leaves it whole.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    if let Some(program) = built.get(target) {
        return program.clone();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (compiler, extension, standard) = match options {
        ["-x", "c++", ..] => ("c++", "cpp", "-std=gnu++17"),
        _ => (compiler, "c", "-std=gnu11"),
    };
    let source = root.join("tests/c").join(name).with_extension(extension);
    let folder = root.join("target/tests-c");
    fs::create_dir_all(&folder).unwrap();
    // Other test processes may be at it too: each writes its own file, then puts it in place.
    let unfinished = folder.join(format!("{target}.{}", std::process::id()));
    let output = Command::new(compiler)
        .args([standard, "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"])
        .args(options)
        .arg("-o")
        .arg(&unfinished)
        .arg(&source)
        .args(archives)
        .output()
        .unwrap_or_else(|e| panic!("{compiler}: {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler} {}: {errors}", source.display());
    let program = folder.join(target);
    fs::rename(&unfinished, &program).unwrap();
    built.insert(target.to_owned(), program.clone());
    program
}
