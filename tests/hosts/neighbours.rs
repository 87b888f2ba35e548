//! What else is in the process: other preloads before and after the library, another malloc, C++.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::numbered::{begin, is_ok};
use crate::support::cc;
use crate::support::process::run;
use crate::support::sandbox::{Sandbox, preload_library, skip};

const LIMIT: Duration = Duration::from_secs(60);

/// A Debian package's library, below its architecture's folder; says where there is none.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let architectures = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let found = architectures.map(|folder| folder.join(name)).find(|library| library.exists());
    if found.is_none() {
        skip(&format!("{name} is not installed"));
    }
    found
}

/// Runs programs of these with `other` before the library, and after it.
fn beside(other: &Path, variables: &[(&str, &str)], programs: &[(&str, &[&str])]) {
    let ours = preload_library();
    for order in [[other, &*ours], [&*ours, other]] {
        let mut preloads = String::new();
        for library in order {
            write!(preloads, "{}:", library.display()).unwrap();
        }
        for (program, arguments) in programs {
            Sandbox::enter(|sandbox| {
                let _server = begin(sandbox);
                // Or proxychains would send TCP somewhere else, and answer names with numbers.
                sandbox.write(
                    "/etc/proxychains4.conf",
                    "strict_chain\nquiet_mode\nlocalnet 127.0.0.0/255.0.0.0\n[ProxyList]\n\
                     socks5 192.0.2.77 1080\n",
                );
                let mut command = sandbox.command(cc::program(program));
                command.args(*arguments).env("LD_PRELOAD", &preloads);
                command.envs(variables.iter().copied());
                is_ok(&run(command, LIMIT));
            });
        }
    }
}

/// Threads, children, and every kind of lookup.
const MIXED: &[(&str, &[&str])] = &[
    ("host_threads", &["many", "50"]),
    ("host_threads", &["cancel"]),
    ("host_processes", &["fork", "50"]),
];

#[test]
fn jemalloc() {
    if let Some(library) = installed("libjemalloc.so.2") {
        beside(&library, &[], MIXED);
    }
}

#[test]
fn proxychains() {
    if let Some(library) = installed("libproxychains.so.4") {
        beside(&library, &[], MIXED);
    }
}

/// libfaketime's clocks are years away, and one runs ten times as fast.
#[test]
fn libfaketime() {
    if let Some(library) = installed("faketime/libfaketimeMT.so.1") {
        for time in ["-20y", "+10y x10"] {
            beside(&library, &[("FAKETIME", time)], &[("host_threads", &["many", "20"])]);
        }
    }
}

/// What waits and what is kept goes by the monotonic clock.
#[test]
fn the_wall_clock_may_jump() {
    let clock = cc::shared_object("host_clock");
    beside(&clock, &[], MIXED);
    Sandbox::enter(|sandbox| {
        // Nobody answers: the lookup ends when its time is over, not before, and not in a year.
        sandbox.write("/etc/resolv.conf", "nameserver 192.0.2.77\noptions timeout:1 attempts:2\n");
        sandbox.address("192.0.2.9/24");
        let mut command = sandbox.command(cc::program("gai"));
        command.args(["-f", "inet", "host.test", "80"]);
        let preloads = format!("{}:{}", clock.display(), preload_library().display());
        let got = run(
            {
                command.env("LD_PRELOAD", preloads);
                command
            },
            LIMIT,
        );
        assert!(got.out().contains("EAI_AGAIN"), "{got}");
        let took = got.took;
        assert!((Duration::from_secs(1)..Duration::from_secs(20)).contains(&took), "{took:?}");
    });
}

#[test]
fn destructors_look_up_while_an_exception_passes() {
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        let command = sandbox.command(cc::cxx_program("host_exceptions"));
        is_ok(&run(sandbox.preload(command), LIMIT));
    });
}
