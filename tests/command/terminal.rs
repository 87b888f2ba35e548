//! The command on a terminal: colours, how long something takes, Ctrl-C.

use std::fs;
use std::time::{Duration, Instant};

use super::{binary, rustdns, with, zone};
use crate::support::differential::LIMIT;
use crate::support::dns::Server;
use crate::support::process::End;
use crate::support::pty::{Terminal, without_colours};
use crate::support::question::Question;
use crate::support::reply::Reply;
use crate::support::sandbox::Sandbox;

const QUICK: (&str, &str) = ("RES_OPTIONS", "timeout:2 attempts:1");

fn start(sandbox: &Sandbox, variables: &[(&str, &str)], words: &[&str]) -> Terminal {
    let mut command = sandbox.command(binary());
    command.args(words).envs(variables.iter().copied());
    Terminal::start(command)
}

fn silent(_: &Question) -> Reply {
    Reply::drop()
}

/// Numbers are no two runs' the same.
fn without_numbers(text: &str) -> String {
    let words = text.lines().map(|line| {
        let number =
            |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
        let is_bar = |word: &&str| word.starts_with(['█', '▏']);
        let words = line.split_whitespace().filter(|word| !is_bar(word));
        let words =
            words.map(|word| if number(&word) && word.parse::<f64>().is_ok() { "N" } else { word });
        words.collect::<Vec<_>>().join(" ")
    });
    words.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_subcommand_shows_on_a_terminal_what_it_writes_to_a_pipe() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        sandbox.address("192.0.2.9/24");
        for words in [
            &["lookup", "host.test"][..],
            &["reverse", "192.0.2.1"],
            &["explain", "host"],
            &["explain", "--tree", "host"],
            &["compare", "host.test", "192.0.2.1"],
            &["doctor", "--offline"],
            &["bench", "--count", "3", "host.test"],
            &["conf"],
            &["completions", "zsh"],
            &["run", "--", "getent", "hosts", "host.test"],
            &["lookup", "nosuch.test"],
            &["lookup"],
        ] {
            let piped = rustdns(sandbox, words);
            let (shown, end) = start(sandbox, &[], words).end(LIMIT);
            assert_eq!(end, piped.end, "{words:?}\n{shown}\n{piped}");
            let piped = without_numbers(&(piped.out() + &piped.err()));
            assert_eq!(without_numbers(&without_colours(&shown)), piped, "{words:?}");
        }
        for words in
            [&["lookup", "host.test"][..], &["explain", "a"], &["doctor", "--offline"], &["conf"]]
        {
            let (shown, _) = start(sandbox, &[], &[words, &["--json"]].concat()).end(LIMIT);
            assert!(shown.starts_with('{') && !shown.contains('\x1b'), "{shown}");
        }
    });
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    Sandbox::enter(|sandbox| {
        let words = ["doctor", "--offline"];
        let shown = |variables: &[(&str, &str)]| {
            let mut command = sandbox.command("sh");
            // The terminal's own TERM is set when it is started.
            command.args(["-c", "export $VARIABLES; exec \"$0\" doctor --offline"]).arg(binary());
            let variables: Vec<_> = variables.iter().map(|(k, v)| format!("{k}={v}")).collect();
            command.env("VARIABLES", variables.join(" "));
            Terminal::start(command).end(LIMIT).0
        };
        assert!(shown(&[("A", "1")]).contains("\x1b[32mok"), "{}", shown(&[("A", "1")]));
        for off in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            assert!(!shown(&[off]).contains('\x1b'), "{off:?}");
        }
        assert!(shown(&[("NO_COLOR", "")]).contains('\x1b'), "set, and empty, is not set");
        assert!(!with(sandbox, &[("TERM", "xterm")], &words).out().contains('\x1b'));
    });
}

#[test]
fn what_takes_long_says_so_on_a_terminal_and_there_alone() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, silent);
        let mut terminal = start(sandbox, &[QUICK], &["lookup", "host.test"]);
        // Meanwhile.
        let piped = with(sandbox, &[QUICK], &["lookup", "host.test"]);
        assert!(!piped.err().contains("asking"), "{piped}");
        terminal.wait_for("asking for host.test: 1 s", LIMIT);
        let (shown, end) = terminal.end(LIMIT);
        assert_eq!(end, End::Exit(1), "{shown}");
        // The line is taken away before anything else is shown.
        let (before, after) = shown.split_once("name ").unwrap();
        assert!(before.ends_with("\r\x1b[K") && after.contains("EAI_AGAIN"), "{shown:?}");
        let (shown, _) = start(sandbox, &[], &["lookup", "localhost"]).end(LIMIT);
        assert!(!shown.contains("asking"), "{shown}");
    });
}

#[test]
fn ctrl_c_ends_everything_and_leaves_a_clean_line() {
    let subcommands = [
        &["lookup", "host.test"][..],
        &["compare", "host.test"],
        &["bench", "host.test"],
        &["doctor"],
    ];
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, silent);
        // All wait at the same time.
        let terminals = subcommands.map(|words| start(sandbox, &[], words));
        for (mut terminal, words) in terminals.into_iter().zip(subcommands) {
            terminal.wait_for(": 1 s", LIMIT);
            terminal.press("\x03");
            let pressed = Instant::now();
            let (shown, end) = terminal.end(LIMIT);
            assert_eq!(end, End::Signal(libc::SIGINT), "{words:?} {shown:?}");
            assert!(shown.ends_with("\r\x1b[K"), "{words:?} {shown:?}");
            assert!(pressed.elapsed() < Duration::from_secs(2), "{words:?}");
        }
    });
}

/// A signal to the command alone, as kill(1) sends it.
#[test]
fn no_lookup_outlives_the_command_that_started_it() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, silent);
        let name = format!("outlives-{}.test", std::process::id());
        let mut terminal = start(sandbox, &[], &["compare", &name]);
        terminal.wait_for(": 1 s", LIMIT);
        assert_eq!(asking_for(&name), 1);
        // SAFETY: kill takes two integers; the child isn't reaped yet.
        #[allow(unsafe_code)]
        let sent = unsafe { libc::kill(i32::try_from(terminal.id()).unwrap(), libc::SIGINT) };
        assert_eq!(sent, 0);
        let deadline = Instant::now() + Duration::from_secs(10);
        while asking_for(&name) > 0 {
            assert!(Instant::now() < deadline, "it lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(terminal.end(LIMIT).1, End::Signal(libc::SIGINT));
    });
}

/// How many processes ask for this name.
fn asking_for(name: &str) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines
        .filter(|line| {
            let words: Vec<_> = line.split(|&b| b == 0).collect();
            words.contains(&&b"--ask"[..]) && words.contains(&name.as_bytes())
        })
        .count()
}
