//! Proof that tests can fail: the library is built with a protection taken out, and the test that
//! watches over it has to notice.
//!
//! A list is TOML, of which this is read: one `[[mutant]]` each, with `key = 'literal string'`, which
//! may span lines between `'''`, and comments.
//!
//! ```toml
//! [[mutant]]
//! name = 'answers with any id are believed'
//! file = 'src/source/dns/flight.rs'
//! find = 'sent.form.id == message.id()'    # there once, or the list is out of date
//! replace = 'true'
//! test = 'hostile_servers'                 # the target: tests/hostile_servers/main.rs
//! case = 'answers::wrong_id'               # the test in it that must fail
//! ```
//!
//! Where two protections cover each other, `and_file`, `and_find` and `and_replace` take out the second.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::process::{End, Output, run};
use super::sandbox::Sandbox;

/// How long one build, or one test, may take.
const LIMIT: Duration = Duration::from_secs(240);

/// What the library is built of, and what Cargo.toml names.
const PARTS: [&str; 6] = ["src", "encrypted", "Cargo.toml", "Cargo.lock", "build.rs", "benches"];

/// One protection taken out.
#[derive(Clone, Debug, Default)]
struct Mutant {
    name: String,
    file: String,
    find: String,
    replace: String,
    and_file: String,
    and_find: String,
    and_replace: String,
    test: String,
    case: String,
}

/// Builds each mutant of `tests/mutants/LIST.toml` and demands that its test fails; the same tests
/// pass with the same build unchanged.
pub fn all_are_caught(list: &str) {
    // Where there are no sandboxes most tests skip themselves: then this one does.
    let mut can_run = false;
    Sandbox::enter(|_| can_run = true);
    if !can_run {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join(format!("tests/mutants/{list}.toml"));
    let mutants = parse(&fs::read_to_string(&file).unwrap());
    assert!(!mutants.is_empty(), "{}", file.display());
    let workshop = Workshop::new(root, list);
    let tests = test_programs(root, &mutants);
    let mut complaints: Vec<String> = thread::scope(|scope| {
        let mut verdicts = Vec::new();
        let unchanged = workshop.build("unchanged");
        for (test, program) in &tests {
            let (mutants, unchanged) = (&mutants, unchanged.clone());
            verdicts.push(scope.spawn(move || {
                let cases = mutants.iter().filter(|m| m.test == *test).map(|m| &*m.case);
                // While other libraries are built beside it, a test may once be slower than it may be.
                let cases: Vec<&str> = cases.collect();
                let mut output = run_test(program, cases.iter().copied(), &unchanged);
                if !output.success() {
                    output = run_test(program, cases, &unchanged);
                }
                (!output.success()).then(|| format!("unchanged, {test} fails:\n{output}"))
            }));
        }
        // The tests of one mutant run while the next one is built.
        for (number, mutant) in mutants.iter().enumerate() {
            let originals = workshop.change(mutant);
            let dist = workshop.build(&number.to_string());
            // Backwards: both changes may be in one file.
            for (file, original) in originals.iter().rev() {
                workshop.write(file, original);
            }
            let program = &tests[&mutant.test];
            verdicts.push(scope.spawn(move || judge(mutant, program, &dist)));
        }
        verdicts.into_iter().filter_map(|verdict| verdict.join().unwrap()).collect()
    });
    complaints.dedup();
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

/// What is wrong with the test of a mutant: it doesn't fail.
fn judge(mutant: &Mutant, program: &Path, dist: &Path) -> Option<String> {
    let output = run_test(program, [&*mutant.case], dist);
    let failed = format!("test {} ... FAILED", mutant.case);
    let is_caught = output.end == End::Exit(101) && output.out().contains(&failed);
    (!is_caught).then(|| {
        format!("{}: {} {} does not catch it:\n{output}", mutant.name, mutant.test, mutant.case)
    })
}

fn run_test<'a>(program: &Path, cases: impl IntoIterator<Item = &'a str>, dist: &Path) -> Output {
    let mut command = Command::new(program);
    command.arg("--exact").args(cases).env("RUSTDNS_DIST", dist).env("RUSTDNS_NO_SKIP", "1");
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    run(command, LIMIT)
}

/// A copy of the library's source, with builds of its own.
struct Workshop {
    folder: PathBuf,
}

impl Workshop {
    fn new(root: &Path, list: &str) -> Workshop {
        let workshop = Workshop { folder: root.join("target/mutants").join(list) };
        fs::create_dir_all(&workshop.folder).unwrap();
        for part in PARTS {
            workshop.copy(root, Path::new(part));
        }
        workshop
    }

    /// Copies what differs: what is as it was is not built again. What is gone from the source goes.
    fn copy(&self, root: &Path, part: &Path) {
        let from = root.join(part);
        if from.is_dir() {
            let to = self.folder.join(part);
            fs::create_dir_all(&to).unwrap();
            for there in fs::read_dir(&to).unwrap().map(|entry| entry.unwrap()) {
                if !from.join(there.file_name()).exists() {
                    let path = there.path();
                    let is_gone = if path.is_dir() {
                        fs::remove_dir_all(path)
                    } else {
                        fs::remove_file(path)
                    };
                    is_gone.unwrap();
                }
            }
            for entry in fs::read_dir(from).unwrap() {
                self.copy(root, &part.join(entry.unwrap().file_name()));
            }
            return;
        }
        let content = fs::read_to_string(from).unwrap();
        if fs::read_to_string(self.folder.join(part)).is_ok_and(|old| old == content) {
            return;
        }
        self.write(part, &content);
    }

    fn write(&self, file: impl AsRef<Path>, content: &str) {
        fs::write(self.folder.join(file), content).unwrap();
    }

    /// Puts a mutant's changes in; returns what the files held.
    fn change(&self, mutant: &Mutant) -> Vec<(String, String)> {
        let changes = [
            (&mutant.file, &mutant.find, &mutant.replace),
            (&mutant.and_file, &mutant.and_find, &mutant.and_replace),
        ];
        let real = changes.into_iter().filter(|(file, ..)| !file.is_empty());
        real.map(|(file, find, replace)| {
            let original = fs::read_to_string(self.folder.join(file))
                .unwrap_or_else(|e| panic!("{}: {file}: {e}", mutant.name));
            let places = original.matches(find.as_str()).count();
            assert_eq!(places, 1, "{}: {file} has {find:?}", mutant.name);
            self.write(file, &original.replace(find.as_str(), replace));
            (file.clone(), original)
        })
        .collect()
    }

    /// Builds the library as it is now, quickly; returns the folder it is in. Without AI_IDN, whose
    /// tables are most of what there is to compile.
    fn build(&self, name: &str) -> PathBuf {
        let mut command = cargo();
        command.args(["rustc", "--quiet", "--offline", "--lib", "--crate-type", "cdylib"]);
        command.args(["--no-default-features", "--features", "libc-api,c-api,preload"]);
        command.args(["--target-dir", "target", "--", "-C", "link-arg=-Wl,-Bsymbolic"]);
        command.args(["-C", "link-arg=-Wl,-z,nodelete", "--cap-lints", "allow"]);
        command.envs([("CARGO_PROFILE_DEV_DEBUG", "0"), ("CARGO_PROFILE_DEV_OPT_LEVEL", "1")]);
        command.env("CARGO_INCREMENTAL", "1");
        command.env_remove("RUSTFLAGS").current_dir(&self.folder);
        let output = run(command, LIMIT);
        assert!(output.success(), "{name}: the build fails\n{output}");
        let dist = self.folder.join("dist").join(name);
        fs::create_dir_all(&dist).unwrap();
        let built = self.folder.join("target/debug/librustdns.so");
        fs::copy(&built, dist.join("librustdns.so")).unwrap();
        dist
    }
}

/// The programs of the tests that the mutants name, built.
fn test_programs(root: &Path, mutants: &[Mutant]) -> BTreeMap<String, PathBuf> {
    let mut tests: Vec<&str> = mutants.iter().map(|mutant| &*mutant.test).collect();
    tests.sort_unstable();
    tests.dedup();
    let mut command = cargo();
    command.args(["test", "--no-run", "--offline", "--message-format=json"]).current_dir(root);
    for test in &tests {
        command.args(["--test", test]);
    }
    let output = run(command, LIMIT);
    assert!(output.success(), "{}", output.err());
    let messages = output.out();
    let program = |test: &&str| {
        let start = format!("/deps/{test}-");
        let named = messages.split("\"executable\":\"").skip(1).filter_map(|m| m.split('"').next());
        let path = named.into_iter().find(|path| path.contains(&start));
        let path = path.unwrap_or_else(|| panic!("no program for {test} in {messages}"));
        ((*test).to_owned(), PathBuf::from(path))
    };
    tests.iter().map(program).collect()
}

/// The cargo that runs this test, with none of what it has told this test.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (key, _) in std::env::vars_os() {
        let text = key.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&key);
        }
    }
    command
}

fn parse(text: &str) -> Vec<Mutant> {
    let mut mutants: Vec<Mutant> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "[[mutant]]" {
            mutants.push(Mutant::default());
            continue;
        }
        let (key, value) = line.split_once(" = ").unwrap_or_else(|| panic!("{line}"));
        let value = match value.strip_prefix("'''") {
            Some(first) => until_quotes(first, &mut lines),
            None => value.strip_prefix('\'').and_then(|v| v.split_once('\'')).unwrap().0.to_owned(),
        };
        let mutant = mutants.last_mut().unwrap();
        let place = match key {
            "name" => &mut mutant.name,
            "file" => &mut mutant.file,
            "find" => &mut mutant.find,
            "replace" => &mut mutant.replace,
            "and_file" => &mut mutant.and_file,
            "and_find" => &mut mutant.and_find,
            "and_replace" => &mut mutant.and_replace,
            "test" => &mut mutant.test,
            "case" => &mut mutant.case,
            _ => panic!("unknown key in {line}"),
        };
        *place = value;
    }
    mutants
}

/// The rest of a string between `'''`, whose first line break does not count.
fn until_quotes<'a>(first: &str, lines: &mut impl Iterator<Item = &'a str>) -> String {
    if let Some((whole, _)) = first.split_once("'''") {
        return whole.to_owned();
    }
    let mut text = if first.is_empty() { String::new() } else { format!("{first}\n") };
    for line in lines {
        if let Some((last, _)) = line.split_once("'''") {
            return text + last;
        }
        text.push_str(line);
        text.push('\n');
    }
    panic!("a string without an end: {first}");
}
