//! Whether libc and the library agree on a case, or differ as documented.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use toml::Table;

use super::cases::World;
use super::outcome::{Outcome, is_like};
use super::support::libcs::Version;

/// A difference on purpose.
#[derive(Clone, Debug)]
pub struct Divergence {
    /// Which cases of the world: calls, with `*` for any text.
    pub calls: Vec<String>,
    /// The row of docs/divergences.md: what its first column begins with.
    pub row: String,
    /// The first libc that does so, and the first that no longer does.
    pub since: Option<Version>,
    pub before: Option<Version>,
    /// What each of the two comes to, as [`Outcome::is_like`] reads it.
    pub libc: String,
    pub rustdns: String,
}

/// What is to be said of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Agrees,
    /// They differ as this row says.
    Documented(String),
    /// They differ, and nothing says so.
    Differs,
    /// They differ in another way than this row says.
    DiffersOtherwise(String),
    /// They agree, against this row.
    Vanished(String),
}

/// What an older libc than this machine's may do otherwise, as `older.toml` has it.
#[derive(Clone, Debug)]
pub struct Older {
    /// The first libc that no longer does so.
    before: Version,
    /// The ids of cases, with `*` for any text.
    cases: Vec<String>,
    /// As in [`Divergence`].
    pub row: String,
}

impl Older {
    /// Everything in `older.toml`.
    pub fn all() -> &'static [Older] {
        static ALL: OnceLock<Vec<Older>> = OnceLock::new();
        ALL.get_or_init(|| {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/older.toml");
            let table: Table = fs::read_to_string(file).unwrap().parse().unwrap();
            let one = |value: &toml::Value| {
                let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
                Older {
                    before: text(&value["before"]).parse().unwrap(),
                    cases: value["cases"].as_array().unwrap().iter().map(text).collect(),
                    row: text(&value["row"]),
                }
            };
            table["older"].as_array().unwrap().iter().map(one).collect()
        })
    }

    fn of(libc: Version, id: &str) -> Option<&'static Older> {
        Older::all().iter().find(|older| {
            libc < older.before && older.cases.iter().any(|pattern| is_like(id, pattern))
        })
    }
}

impl Divergence {
    fn is_about(&self, libc: Version, call: &str) -> bool {
        self.since.is_none_or(|since| since <= libc)
            && self.before.is_none_or(|before| libc < before)
            && self.calls.iter().any(|pattern| is_like(call, pattern))
    }
}

impl Divergence {
    /// True where this call comes to something else with other libcs.
    pub fn is_of_some_libcs(&self, call: &str) -> bool {
        (self.since.is_some() || self.before.is_some())
            && self.calls.iter().any(|pattern| is_like(call, pattern))
    }
}

impl Verdict {
    pub fn of(
        world: &World,
        version: Version,
        call: &str,
        libc: &Outcome,
        rustdns: &Outcome,
    ) -> Verdict {
        let verdict = Verdict::of_world(world, version, call, libc, rustdns);
        match Older::of(version, &world.id(call)) {
            Some(older) if verdict.is_failure() => Verdict::Documented(older.row.clone()),
            _ => verdict,
        }
    }

    fn of_world(
        world: &World,
        version: Version,
        call: &str,
        libc: &Outcome,
        rustdns: &Outcome,
    ) -> Verdict {
        let same = libc == rustdns;
        let Some(documented) = world.differ.iter().find(|d| d.is_about(version, call)) else {
            return if same { Verdict::Agrees } else { Verdict::Differs };
        };
        let row = documented.row.clone();
        if same {
            Verdict::Vanished(row)
        } else if libc.is_like(&documented.libc) && rustdns.is_like(&documented.rustdns) {
            Verdict::Documented(row)
        } else {
            Verdict::DiffersOtherwise(row)
        }
    }

    pub fn is_failure(&self) -> bool {
        !matches!(self, Verdict::Agrees | Verdict::Documented(_))
    }
}

/// What worlds say of differences that can't be: rows that are not in the document, or cases that
/// are not in the world.
pub fn mistakes(worlds: &[World], all_cases: bool) -> Vec<String> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/divergences.md");
    let document = fs::read_to_string(document).unwrap();
    let rows: Vec<&str> = document.lines().filter_map(|line| line.strip_prefix("| ")).collect();
    let mut mistakes = Vec::new();
    for older in Older::all() {
        if !rows.iter().any(|row| row.starts_with(&older.row)) {
            mistakes.push(format!("older.toml: no row begins with {:?}", older.row));
        }
    }
    for world in worlds {
        for divergence in &world.differ {
            if !rows.iter().any(|row| row.starts_with(&divergence.row)) {
                let at = world.id("");
                mistakes.push(format!("{at}no row begins with {:?}", divergence.row));
            }
            // A file's `base` may speak of cases that only some of its worlds have.
            let category = worlds.iter().filter(|other| other.category == world.category);
            let calls: Vec<&String> = category.flat_map(|other| &other.calls).collect();
            for pattern in divergence.calls.iter().filter(|_| all_cases) {
                if !calls.iter().any(|call| is_like(call, pattern)) {
                    mistakes.push(format!("{}: no such case", world.id(pattern)));
                }
            }
        }
    }
    mistakes
}
