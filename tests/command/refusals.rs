//! `rustdns run` where it runs nothing: what it says, and its exit status.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::chown;
use std::path::Path;

use super::{NOBODY, assert_refused, binary, copy_of, executable, rustdns, zone};
use crate::support::differential::LIMIT;
use crate::support::dns::Server;
use crate::support::link::{GNU, Link, try_program};
use crate::support::process::{End, run};
use crate::support::sandbox::{Sandbox, preload_library, skip};

#[test]
fn static_programs_are_refused_and_told_of_the_archive() {
    Sandbox::enter(|sandbox| {
        let file = try_program(GNU, "gai.c", Link::StaticLibc).0;
        let output = rustdns(sandbox, &["run", "--", file.to_str().unwrap()]);
        assert_refused(&output, 2, &["statically linked", "librustdns.a"]);
    });
}

/// The oracle is the loader: what is refused, it would have run without the library.
#[test]
fn programs_with_rights_of_their_own_are_refused_where_the_loader_ignores_us() {
    Sandbox::enter(|sandbox| {
        let _server = Server::on(sandbox, &["127.0.0.9:53"], zone());
        let file = copy_of(sandbox, "/usr/bin/getent", "privileged");
        let call = [file.as_str(), "ahosts", "host.test"];
        for (owner, group, mode, why) in [
            (Some(NOBODY), None, 0o4755, Some("is setuid")),
            (None, Some(NOBODY), 0o2755, Some("is setgid")),
            // A setgid bit that is none: without the group's x it is a mark for locking.
            (None, Some(NOBODY), 0o2745, None),
            // Rights that the caller has already.
            (Some(0), Some(0), 0o6755, None),
        ] {
            let (owner, group) = (owner.unwrap_or(0), group.unwrap_or(0));
            if let Err(error) = chown(&file, Some(owner), Some(group)) {
                return skip(&format!("no file for another user: {error}"));
            }
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let mut by_hand = sandbox.preload(sandbox.command(&file));
            by_hand.args(&call[1..]).env("RUSTDNS_UPSTREAM", "127.0.0.9");
            assert_eq!(run(by_hand, LIMIT).success(), why.is_none(), "mode {mode:o}");
            let mut words = vec!["run", "--server", "127.0.0.9", "--"];
            words.extend(call);
            let output = rustdns(sandbox, &words);
            match why {
                Some(why) => assert_refused(&output, 2, &[why, "LD_PRELOAD"]),
                None => assert!(output.success(), "mode {mode:o}\n{output}"),
            }
        }
    });
}

#[test]
fn programs_with_file_capabilities_are_refused_for_ordinary_users() {
    Sandbox::enter(|sandbox| {
        let file = copy_of(sandbox, "/usr/bin/true", "capable");
        let mut command = sandbox.command("setcap");
        command.args(["cap_net_raw+ep", &file]);
        if !Path::new("/usr/sbin/setcap").exists() && !Path::new("/sbin/setcap").exists() {
            return skip("no setcap");
        }
        if !run(command, LIMIT).success() {
            return skip("this file system or user namespace has no file capabilities");
        }
        // Command and library where anybody may read them.
        for file in ["rustdns", "librustdns.so.0"] {
            executable(sandbox, file, fs::read(preload_library().with_file_name(file)).unwrap());
        }
        let rustdns = sandbox.scratch().join("rustdns").to_str().unwrap().to_owned();
        let as_user = |user: &str, program: &str| {
            let mut command = sandbox.command("setpriv");
            command.args(["--reuid", user, "--clear-groups", &rustdns, "run", "--", program]);
            run(command, LIMIT)
        };
        assert_refused(&as_user("65534", &file), 2, &["has file capabilities"]);
        assert!(as_user("65534", "/usr/bin/true").success());
        assert!(as_user("0", &file).success());
    });
}

#[test]
fn foreign_programs_are_refused() {
    Sandbox::enter(|sandbox| {
        let own = fs::read("/usr/bin/true").unwrap();
        let changed = |at: usize, octet: u8| {
            let mut file = own.clone();
            file[at] = octet;
            file
        };
        // e_machine: SPARC; and a class and an order of octets that the header then has not.
        let file = executable(sandbox, "sparc", changed(18, 2));
        let output = rustdns(sandbox, &["run", "--", &file]);
        assert_refused(&output, 2, &["is for SPARC, 64 bits", "librustdns.so", "--library"]);
        for broken in [own[..30].to_vec(), changed(4, 3), changed(5, 0), own[..200].to_vec()] {
            let file = executable(sandbox, "broken", broken);
            assert_refused(&rustdns(sandbox, &["run", "--", &file]), 126, &["damaged"]);
        }
        // A shorter path fits into the place of the loader's.
        let at = own.windows(5).position(|part| part == b"/lib6").unwrap();
        for (loader, parts) in [
            (&b"/lib/ld-musl-x.so.1\0"[..], ["runs on musl", "built for glibc"]),
            (b"/lib/ld-none.so.2\0", ["loader /lib/ld-none.so.2", "is missing"]),
        ] {
            let mut file = own.clone();
            file[at..at + loader.len()].copy_from_slice(loader);
            let file = executable(sandbox, "foreign", file);
            assert_refused(&rustdns(sandbox, &["run", "--", &file]), 2, &parts);
        }
    });
}

#[test]
fn what_cannot_be_run_is_said_with_the_status_of_a_shell() {
    Sandbox::enter(|sandbox| {
        let run = |words: &[&str]| rustdns(sandbox, &[&["run"], words].concat());
        assert_refused(&run(&["--", "nosuchprogram"]), 127, &["nosuchprogram", "PATH"]);
        assert_refused(&run(&["--", "/no/such/program"]), 127, &["/no/such/program"]);
        assert_refused(&run(&["--", "/etc/hosts"]), 126, &["chmod +x"]);
        assert_refused(&run(&["--", "/etc"]), 126, &["not a file"]);
        assert_refused(&run(&["--server", "x.test", "--", "true"]), 2, &["--server x.test", "say"]);
        assert_refused(
            &run(&["--server", "quic://192.0.2.1", "--", "true"]),
            2,
            &["not an address"],
        );
        assert_refused(
            &run(&["--root", "/nonexistent", "--", "true"]),
            2,
            &["--root /nonexistent"],
        );
        assert_refused(&run(&["--root", "/etc/hosts", "--", "true"]), 2, &["not a folder"]);
        assert_refused(&run(&["--library", "/nonexistent", "--", "true"]), 2, &["--library"]);
        assert_refused(&run(&["--library", "/etc/hosts", "--", "true"]), 2, &["not an ELF file"]);
        // A name can't forge a line of its own.
        assert_refused(
            &run(&["--", "a\n\u{1b}[2Jb\u{202e}"]),
            127,
            &["a\\u{a}\\u{1b}[2Jb\\u{202e}:"],
        );
        for words in
            [&["--"][..], &["--debug=3", "true"], &["--nonsense", "true"], &["--sever", "1"]]
        {
            let output = run(words);
            assert_eq!((output.end, output.out().as_str()), (End::Exit(2), ""), "{output}");
            assert!(output.err().contains("--help"), "{output}");
        }
    });
}

#[test]
fn a_command_far_from_any_library_says_where_it_looked() {
    Sandbox::enter(|sandbox| {
        if Path::new("/usr/local/lib/librustdns.so.0").exists() {
            return skip("rustdns is installed on this machine");
        }
        let alone = copy_of(sandbox, binary().to_str().unwrap(), "alone/bin/rustdns");
        let mut command = sandbox.command(&alone);
        command.args(["run", "--", "true"]);
        let lib = sandbox.scratch().join("alone/lib");
        assert_refused(
            &run(command, LIMIT),
            2,
            &["make install", "--library", lib.to_str().unwrap()],
        );
    });
}
