//! `rustdns top` on a terminal.

use super::{eventually, json, rustdns, zone};
use crate::support::conversation::Conversation;
use crate::support::differential::LIMIT;
use crate::support::dns::Server;
use crate::support::process::{End, run};
use crate::support::pty::Terminal;
use crate::support::sandbox::Sandbox;

const ON: &[(&str, &str)] = &[("RUSTDNS_STATS", "on")];
const CALL: &str = "gai -t stream host.test -";
/// The terminal's other screen, and the usual one with its cursor.
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// The number that stands behind a word, whatever blanks are between.
fn number_behind(text: &str, word: &str) -> f64 {
    let behind = text.rsplit_once(word).unwrap_or_else(|| panic!("no {word} in {text:?}")).1;
    behind.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn it_shows_what_happens_and_leaves_the_terminal_as_it_was() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let mut process = Conversation::begin(sandbox, ON);
        process.call(CALL);
        let id = process.id().to_string();
        let words = ["top", "--pid", &id, "--interval", "100"];
        for (keys, signal) in [("q", None), ("\x03", None), ("", Some("TERM"))] {
            let mut top = Terminal::start_sized(rustdns(sandbox, &words), 30, 80);
            top.wait_for(ENTER, LIMIT);
            let head = top.wait_for_next(&format!("process {id} (gai)"), LIMIT);
            assert!(head.contains("rustdns top"), "{head:?}");
            assert!(!top.is_usual(), "keys wait for no Return");
            process.call(CALL);
            // A view later the lookups have a rate; some views later it is zero again.
            let rate =
                (0..100).map(|_| number_behind(&top.wait_for_next("answer/s", LIMIT), "lookups/s"));
            assert!({ rate }.any(|rate| rate > 0.0), "no rate");
            top.wait_for_next("hit rate", LIMIT);
            match signal {
                None => top.press(keys),
                Some(name) => {
                    let mut kill = sandbox.command("kill");
                    kill.args(["-s", name, &top.id().to_string()]);
                    assert!(run(kill, LIMIT).success());
                }
            }
            let (shown, end) = top.end(LIMIT);
            assert_eq!(end, End::Exit(0), "{shown:?}");
            assert!(shown.ends_with(LEAVE) && top.is_usual(), "{shown:?}");
        }
    });
}

#[test]
fn all_processes_on_a_small_screen() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let mut processes: Vec<_> = (0..8).map(|_| Conversation::begin(sandbox, ON)).collect();
        processes.iter_mut().for_each(|process| drop(process.call(CALL)));
        let mut top = Terminal::start_sized(rustdns(sandbox, &["top", "--count", "1"]), 6, 20);
        let (text, end) = top.end(LIMIT);
        assert_eq!(end, End::Exit(0), "{text:?}");
        let frame = text.split_once("\x1b[H").unwrap().1.split_once("\x1b[J").unwrap().0;
        let lines: Vec<_> =
            frame.split("\r\n").map(|line| line.trim_end_matches("\x1b[K")).collect();
        assert_eq!(lines.len(), 6, "{lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 20), "{lines:?}");
        // There may be more, of other tests.
        assert!(lines[0].starts_with("rustdns top: ") && lines[5].contains("0.0"), "{lines:?}");
    });
}

#[test]
fn a_process_that_ends_while_it_is_watched() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let mut process = Conversation::begin(sandbox, ON);
        process.call(CALL);
        let id = process.id().to_string();
        let words = ["top", "--pid", &id, "--interval", "50"];
        let mut top = Terminal::start_sized(rustdns(sandbox, &words), 30, 80);
        top.wait_for("hit rate", LIMIT);
        process.end();
        let (shown, end) = top.end(LIMIT);
        assert_eq!(end, End::Exit(1), "{shown:?}");
        let said = shown.split_once(LEAVE).unwrap_or_else(|| panic!("{shown:?}")).1;
        assert!(said.contains(&format!("there is no process {id}")), "{shown:?}");
    });
}

#[test]
fn without_a_terminal_and_for_programs() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let mut process = Conversation::begin(sandbox, ON);
        process.call(CALL);
        let id = process.id().to_string();
        let refused = |words: &[&str], part: &str| {
            let output = run(rustdns(sandbox, words), LIMIT);
            assert_eq!(output.end, End::Exit(2), "{output}");
            assert!(output.err().contains(part), "{output}");
        };
        refused(&["top"], "no terminal");
        refused(&["top", "--interval", "1"], "1 is not in 50..");
        refused(&["top", "--count", "0"], "0 is not in 1..");
        let words = ["top", "--json", "--pid", &id, "--count", "2", "--interval", "50"];
        // The call, and the one in digits that the probe makes behind it.
        eventually("[2, 2] 2", || {
            let output = run(rustdns(sandbox, &words), LIMIT);
            assert!(output.success() && !output.out().contains('\x1b'), "{output}");
            let two = format!("[{}]", output.out().replacen("}\n{", "},\n{", 1));
            json(sandbox, &two, "[d['lookups'] for d in d], len(d)")
        });
    });
}
