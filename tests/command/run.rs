//! `rustdns run` where it runs something.

use super::{assert_refused, binary, executable, rustdns, with, zone};
use crate::support::cc;
use crate::support::differential::LIMIT;
use crate::support::dns::Server;
use crate::support::link::{GNU, Link, try_program};
use crate::support::process::{End, run};
use crate::support::sandbox::{Sandbox, preload_library};

#[test]
fn a_program_is_run_with_the_library_and_the_servers_given() {
    Sandbox::enter(|sandbox| {
        // Nobody listens where resolv.conf says: only the option leads to an answer.
        let server = Server::on(sandbox, &["127.0.0.9:53"], zone());
        let words =
            ["run", "--server", "127.0.0.9", "--debug", "--", "getent", "ahosts", "host.test"];
        let output = rustdns(sandbox, &words);
        assert!(output.success() && output.out().contains("192.0.2.1 "), "{output}");
        assert!(output.err().contains("answers for libc in this process"), "{output}");
        assert!(!server.asked().is_empty());
        // Without the words before it the same program finds nothing.
        let mut alone = sandbox.command("getent");
        alone.args(["ahosts", "host.test"]);
        assert_eq!(run(alone, LIMIT).end, End::Exit(2));
    });
}

#[test]
fn the_root_is_where_configuration_is_read() {
    Sandbox::enter(|sandbox| {
        let root = sandbox.scratch().join("fixture");
        sandbox.write(root.join("etc/hosts"), "192.0.2.77 only.here\n");
        sandbox.write(root.join("etc/nsswitch.conf"), "hosts: files\n");
        let mut command = sandbox.command(binary());
        // Relative to where the command is called, not to where the program goes.
        command.current_dir(sandbox.scratch());
        command.args([
            "run",
            "--root",
            "fixture",
            "--",
            "sh",
            "-c",
            "cd / && getent ahosts only.here",
        ]);
        let output = run(command, LIMIT);
        assert!(output.success() && output.out().contains("192.0.2.77"), "{output}");
    });
}

#[test]
fn what_the_environment_has_already_is_kept() {
    Sandbox::enter(|sandbox| {
        let library = preload_library();
        let folder = library.parent().unwrap().display();
        let print = ["run", "--", "sh", "-c", "echo $LD_PRELOAD $GODEBUG; exit 7"];
        let show = |variables: &[(&str, &str)]| {
            let output = with(sandbox, variables, &print);
            // The status is the program's own.
            assert_eq!(output.end, End::Exit(7), "{output}");
            output.out().trim_end().to_owned()
        };
        assert_eq!(show(&[]), format!("{folder}/librustdns.so.0 netdns=cgo"));
        let present =
            [("LD_PRELOAD", "libm.so.6 libdl.so.2"), ("GODEBUG", "netdns=go+1,x509sha1=1")];
        let want = format!("{folder}/librustdns.so.0:libm.so.6:libdl.so.2 x509sha1=1,netdns=cgo");
        assert_eq!(show(&present), want);
        // Twice is once.
        let own = format!("{folder}/librustdns.so.0");
        assert_eq!(show(&[("LD_PRELOAD", &own)]), format!("{own} netdns=cgo"));
    });
}

#[test]
fn scripts_are_followed_to_their_programs() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let static_program = try_program(GNU, "gai.c", Link::StaticLibc).0;
        let static_program = static_program.to_str().unwrap();
        for line in
            ["#!/bin/sh", "#! /bin/sh -e", "#!/usr/bin/env sh", "#!/usr/bin/env -S A=1 sh -e"]
        {
            let script = executable(sandbox, "script", format!("{line}\ngetent ahosts $1\n"));
            let output = rustdns(sandbox, &["run", "--", &script, "host.test"]);
            assert!(output.success() && output.out().contains("2001:db8::1"), "{line}\n{output}");
        }
        let script = executable(sandbox, "of-static", format!("#!{static_program}\n"));
        let nested = executable(sandbox, "nested", format!("#!{script} x\n"));
        for script in [&script, &nested] {
            let output = rustdns(sandbox, &["run", "--", script]);
            assert_refused(&output, 2, &[static_program, "statically linked"]);
        }
        let script = executable(sandbox, "gone", "#!/nonexistent/python\n");
        let output = rustdns(sandbox, &["run", "--", &script]);
        assert_refused(&output, 127, &[&script, "/nonexistent/python", "correct the line"]);
        let script = executable(sandbox, "no-env", "#!/usr/bin/env nosuchprogram\n");
        assert_refused(&rustdns(sandbox, &["run", "--", &script]), 127, &["nosuchprogram"]);
        let path = sandbox.scratch().join("loop").to_str().unwrap().to_owned();
        executable(sandbox, "loop", format!("#!{path}\n"));
        assert_refused(&rustdns(sandbox, &["run", "--", &path]), 126, &["without end"]);
        let script = executable(sandbox, "bare", "echo no line\n");
        assert_refused(&rustdns(sandbox, &["run", "--", &script]), 126, &["say `sh "]);
    });
}

/// AddressSanitizer's runtime ends a program where another library is loaded before it, unless told not to look.
#[test]
fn programs_with_address_sanitizer_run() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, zone());
        let program = cc::address_sanitized("gai");
        let words = [program.to_str().unwrap(), "-t", "stream", "host.test", "80"];
        let mut alone = sandbox.command(words[0]);
        alone.args(&words[1..]);
        let output = run(sandbox.preload(alone), LIMIT);
        assert!(output.err().contains("ASan runtime does not come first"), "{output}");
        for options in [None, Some("detect_leaks=1:exitcode=7")] {
            server.clear_log();
            let mut command = sandbox.command(binary());
            command.args(["run", "--debug", "--"]).args(words);
            options.map(|options| command.env("ASAN_OPTIONS", options));
            let output = run(command, LIMIT);
            assert!(output.success() && output.out().contains("192.0.2.1 "), "{output}");
            assert!(output.err().contains("answers for libc in this process"), "{output}");
            assert!(!server.asked().is_empty());
            let mut command = sandbox.command(binary());
            command.args(["run", "--", "sh", "-c", "echo $ASAN_OPTIONS"]);
            assert_eq!(run(command, LIMIT).out(), "\n");
        }
    });
}
