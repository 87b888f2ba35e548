//! The inputs of `tests/corpora`, checked once more: what fuzzing found worth keeping, and what once
//! was wrong. `make fuzz` looks for more.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

#[path = "checks/mod.rs"]
mod checks;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// An input is small enough to be read by people, and a folder to be replayed in no time.
const MOST_OCTETS: usize = 4096;
const MOST_FILES: usize = 60;

fn inputs(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpora").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Would find: whatever an input was kept for.
#[test]
fn every_input_passes_its_check() {
    for (name, check) in checks::ALL {
        let files = inputs(name);
        assert!((1..=MOST_FILES).contains(&files.len()), "{name}: {} inputs", files.len());
        for file in files {
            let input = fs::read(&file).unwrap();
            assert!(input.len() < MOST_OCTETS, "{}", file.display());
            if std::panic::catch_unwind(|| check(&input)).is_err() {
                panic!("{} fails its check, see above", file.display());
            }
        }
    }
}

/// A fuzz target and a folder of inputs for each check, and none besides.
#[test]
fn every_check_has_its_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        entries.map(|entry| stem(entry.unwrap().path())).collect()
    };
    let checks: BTreeSet<String> = checks::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("tests/corpora"), checks);
    assert_eq!(names("fuzz/fuzz_targets"), checks);
}
