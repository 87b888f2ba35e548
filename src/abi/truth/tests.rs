use super::*;
use std::path::Path;
use std::process::Command;

/// What the C compiler says of these assertions; empty where all of them are true.
fn compile(name: &str, assertions: &str) -> String {
    let text = std::env::temp_dir().join(format!("rustdns-truth-{}-{name}.h", std::process::id()));
    std::fs::write(&text, assertions).unwrap();
    let output = Command::new("cc")
        .args(["-std=gnu11", "-Wall", "-Werror", "-fsyntax-only"])
        .arg(format!("-DTRUTH=\"{}\"", text.display()))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/truth.c"))
        .output()
        .unwrap();
    std::fs::remove_file(&text).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.success(), said.is_empty(), "{said}");
    said
}

fn list() -> &'static str {
    str::from_utf8(ASSERTIONS.as_flattened()).unwrap()
}

#[test]
fn constants_and_layouts_are_the_systems() {
    assert!(ASSERTIONS.len() > 300, "{}", ASSERTIONS.len());
    assert_eq!(compile("whole", list()), "");
}

#[test]
fn a_wrong_one_is_found() {
    let wrong = [equal("offsetof(struct addrinfo, ai_next)", 1), equal("EAI_SYSTEM", -12)];
    let said = compile("wrong", str::from_utf8(wrong.as_flattened()).unwrap());
    assert!(said.contains("ai_next) is not 1"), "{said}");
    assert!(said.contains("EAI_SYSTEM is not -12"), "{said}");
}

#[test]
fn a_name_that_is_not_in_the_headers_is_not_asked_for() {
    let unknown = [equal_if_defined("NO_SUCH_NAME", 1), equal_if_defined("EAI_SYSTEM", 1)];
    let said = compile("unknown", str::from_utf8(unknown.as_flattened()).unwrap());
    assert!(!said.contains("NO_SUCH_NAME") && said.contains("EAI_SYSTEM is not 1"), "{said}");
}

/// Each constant of the libc crate that the library uses is in the list, or in that of another machine.
#[test]
fn no_constant_is_left_out() {
    let mut files = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut seen = 0;
    let elsewhere = include_str!("constants.rs").split("pub(super) const CALLS").nth(1).unwrap();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for name in text.split("libc::").skip(1) {
            let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let name = &name[..end.unwrap_or(name.len())];
            let is_constant = |c: char| !c.is_ascii_lowercase();
            // SYS_futex and its like are constants too.
            if name.len() > 1 && (name.chars().all(is_constant) || name.starts_with("SYS_")) {
                let is_there = list().contains(name) || elsewhere.contains(&format!(" {name}"));
                assert!(is_there, "{}: {name}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 200, "{seen}");
}
