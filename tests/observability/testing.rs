//! docs/testing.md: the examples, run as they stand there, each in a world where the machine's own
//! configuration leads away from loopback. Nothing may be sent there.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::binary;
use crate::support::process::{Output, run};
use crate::support::sandbox::Sandbox;

/// Compiling Go's packages for the first time takes its time.
const LIMIT: Duration = Duration::from_secs(120);

/// A section's files, by path, and its commands.
struct Example {
    files: Vec<(String, String)>,
    commands: Vec<String>,
}

fn example(heading: &str) -> Example {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/testing.md");
    let page = fs::read_to_string(page).unwrap();
    let section = page.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut example = Example { files: Vec::new(), commands: Vec::new() };
    let mut path = None;
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            // A file has its path before it, on a line of its own.
            let named = line.strip_prefix('`').and_then(|path| path.strip_suffix("`:"));
            path = named.or(path.filter(|_| line.is_empty()));
            continue;
        };
        let content: String = lines
            .by_ref()
            .take_while(|line| *line != "```")
            .map(|line| format!("{line}\n"))
            .collect();
        match path.take() {
            Some(path) => example.files.push((path.to_owned(), content)),
            None if language == "sh" => example.commands.push(content),
            None => {}
        }
    }
    assert!(!example.files.is_empty() && example.commands.len() == 1, "{heading}");
    example
}

/// Packets that have left the interface beside loopback.
fn sent() -> u64 {
    let interfaces = fs::read_to_string("/proc/thread-self/net/dev").unwrap();
    let line = interfaces.lines().find_map(|line| line.trim().strip_prefix("out0:")).unwrap();
    line.split_whitespace().nth(9).unwrap().parse().unwrap()
}

/// What the example's command prints, having sent nothing.
fn tried(heading: &str) -> Output {
    let example = example(heading);
    let mut output = None;
    Sandbox::enter(|sandbox| {
        sandbox.address("192.0.2.9/24");
        sandbox.default_route(4);
        sandbox.write("/etc/resolv.conf", "nameserver 192.0.2.53\n");
        let folder = sandbox.scratch().join("project");
        sandbox.mkdir(&folder);
        for (path, content) in &example.files {
            sandbox.write(folder.join(path), content);
        }
        let mut command = sandbox.command("sh");
        let bin = binary();
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.parent().unwrap().display());
        let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/programs/go-cache");
        command.args(["-eu", "-c", &example.commands[0]]).current_dir(&folder);
        command.env("PATH", path).env("GOCACHE", cache).env("GOFLAGS", "");
        output = Some(run(command, LIMIT));
        assert_eq!(sent(), 0, "{heading}: something was sent\n{output:?}");
    });
    output.unwrap_or_else(|| panic!("no sandbox"))
}

#[test]
fn pytest() {
    let output = tried("pytest");
    assert!(output.success() && output.out().contains("3 passed"), "{output}");
}

#[test]
fn go() {
    let output = tried("Go");
    assert!(output.success() && output.out().matches("--- PASS").count() == 2, "{output}");
}

#[test]
fn a_container_in_ci() {
    let output = tried("A container in CI");
    assert!(output.success() && output.out().contains("all names as they should be"), "{output}");
}

/// So that the count above says something: without the mode a query leaves.
#[test]
fn without_the_mode_something_is_sent() {
    Sandbox::enter(|sandbox| {
        sandbox.address("192.0.2.9/24");
        sandbox.write("/etc/resolv.conf", "nameserver 192.0.2.53\noptions timeout:1 attempts:1\n");
        for (mode, is_sent) in [("test-only", false), ("normal", true)] {
            let mut command = sandbox.command(binary());
            command.args(["lookup", "host.test"]).env("RUSTDNS_MODE", mode);
            let output = run(command, LIMIT);
            assert!(!output.success(), "{output}");
            assert_eq!(sent() > 0, is_sent, "{mode}");
        }
    });
}
