//! The command `rustdns`: runs programs with the library, looks names up as they would and says why it
//! came out so, checks what names resolve by (rustdns(1)).
//!
//! | module | is |
//! |---|---|
//! | `arguments` | what may stand on the command line, and its help |
//! | `run` | `rustdns run`: the environment of a program, which then takes this one's place |
//! | `library` | where librustdns.so is |
//! | `program` | whether a program can be preloaded into: scripts followed, reasons against |
//! | `elf` | what an ELF file says of itself |
//! | `lookup`, `account` | `rustdns lookup` and `rustdns reverse`; what the engine did for them |
//! | `explain`, `places`, `tree` | `rustdns explain`: the plan; which line says what; how it is drawn |
//! | `compare`, `bench` | the same names with libc and with the library |
//! | `child`, `ask` | lookups in a process of their own, as its linker resolves `getaddrinfo` |
//! | `doctor` | `rustdns doctor`: files, name servers, services, processes, traps |
//! | `conf` | `rustdns conf` |
//! | `flush` | `rustdns flush` |
//! | `stats`, `top`, `processes` | `rustdns stats` and `rustdns top`; the counters of other processes |
//! | `completions` | `rustdns completions` |
//! | `answer`, `paint`, `progress` | what is printed: text and JSON, colours, how long it takes |

mod account;
mod answer;
mod arguments;
mod ask;
mod bench;
mod child;
mod compare;
mod completions;
mod conf;
mod doctor;
mod elf;
mod explain;
mod flush;
mod library;
mod lookup;
mod paint;
mod places;
mod processes;
mod program;
mod progress;
mod run;
mod stats;
mod top;
mod tree;

use answer::Trouble;
use arguments::{Arguments, Subcommand};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    rustdns::sys::charset::take_from_environment();
    if let Some(questions) = ask::questions() {
        return ask::ask(&questions);
    }
    library::note_encrypted();
    let outcome = match Arguments::parse().subcommand {
        Subcommand::Run(arguments) => run::run(&arguments),
        Subcommand::Lookup(arguments) => lookup::lookup(&arguments),
        Subcommand::Reverse(arguments) => lookup::reverse(&arguments),
        Subcommand::Explain(arguments) => explain::explain(&arguments),
        Subcommand::Compare(arguments) => compare::compare(&arguments),
        Subcommand::Doctor(arguments) => doctor::doctor(&arguments),
        Subcommand::Bench(arguments) => bench::bench(&arguments),
        Subcommand::Conf(arguments) => conf::conf(&arguments),
        Subcommand::Flush(_) => flush::flush(),
        Subcommand::Stats(arguments) => stats::stats(&arguments),
        Subcommand::Top(arguments) => top::top(&arguments),
        Subcommand::Completions(arguments) => completions::completions(&arguments),
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
