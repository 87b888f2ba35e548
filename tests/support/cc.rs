//! The C probes of `tests/c`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::foreign;
use super::sandbox::preload_library;

/// The program made from `tests/c/NAME.c`; compiled once in each test process.
pub fn program(name: &str) -> PathBuf {
    build(name, &[])
}

/// The same as [`program`], by another compiler than the machine's: see [`super::libcs`].
pub fn program_by(compiler: &[String], name: &str) -> PathBuf {
    compile(compiler, name, name, &[], &[])
}

/// The shared object made from `tests/c/NAME.c`.
pub fn shared_object(name: &str) -> PathBuf {
    build(name, &["-shared", "-fPIC"])
}

/// The same as [`program`], with a library of the system's, `-lLIBRARY`.
pub fn linked_program(name: &str, library: &str) -> PathBuf {
    let library = format!("-l{library}");
    build_from(name, &format!("{name}{library}"), &[], &[Path::new(&library)])
}

/// `tests/c/other_object.c` as an object that fits the library.
pub fn fitting_object() -> PathBuf {
    build_from("other_object", "fitting_object", &["-shared", "-fPIC", "-DTHAT_FITS"], &[])
}

/// The program made from `tests/c/NAME.cpp`.
pub fn cxx_program(name: &str) -> PathBuf {
    build_from(name, name, &["-x", "c++"], &[])
}

/// The same as [`program`], for AddressSanitizer and UndefinedBehaviorSanitizer.
pub fn address_sanitized(name: &str) -> PathBuf {
    let options = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"];
    build_from(name, &format!("{name}-address"), &options, &[])
}

/// The same as [`program`], for ThreadSanitizer, with the library linked.
pub fn thread_sanitized(name: &str) -> PathBuf {
    let (memory, library) = (shared_object("tsan_memory"), preload_library());
    build_from(name, &format!("{name}-thread"), &["-fsanitize=thread"], &[&library, &memory])
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
    found.then(|| {
        compile(&["musl-gcc".to_owned()], name, &format!("{name}-musl"), &["-static"], &[])
    })
}

/// A folder with `libnss_crash.so.2`, the module of `make demo` that writes to address 0x46.
pub fn crash_module() -> PathBuf {
    let options = ["-shared", "-fPIC", "-Wl,-soname,libnss_crash.so.2"];
    let module = build_from("../../demo/nss_crash", "libnss_crash.so.2", &options, &[]);
    module.parent().unwrap().to_owned()
}

fn build(name: &str, options: &[&str]) -> PathBuf {
    build_from(name, name, options, &[])
}

fn build_from(name: &str, target: &str, options: &[&str], archives: &[&Path]) -> PathBuf {
    compile(&foreign::compiler("cc"), name, target, options, archives)
}

/// `NAME.c` and these archives, as `target`.
fn compile(
    compiler: &[String],
    name: &str,
    target: &str,
    options: &[&str],
    archives: &[&Path],
) -> PathBuf {
    static BUILT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // One folder for each compiler: `cc`'s programs are not those of another architecture's.
    let folder = root.join("target/tests-c").join(Path::new(&compiler[0]).file_name().unwrap());
    let program = folder.join(target);
    // The set is only changed after a success, so a failed test leaves it whole.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if built.contains(&program) {
        return program;
    }
    let (extension, standard) = match options {
        ["-x", "c++", ..] => ("cpp", "-std=gnu++17"),
        _ => ("c", "-std=gnu11"),
    };
    // The driver of the same name that links with the C++ library.
    let driver = if extension == "cpp" && compiler[0] == "cc" { "c++" } else { &compiler[0] };
    let source = root.join("tests/c").join(name).with_extension(extension);
    fs::create_dir_all(&folder).unwrap();
    // Other test processes may be at it too: each writes its own file, then puts it in place.
    let unfinished = folder.join(format!("{target}.{}", std::process::id()));
    let output = Command::new(driver)
        .args(&compiler[1..])
        .args([standard, "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"])
        .args(options)
        .arg("-o")
        .arg(&unfinished)
        .arg(&source)
        .args(archives)
        .output()
        .unwrap_or_else(|e| panic!("{compiler:?}: {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler:?} {}: {errors}", source.display());
    fs::rename(&unfinished, &program).unwrap();
    built.insert(program.clone());
    program
}
