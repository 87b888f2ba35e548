//! What is written for people: links lead somewhere, and what commands are shown for exists.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

use std::collections::BTreeSet;
use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let folders = ["", "docs", "packaging"].map(|folder| repository().join(folder));
    let entries = folders.iter().flat_map(|folder| read_dir(folder).unwrap());
    let files = entries.map(|entry| entry.unwrap().path());
    let documents: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|e| e == "md")).collect();
    assert!(documents.len() > 10, "{documents:?}");
    documents
}

/// Targets of `[text](target)` and `![text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// Every document is at most two steps from README.md.
#[test]
fn documents_are_reached_from_readme() {
    let mut reached = BTreeSet::from([repository().join("README.md")]);
    for _ in 0..2 {
        let from: Vec<_> = reached.iter().cloned().collect();
        for document in from.into_iter().filter(|file| file.extension().is_some_and(|e| e == "md"))
        {
            let text = read_to_string(&document).unwrap();
            let paths = links(&text).map(|link| link.split('#').next().unwrap());
            let paths = paths.filter(|path| !path.is_empty() && !path.contains("://"));
            let folder = document.parent().unwrap();
            reached.extend(paths.map(|path| folder.join(path).canonicalize().unwrap()));
        }
    }
    for document in documents() {
        assert!(reached.contains(&document.canonicalize().unwrap()), "{}", document.display());
    }
}

/// How forges name a heading in an address.
fn anchor(heading: &str) -> String {
    let letters = heading.trim().to_lowercase();
    let kept = letters.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut checked = 0;
    for document in documents() {
        let text = read_to_string(&document).unwrap();
        for link in links(&text).filter(|link| !link.contains("://")) {
            let (path, place) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => document.clone(),
                path => document.parent().unwrap().join(path),
            };
            assert!(target.exists(), "{}: {link}", document.display());
            if !place.is_empty() {
                let text = read_to_string(&target).unwrap();
                let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
                let anchors: BTreeSet<_> =
                    headings.map(|line| anchor(line.trim_start_matches('#'))).collect();
                assert!(anchors.contains(place), "{}: {link}", document.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked} links");
}

/// What README.md and CONTRIBUTING.md have typed with make and scripts is there.
#[test]
fn commands_exist() {
    let makefile = read_to_string(repository().join("Makefile")).unwrap();
    let goals: BTreeSet<_> =
        makefile.lines().filter_map(|line| line.strip_prefix(".PHONY: ")).collect();
    let mut checked = 0;
    for document in ["README.md", "CONTRIBUTING.md", "packaging/README.md"] {
        let text = read_to_string(repository().join(document)).unwrap();
        let words: Vec<_> = text
            .split(|c: char| c.is_whitespace() || c == '`')
            .map(|word| word.trim_end_matches([',', '.', ':', ';']))
            .collect();
        for pair in words.windows(2).filter(|pair| pair[0] == "make") {
            // Prose has the word too; a goal is what the Makefile could have.
            if pair[1].contains("-") || goals.contains(pair[1]) {
                assert!(goals.contains(pair[1]), "{document}: make {}", pair[1]);
                checked += 1;
            }
        }
        for script in words.iter().filter(|word| word.starts_with("scripts/")) {
            assert!(repository().join(script).exists(), "{document}: {script}");
        }
    }
    assert!(checked > 10, "{checked} goals");
}

/// Versions stand in three places.
#[test]
fn packages_have_the_version_of_the_crate() {
    let version = env!("CARGO_PKG_VERSION");
    let spec = read_to_string(repository().join("packaging/rustdns.spec")).unwrap();
    assert!(spec.lines().any(|line| line.starts_with("Version:") && line.ends_with(version)));
    let changelog = read_to_string(repository().join("packaging/debian/changelog")).unwrap();
    assert!(changelog.starts_with(&format!("rustdns ({version}")), "{changelog}");
}

/// The rooms of the library, from the topmost down, as src/lib.rs has them.
fn rooms() -> Vec<String> {
    let text = read_to_string(repository().join("src/lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let rooms: Vec<String> = rows.map(|row| row.split('`').next().unwrap().to_owned()).collect();
    let modules = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let (listed, there): (BTreeSet<&str>, BTreeSet<&str>) =
        (rooms.iter().map(String::as_str).collect(), modules.collect());
    assert_eq!(listed, there);
    rooms
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The room that each path of this text leads to which begins at the crate, with its line.
fn named(text: &str) -> Vec<(usize, &str)> {
    // Its own tests may reach up.
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code.lines().map(|line| line.split("//").next().unwrap()).zip(1..);
    let after = lines
        .flat_map(|(line, number)| line.split("crate::").skip(1).map(move |rest| (number, rest)));
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    after.map(|(number, rest)| (number, rest.split(|c| !is_name(c)).next().unwrap())).collect()
}

/// A room names those below it and none above.
#[test]
fn the_rooms_are_in_order() {
    let rooms = rooms();
    let rank = |room: &str| rooms.iter().position(|name| name == room);
    let (mut checked, mut wrong) = (0, Vec::new());
    for room in &rooms {
        let mut files = Vec::new();
        sources(&repository().join("src").join(room), &mut files);
        for file in files {
            let text = read_to_string(&file).unwrap();
            for (line, other) in named(&text) {
                let place =
                    format!("{}:{line}", file.strip_prefix(repository()).unwrap().display());
                // `use crate::{a, b}` would hide what it names.
                let other = rank(other).unwrap_or_else(|| panic!("{place}: {other:?} is no room"));
                checked += 1;
                if other < rank(room).unwrap() {
                    wrong.push(format!("{place}: {room} names {}", rooms[other]));
                }
            }
        }
    }
    assert!(checked > 500, "{checked} paths");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
