//! `rustdns completions`: out of the same description of the command line as its help.

use crate::Outcome;
use crate::answer::{Trouble, print};
use crate::arguments::{Arguments, Completions};
use clap::CommandFactory;
use clap_complete::{Shell, generate};

/// Prints the completions for a shell.
pub(crate) fn completions(arguments: &Completions) -> Outcome {
    let shell = match arguments.shell.as_str() {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        other => return Err(Trouble::refused(format_args!("{other}: no such shell; see --help"))),
    };
    let mut text = Vec::new();
    generate(shell, &mut Arguments::command(), "rustdns", &mut text);
    print(&String::from_utf8_lossy(&text))
}
