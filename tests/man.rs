//! The manual pages: they render without a word of complaint, and name what there is to name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustdns::config::settings::TABLE;
use support::process::{Output, run};
use support::sandbox::skip;

const LIMIT: Duration = Duration::from_secs(60);

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    read_to_string(repository().join("docs/man").join(name)).unwrap()
}

/// All pages, and these at least.
fn pages() -> Vec<PathBuf> {
    let folder = repository().join("docs/man");
    let entries = std::fs::read_dir(&folder).unwrap();
    let found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    for name in ["librustdns.3", "rustdns.conf.5", "libnss_rustdns.8"] {
        assert!(found.contains(&folder.join(name)), "{name}: {found:?}");
    }
    found
}

/// What a tool with these words makes of a file; `None`, said loudly, where there is no such tool.
fn ask(words: &[&str], file: &Path) -> Option<Output> {
    let version = Command::new(words[0]).arg("-v").output();
    if version.is_err() {
        skip(&format!("{} is not installed (see scripts/packages.test)", words[0]));
        return None;
    }
    let mut command = Command::new(words[0]);
    command.env("LC_ALL", "C.UTF-8").args(&words[1..]).arg(file);
    Some(run(command, LIMIT))
}

/// As plain text: no bold letters, nothing underlined.
const GROFF: &[&str] = &["groff", "-mandoc", "-ww", "-Kutf8", "-Tutf8", "-P-cbu"];
const LINT: &[&str] = &["mandoc", "-Tlint", "-Wwarning"];

#[test]
fn every_page_renders_without_a_warning() {
    for file in pages() {
        let Some(output) = ask(GROFF, &file) else { return };
        assert!(output.success() && output.err().is_empty(), "{}\n{output}", file.display());
        assert!(output.out().contains("\nNAME\n"), "{}\n{output}", file.display());
    }
}

#[test]
fn every_page_is_well_formed() {
    for file in pages() {
        let Some(output) = ask(LINT, &file) else { return };
        let said = output.out() + &output.err();
        assert!(output.success() && said.is_empty(), "{}\n{output}", file.display());
    }
}

/// So that silence says something.
#[test]
fn both_tools_complain_of_a_broken_page() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken.5");
    std::fs::write(&file, page("rustdns.conf.5") + ".Bl -tag\n.nosuchmacro\n").unwrap();
    let Some(groff) = ask(GROFF, &file) else { return };
    assert!(groff.err().contains("nosuchmacro"), "{groff}");
    let Some(lint) = ask(LINT, &file) else { return };
    assert!(lint.out().contains("nosuchmacro"), "{lint}");
}

/// What the page says of a setting.
#[derive(Debug, PartialEq, Eq)]
struct Item {
    key: String,
    values: String,
    default: String,
    environment: String,
    /// The first paragraph.
    help: String,
}

/// A line of source as it is read: `\-` is a minus sign.
fn plain(line: &str) -> String {
    line.replace("\\-", "-")
}

/// The text of a section.
fn section<'a>(text: &'a str, name: &str) -> &'a str {
    let start = text.find(&format!("\n.Sh {name}\n")).unwrap_or_else(|| panic!("no {name}"));
    let body = text[start..].split_once(name).unwrap().1;
    body.split("\n.Sh ").next().unwrap()
}

/// Each setting begins with `.It Ic KEY`, a list of three items follows, then its paragraphs.
fn items(text: &str) -> Vec<Item> {
    let settings = section(text, "SETTINGS");
    let after = |item: &str, word: &str| {
        let start = format!("\n.It {word}\n");
        let rest = item.split_once(&start).unwrap_or_else(|| panic!("no {word} in {item}")).1;
        plain(rest.lines().next().unwrap())
    };
    let one = |item: &str| {
        let paragraphs = item.split_once("\n.El\n.Pp\n").unwrap().1;
        let words = paragraphs.lines().take_while(|line| !line.starts_with('.'));
        Item {
            key: plain(item.lines().next().unwrap()),
            values: after(item, "Values"),
            default: after(item, "Default"),
            environment: after(item, "Environment").replacen(".Ev ", "", 1),
            help: words.map(plain).collect::<Vec<_>>().join(" "),
        }
    };
    settings.split("\n.It Ic ").skip(1).map(one).collect()
}

/// Every setting with its values, default, variable and meaning, in the table's order; none besides.
#[test]
fn rustdns_conf_names_every_setting_of_the_table() {
    let wanted = TABLE.iter().map(|setting| Item {
        key: setting.key.to_owned(),
        values: setting.values.to_owned(),
        default: setting.default.to_owned(),
        environment: setting.environment.to_str().unwrap().to_owned(),
        help: setting.help.to_owned(),
    });
    let wanted: Vec<_> = wanted.collect();
    let found = items(&page("rustdns.conf.5"));
    for (wanted, found) in wanted.iter().zip(&found) {
        assert_eq!(found, wanted);
    }
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
}

/// README.md has the same settings in the same order, and of each the first sentence.
#[test]
fn readme_has_the_settings_of_the_table() {
    let text = read_to_string(repository().join("README.md")).unwrap();
    let table = text.split("\n## Settings\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let found: Vec<(String, String)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            (cells[0].trim_matches('`').to_owned(), cells[cells.len() - 1].to_owned())
        })
        .collect();
    let first = |help: &str| match help.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => help.to_owned(),
    };
    let wanted: Vec<(String, String)> =
        TABLE.iter().map(|setting| (setting.key.to_owned(), first(setting.help))).collect();
    assert_eq!(found, wanted);
}

/// No page speaks of a setting's variable that is not there.
#[test]
fn pages_name_no_other_variable() {
    for file in pages() {
        let text = read_to_string(&file).unwrap();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            // The prefix itself, and the header's constants.
            let known = ["RUSTDNS_", "RUSTDNS_VERSION", "RUSTDNS_LATENCIES"].contains(&word)
                || TABLE.iter().any(|setting| setting.environment.to_str().unwrap() == word);
            assert!(known || !word.starts_with("RUSTDNS_"), "{}: {word}", file.display());
        }
    }
}

/// The names after these macros.
fn marked<'a>(text: &'a str, macros: &[&str]) -> BTreeSet<&'a str> {
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        macros.contains(&words.next()?).then(|| words.next())?
    });
    lines.collect()
}

/// Every name that the library exports is on its page, and the page names no other.
#[test]
fn librustdns_names_every_export() {
    let list = read_to_string(repository().join("tests/symbols/librustdns.so.txt")).unwrap();
    let exported: BTreeSet<_> = list.lines().collect();
    let text = page("librustdns.3");
    let named = marked(section(&text, "DESCRIPTION"), &[".Fn"]);
    assert_eq!(named, exported);
}

/// Each function of rustdns.h with the arguments that it has there.
#[test]
fn librustdns_declares_what_the_header_declares() {
    let text = page("librustdns.3");
    let synopsis = section(&text, "SYNOPSIS");
    let header = read_to_string(repository().join("include/rustdns.h")).unwrap();
    let header = header.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut declared = BTreeSet::new();
    for block in synopsis.split("\n.Fo ").skip(1) {
        let block = block.split_once("\n.Fc").unwrap().0;
        let (name, arguments) = block.split_once('\n').unwrap();
        let arguments = arguments.lines().map(|line| line.replacen(".Fa ", "", 1));
        let arguments: Vec<_> = arguments.map(|line| line.trim_matches('"').to_owned()).collect();
        let declaration = format!("{name}({});", arguments.join(", "));
        assert!(header.contains(&declaration), "{declaration}");
        declared.insert(name);
    }
    let list = read_to_string(repository().join("tests/symbols/librustdns.so.txt")).unwrap();
    for name in list.lines().filter(|name| name.starts_with("rustdns_")) {
        assert!(declared.contains(name), "{name}");
    }
}
