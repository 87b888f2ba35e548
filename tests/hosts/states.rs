//! `struct __res_state` as programs hand it over: not zero, a copy, closed twice.

use std::path::Path;
use std::time::Duration;

use crate::numbered::{is_ok, numbered};
use crate::support::cc;
use crate::support::dns::Server;
use crate::support::process::run;
use crate::support::sandbox::{Sandbox, skip};
use crate::support::zone::Zone;

const LIMIT: Duration = Duration::from_secs(60);

/// With libc alone, where it takes that, and with the library.
#[track_caller]
fn lives(mode: &str, with_libc: bool) {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/resolv.conf", "nameserver ::1\nnameserver 127.0.0.1\n");
        let _server = Server::on(sandbox, &["[::1]:53", "127.0.0.1:53"], numbered);
        let command = || {
            let mut command = sandbox.command(cc::program("host_states"));
            command.arg(mode);
            command
        };
        if with_libc {
            is_ok(&run(command(), LIMIT));
        }
        is_ok(&run(sandbox.preload(command()), LIMIT));
    });
}

#[test]
fn a_state_need_not_be_zero() {
    lives("garbage", true);
}

#[test]
fn descriptors_in_a_state_that_is_filled_stay_open() {
    lives("descriptors", true);
}

#[test]
fn a_copy_may_be_filled() {
    lives("copy", true);
}

/// libc frees an address twice here.
#[test]
fn copies_may_be_closed_and_closed_again() {
    lives("copies", false);
}

#[test]
fn threads_end_with_what_they_have_filled() {
    lives("thread", false);
}

#[test]
fn filling_again_and_again_takes_no_memory() {
    lives("again", true);
}

/// OpenDMARC#245.
#[test]
fn libopendmarc_finds_a_policy() {
    if !Path::new("/usr/include/opendmarc/dmarc.h").exists() {
        return skip("no libopendmarc-dev");
    }
    let program = cc::linked_program("host_dmarc", "opendmarc");
    Sandbox::enter(|sandbox| {
        let zone = Zone::new().txt("_dmarc.mail.test", "v=DMARC1; p=reject").nxdomain_else();
        let _server = Server::start(sandbox, zone);
        is_ok(&run(sandbox.command(&program), LIMIT));
        is_ok(&run(sandbox.preload(sandbox.command(&program)), LIMIT));
    });
}
