//! The root changes under the process.

use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::numbered::{is_ok, number, numbered};
use crate::support::cc;
use crate::support::dns::{Question, Reply, Server};
use crate::support::process::run;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rtype};

/// The other root's server has other addresses.
fn elsewhere(question: &Question) -> Reply {
    match number(&question.name) {
        Some((_, number)) if question.qtype == rtype::A => {
            let address = Ipv4Addr::from_bits(0x0a01_0000 | number).to_string();
            Reply::records([Record::address(&question.name, &address)])
        }
        _ => Reply::nodata().soa("test"),
    }
}

fn in_another_root(how: &str) {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "10.9.9.9 listed.test\n");
        let _here = Server::on(sandbox, &["127.0.0.1:53"], numbered);
        let _there = Server::on(sandbox, &["127.0.0.2:53"], elsewhere);
        let root = sandbox.scratch().join("root");
        for folder in ["etc", "empty"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("etc/resolv.conf"), "nameserver 127.0.0.2\n").unwrap();
        fs::write(root.join("etc/hosts"), "10.8.8.8 listed.test\n").unwrap();
        let mut command = sandbox.command(cc::program("host_roots"));
        command.arg(how).arg(&root);
        is_ok(&run(sandbox.preload(command), Duration::from_secs(20)));
    });
}

#[test]
fn chroot_between_lookups() {
    in_another_root("chroot");
}

#[test]
fn pivot_root_between_lookups() {
    in_another_root("pivot");
}
