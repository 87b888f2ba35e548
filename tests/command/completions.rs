//! `rustdns completions`.

use super::{binary, rustdns};
use crate::support::differential::LIMIT;
use crate::support::process::{End, run};
use crate::support::pty::Terminal;
use crate::support::sandbox::Sandbox;
use std::fs;

/// bash itself completes: a subcommand's beginning, an option's, a shell's.
#[test]
fn bash_completes() {
    Sandbox::enter(|sandbox| {
        let script = sandbox.scratch().join("rustdns.bash");
        fs::write(&script, rustdns(sandbox, &["completions", "bash"]).stdout).unwrap();
        for (words, want) in [
            ("rustdns do", "doctor"),
            ("rustdns co", "compare conf completions"),
            ("rustdns doctor --of", "--offline"),
            ("rustdns explain --t", "--tree"),
            ("rustdns completions f", "fish"),
        ] {
            let mut command = sandbox.command("bash");
            let call = "source \"$0\"; COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); \
                        cur=${COMP_WORDS[-1]}; prev=${COMP_WORDS[-2]}; \
                        _rustdns rustdns \"$cur\" \"$prev\"; echo \"${COMPREPLY[@]}\"";
            command.args(["--norc", "-c", call]).arg(&script).arg(words);
            let output = run(command, LIMIT);
            assert!(output.success(), "{output}");
            assert_eq!(output.out().trim_end(), want, "{words}\n{output}");
        }
    });
}

#[test]
fn fish_completes() {
    Sandbox::enter(|sandbox| {
        let script = sandbox.scratch().join("rustdns.fish");
        fs::write(&script, rustdns(sandbox, &["completions", "fish"]).stdout).unwrap();
        for (words, want) in [
            ("rustdns do", "doctor\t"),
            ("rustdns doctor --of", "--offline\t"),
            ("rustdns explain --t", "--tree\t"),
        ] {
            let mut command = sandbox.command("fish");
            command.env("HOME", sandbox.scratch()).args(["--no-config", "-c"]);
            command.arg("source $argv[1]; complete -C $argv[2]").arg(&script).arg(words);
            let output = run(command, LIMIT);
            assert!(output.success() && output.err().is_empty(), "{output}");
            let lines: Vec<_> = output.out().lines().map(str::to_owned).collect();
            assert!(matches!(&*lines, [one] if one.starts_with(want)), "{words}\n{output}");
        }
    });
}

/// zsh completes on a terminal only.
#[test]
fn zsh_completes() {
    Sandbox::enter(|sandbox| {
        let functions = sandbox.scratch().join("functions");
        fs::create_dir(&functions).unwrap();
        let script = rustdns(sandbox, &["completions", "zsh"]).stdout;
        fs::write(functions.join("_rustdns"), script).unwrap();
        let mut command = sandbox.command("zsh");
        command.arg("--no-rcs").env("HOME", sandbox.scratch()).env("PS1", "ready> ");
        let mut shell = Terminal::start(command);
        shell.wait_for("ready> ", LIMIT);
        let folder = functions.display();
        shell.press(&format!("fpath=({folder} $fpath); autoload -U compinit; compinit -u -D\n"));
        shell.wait_for_next("ready> ", LIMIT);
        for (keys, want) in [
            ("rustdns do\t", "doctor"),
            ("--of\t", "--offline"),
            ("\x15rustdns completions f\t", "fish"),
        ] {
            shell.press(keys);
            shell.wait_for_next(want, LIMIT);
        }
        shell.press("\x15exit\n");
        shell.end(LIMIT);
    });
}

#[test]
fn other_shells_get_theirs_and_none_but_these() {
    Sandbox::enter(|sandbox| {
        for (shell, start, option) in [
            ("zsh", "#compdef rustdns\n", "--offline["),
            ("fish", "# Print an optspec", "-l offline"),
        ] {
            let output = rustdns(sandbox, &["completions", shell]);
            assert!(output.success() && output.out().starts_with(start), "{output}");
            assert!(output.out().contains(option), "{output}");
            // The shell reads the file without a word.
            let file = sandbox.scratch().join(shell);
            fs::write(&file, &output.stdout).unwrap();
            let mut command = sandbox.command("sh");
            command.arg("-c").arg("\"$0\" -n \"$1\"").arg(shell).arg(&file);
            let output = run(command, LIMIT);
            assert!(output.success() && output.err().is_empty(), "{output}");
        }
        for words in [&["completions"][..], &["completions", "ksh"], &["completions", ""]] {
            let output = rustdns(sandbox, words);
            assert_eq!((output.end, output.out().as_str()), (End::Exit(2), ""), "{output}");
            assert!(output.err().contains("--help"), "{output}");
        }
        // Nobody reads it.
        let mut command = sandbox.command("sh");
        command.arg("-c").arg("\"$0\" completions bash > /dev/full").arg(binary());
        let output = run(command, LIMIT);
        assert_eq!(output.end, End::Exit(2), "{output}");
        assert!(output.err().contains("standard output"), "{output}");
    });
}
