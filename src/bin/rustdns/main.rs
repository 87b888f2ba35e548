//! The command `rustdns`: runs programs with the library, looks names up as they would, shows the
//! settings (rustdns(1)).
//!
//! | module | is |
//! |---|---|
//! | `arguments` | what may stand on the command line, and its help |
//! | `run` | `rustdns run`: the environment of a program, which then takes this one's place |
//! | `library` | where librustdns.so is |
//! | `program` | whether a program can be preloaded into: scripts followed, reasons against |
//! | `elf` | what an ELF file says of itself |
//! | `lookup` | `rustdns lookup` and `rustdns reverse` |
//! | `conf` | `rustdns conf` |
//! | `stats`, `top`, `processes` | `rustdns stats` and `rustdns top`; the counters of other processes |
//! | `answer` | what is printed: text and JSON |

mod answer;
mod arguments;
mod conf;
mod elf;
mod library;
mod lookup;
mod processes;
mod program;
mod run;
mod stats;
mod top;

use answer::Trouble;
use arguments::{Arguments, Subcommand};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    rustdns::sys::charset::take_from_environment();
    let outcome = match Arguments::parse().subcommand {
        Subcommand::Run(arguments) => run::run(&arguments),
        Subcommand::Lookup(arguments) => lookup::lookup(&arguments),
        Subcommand::Reverse(arguments) => lookup::reverse(&arguments),
        Subcommand::Conf(arguments) => conf::conf(&arguments),
        Subcommand::Stats(arguments) => stats::stats(&arguments),
        Subcommand::Top(arguments) => top::top(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            trouble.say();
            trouble.exit_code()
        }
    }
}

/// What a subcommand comes to.
type Outcome = Result<(), Trouble>;
