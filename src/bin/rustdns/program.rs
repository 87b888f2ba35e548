//! Whether a library can be preloaded into a program. Says why not, and what to do instead.

use crate::answer::{Shown, Trouble};
use crate::elf::{self, Elf, NotElf};
use crate::library::Library;
use rustdns::sys::files::has_capabilities;
use rustdns::sys::process::real_ids;
use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How many scripts may be each other's interpreters; Linux itself allows five.
const MOST_SCRIPTS: usize = 5;

/// Where `execvp(3)` looks when `PATH` isn't set.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The file that `command` stands for: a path where it has a slash, else the first in `PATH` that
/// can be executed.
pub(crate) fn find(command: &OsStr, path: Option<&OsStr>) -> Result<PathBuf, Trouble> {
    let shown = Shown(command.as_bytes());
    if command.as_bytes().contains(&b'/') {
        let file = PathBuf::from(command);
        return match fs::metadata(&file) {
            Ok(_) => Ok(file),
            Err(error) => Err(Trouble::no_program(format_args!("{shown}: {error}"))),
        };
    }
    in_path(command, path).ok_or_else(|| {
        Trouble::no_program(format_args!(
            "{shown}: no such program in PATH; check its spelling, or give its path"
        ))
    })
}

fn in_path(command: &OsStr, path: Option<&OsStr>) -> Option<PathBuf> {
    let folders = path.unwrap_or(OsStr::new(DEFAULT_PATH));
    // An empty folder is the current one: "./" keeps the name from being looked for again.
    std::env::split_paths(folders)
        .map(|folder| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder })
        .map(|folder| folder.join(command))
        .find(|file| {
            fs::metadata(file).is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0)
        })
}

/// What a program that the library can be loaded into wants beside it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wants {
    /// It has AddressSanitizer's runtime, which ends it where another library is loaded first, unless it
    /// is told not to look.
    pub(crate) leave_for_sanitizer: bool,
}

/// What runs next.
enum Next {
    /// The file itself.
    Program(Wants),
    /// The interpreter of a script.
    Interpreter(PathBuf),
}

/// Refuses what `library` can't be loaded into: `program` itself, or the interpreter of a script.
pub(crate) fn check(
    program: &Path,
    library: &Library,
    path: Option<&OsStr>,
) -> Result<Wants, Trouble> {
    let mut file = program.to_owned();
    for _ in 0..=MOST_SCRIPTS {
        match check_file(&file, library, path)? {
            Next::Program(wants) => return Ok(wants),
            Next::Interpreter(next) => file = next,
        }
    }
    let shown = Shown(program.as_os_str().as_bytes());
    Err(Trouble::not_executable(format_args!(
        "{shown}: its #! line leads from script to script without end; name a program there"
    )))
}

/// Refuses one file.
fn check_file(file: &Path, library: &Library, path: Option<&OsStr>) -> Result<Next, Trouble> {
    let shown = Shown(file.as_os_str().as_bytes());
    let cannot = |error| Trouble::not_executable(format_args!("{shown}: {error}"));
    let status = fs::metadata(file).map_err(cannot)?;
    if !status.is_file() {
        return Err(Trouble::not_executable(format_args!("{shown}: not a file; name a program")));
    }
    if status.permissions().mode() & 0o111 == 0 {
        return Err(Trouble::not_executable(format_args!(
            "{shown}: not executable; `chmod +x` makes it so"
        )));
    }
    let content = fs::read(file).map_err(|error| {
        Trouble::refused(format_args!(
            "{shown}: {error}; without reading it nobody can tell whether a library can be preloaded into it"
        ))
    })?;
    match elf::read(&content) {
        Ok(elf) => {
            check_privilege(file, &status)?;
            check_elf(&shown, &elf, library)?;
            let is_sanitizer = |name: &&[u8]| name.starts_with(b"libasan.so");
            Ok(Next::Program(Wants { leave_for_sanitizer: elf.needed.iter().any(is_sanitizer) }))
        }
        Err(NotElf::Broken) => Err(Trouble::not_executable(format_args!(
            "{shown}: a damaged ELF file; install its package again"
        ))),
        Err(NotElf::Other) => match interpreter(&content) {
            Some(line) => follow(&shown, &line, path).map(Next::Interpreter),
            None => Err(Trouble::not_executable(format_args!(
                "{shown}: neither an ELF program nor a script with a #! line; for a shell script say `sh {shown}`"
            ))),
        },
    }
}

/// Who gets other rights by executing a file gets no preloaded library (ld.so(8), secure execution).
/// Where the rights are those that the caller has already, nothing changes and all works.
fn check_privilege(file: &Path, status: &Metadata) -> Result<(), Trouble> {
    let (user, group) = real_ids();
    let mode = status.mode();
    let why = if mode & 0o4000 != 0 && status.uid() != user {
        "is setuid"
    } else if mode & 0o2010 == 0o2010 && status.gid() != group {
        "is setgid"
    } else if user != 0
        && CString::new(file.as_os_str().as_bytes()).is_ok_and(|path| has_capabilities(&path))
    {
        "has file capabilities"
    } else {
        return Ok(());
    };
    let shown = Shown(file.as_os_str().as_bytes());
    Err(Trouble::refused(format_args!(
        "{shown}: {why}, so the system ignores LD_PRELOAD for it; run it as the user whose rights it takes, or for all programs put the library's name into /etc/ld.so.preload"
    )))
}

fn check_elf(shown: &Shown<'_>, elf: &Elf<'_>, library: &Library) -> Result<(), Trouble> {
    if elf.machine != library.machine {
        return Err(Trouble::refused(format_args!(
            "{shown}: is for {}, but {} is for {}; name a library built for the former with --library",
            elf.machine,
            Shown(library.path.as_os_str().as_bytes()),
            library.machine
        )));
    }
    let Some(loader) = elf.interpreter else {
        return Err(Trouble::refused(format_args!(
            "{shown}: is statically linked, and nothing can be preloaded into such a program; link it with librustdns.a in front of libc (`cc -static ... $(pkg-config --static --libs rustdns)`), or link it dynamically"
        )));
    };
    let name = loader.rsplit(|&b| b == b'/').next().unwrap_or_default();
    if name.starts_with(b"ld-musl") != cfg!(target_env = "musl") {
        let (its, ours) =
            if cfg!(target_env = "musl") { ("glibc", "musl") } else { ("musl", "glibc") };
        return Err(Trouble::refused(format_args!(
            "{shown}: runs on {its} (its loader is {}), and this rustdns is built for {ours}; build rustdns on a system with {its}",
            Shown(loader)
        )));
    }
    if !Path::new(OsStr::from_bytes(loader)).exists() {
        return Err(Trouble::refused(format_args!(
            "{shown}: its loader {} is missing; install the libc that it was built for",
            Shown(loader)
        )));
    }
    Ok(())
}

/// The words of a script's #! line: the interpreter, and what is behind it.
struct Line {
    interpreter: OsString,
    words: Vec<OsString>,
}

fn interpreter(content: &[u8]) -> Option<Line> {
    let line = content.strip_prefix(b"#!")?.split(|&b| b == b'\n').next()?;
    let mut words = line
        .split(|&b| b == b' ' || b == b'\t')
        .filter(|word| !word.is_empty())
        .map(|word| OsString::from_vec(word.to_vec()));
    Some(Line { interpreter: words.next()?, words: words.collect() })
}

/// The program that a #! line leads to. `env` runs another in its place: that one is what matters.
fn follow(script: &Shown<'_>, line: &Line, path: Option<&OsStr>) -> Result<PathBuf, Trouble> {
    let interpreter = PathBuf::from(&line.interpreter);
    if let Err(error) = fs::metadata(&interpreter) {
        return Err(Trouble::no_program(format_args!(
            "{script}: its #! line names {}: {error}; install that, or correct the line",
            Shown(line.interpreter.as_bytes())
        )));
    }
    if interpreter.file_name() != Some(OsStr::new("env")) {
        return Ok(interpreter);
    }
    let is_program =
        |word: &&OsString| !word.as_bytes().starts_with(b"-") && !word.as_bytes().contains(&b'=');
    match line.words.iter().find(is_program) {
        Some(word) => find(word, path).map_err(|_| {
            Trouble::no_program(format_args!(
                "{script}: its #! line names {}, which is not in PATH; install that, or correct the line",
                Shown(word.as_bytes())
            ))
        }),
        None => Ok(interpreter),
    }
}
