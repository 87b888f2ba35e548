//! Bugs planted into a copy of the library, to see that the cases find them (`mutants.toml`).
//!
//! All of them are in one build, each behind a question to the environment: one build takes a while,
//! and a run of a few cases next to nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use toml::Table;

use super::cases::{self, World};
use super::probe::Side;
use super::run;
use super::support::libcs::Libc;
use super::support::process;
use super::support::sandbox::Sandbox;

/// How long the build may take; it begins from nothing in a fresh clone.
const BUILD: Duration = Duration::from_secs(400);

/// Mutants at once.
const THREADS: usize = 6;

/// The question to the environment, in a module of the copy.
const PLANTED: &str = "//! Which of the planted bugs is on.
/// Whether it is this one.
pub fn is(name: &str) -> bool {
    std::env::var_os(\"RUSTDNS_PLANTED\").is_some_and(|on| on == name)
}
";

/// One bug.
#[derive(Debug)]
pub struct Mutant {
    pub category: String,
    /// Distinguishes it from the others.
    pub name: String,
    file: PathBuf,
    find: String,
    replacement: String,
    /// A text that the ids of its cases have.
    cases: String,
}

pub fn all() -> Vec<Mutant> {
    let file = root().join("tests/differential/mutants.toml");
    let table: Table = fs::read_to_string(file).unwrap().parse().unwrap();
    let mutants = table["mutant"].as_array().unwrap().iter().enumerate();
    mutants
        .map(|(number, mutant)| {
            let text = |key: &str| mutant[key].as_str().unwrap().to_owned();
            let name = format!("{}-{number}", text("category"));
            Mutant {
                category: text("category"),
                file: Path::new("src").join(text("file")),
                find: text("find"),
                replacement: text("replacement")
                    .replace("PLANTED", &format!("crate::planted::is(\"{name}\")")),
                cases: text("cases"),
                name,
            }
        })
        .collect()
}

/// Categories without a mutant.
pub fn forgotten(mutants: &[Mutant], worlds: &[World]) -> Vec<String> {
    let with: BTreeSet<&String> = mutants.iter().map(|mutant| &mutant.category).collect();
    let all: BTreeSet<&String> = worlds.iter().map(|world| &world.category).collect();
    all.difference(&with).map(|category| (*category).clone()).collect()
}

/// Builds the library with all mutants in it.
pub fn build(mutants: &[Mutant]) -> PathBuf {
    let copy = root().join("target/mutants");
    // The manifest names what is in both.
    for folder in ["src", "encrypted", "benches"] {
        let target = copy.join(folder);
        if target.exists() {
            fs::remove_dir_all(&target).unwrap();
        }
        copy_folder(&root().join(folder), &target);
    }
    let source = copy.join("src");
    for file in ["Cargo.toml", "Cargo.lock", "build.rs"] {
        fs::copy(root().join(file), copy.join(file)).unwrap();
    }
    fs::write(source.join("planted.rs"), PLANTED).unwrap();
    replace(&source.join("lib.rs"), "pub mod abi;", "pub mod abi;\npub mod planted;");
    for mutant in mutants {
        replace(&copy.join(&mutant.file), &mutant.find, &mutant.replacement);
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["rustc", "--lib", "--crate-type", "cdylib", "--locked"]).current_dir(&copy);
    // Of its own, so that no other build waits for it; and of no use but to be run once.
    cargo.env("CARGO_TARGET_DIR", copy.join("target")).env("CARGO_PROFILE_DEV_DEBUG", "0");
    let output = process::run(cargo, BUILD);
    assert!(output.success(), "{output}");
    copy.join("target/debug/librustdns.so")
}

/// What is wrong with the mutants: not found by their cases, or found where they are not.
pub fn not_caught(mutants: &[Mutant], library: &Path) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let libc = Libc::machine();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let found =
                        [false, true].map(|planted| is_caught(mutant, &libc, library, planted));
                    let problem = match found {
                        [false, true] => continue,
                        [true, _] => "its cases differ without it",
                        [false, false] => "no case differs with it",
                    };
                    wrong.lock().unwrap().push(format!("{problem}: {mutant:?}"));
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

/// Whether the cases of a mutant differ.
fn is_caught(mutant: &Mutant, libc: &Libc, library: &Path, planted: bool) -> bool {
    let side = Side::Rustdns {
        libc: libc.clone(),
        library: library.to_owned(),
        planted: planted.then(|| mutant.name.clone()),
    };
    let worlds = cases::load(Some(&mutant.cases));
    let category = |world: &World| world.category == mutant.category;
    assert!(worlds.iter().any(category), "{}: no case has {:?}", mutant.name, mutant.cases);
    worlds.iter().filter(|world| category(world)).enumerate().any(|(index, world)| {
        let mut caught = false;
        Sandbox::enter(|sandbox| {
            let results = run::one(sandbox, index, world, libc, &side, false);
            caught = results.iter().any(|result| result.verdict.is_failure());
        });
        caught
    })
}

fn replace(file: &Path, find: &str, replacement: &str) {
    let text = fs::read_to_string(file).unwrap();
    let times = text.matches(find).count();
    assert_eq!(times, 1, "{}: {find:?} is there {times} times", file.display());
    fs::write(file, text.replace(find, replacement)).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
