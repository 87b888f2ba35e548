//! The command `rustdns`, as `make` leaves it: programs run with the library, programs that are
//! refused, lookups, settings.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use support::differential::LIMIT;
use support::dns::Server;
use support::link::{GNU, Link, try_program};
use support::process::{End, Output, run, run_with_input};
use support::sandbox::{Sandbox, preload_library, skip};
use support::zone::Zone;

/// A user who owns nothing here.
const NOBODY: u32 = 65534;

fn zone() -> Zone {
    Zone::new()
        .addresses("host.test", ["192.0.2.1", "2001:db8::1"])
        .cname("alias.test", "host.test")
        .txt("text.test", "no address")
        .ptr("192.0.2.1", "host.test")
        .nxdomain_else()
}

fn binary() -> PathBuf {
    let file = preload_library().with_file_name("rustdns");
    assert!(file.is_file(), "{} is missing: run `make` first", file.display());
    file
}

/// `rustdns` with these words.
fn rustdns(sandbox: &Sandbox, words: &[&str]) -> Output {
    with(sandbox, &[], words)
}

/// The same with these variables in the environment.
fn with(sandbox: &Sandbox, variables: &[(&str, &str)], words: &[&str]) -> Output {
    let mut command = sandbox.command(binary());
    command.args(words).envs(variables.iter().copied());
    run(command, LIMIT)
}

/// Ends with this status, says this on standard error, and nothing else.
#[track_caller]
fn assert_refused(output: &Output, status: i32, parts: &[&str]) {
    assert_eq!(output.end, End::Exit(status), "{output}");
    for part in parts {
        assert!(output.err().contains(part), "no {part:?}\n{output}");
    }
    assert_eq!((output.out().as_str(), output.err().lines().count()), ("", 1), "{output}");
}

/// An executable file of the test's own.
fn executable(sandbox: &Sandbox, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = sandbox.scratch().join(name);
    sandbox.write(&path, content);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn copy_of(sandbox: &Sandbox, program: &str, name: &str) -> String {
    executable(sandbox, name, fs::read(program).unwrap())
}

/// The members that these Python expressions have in the JSON `text`, which python3 has to read.
#[track_caller]
fn json(sandbox: &Sandbox, text: &str, expressions: &str) -> String {
    let mut command = sandbox.command("python3");
    command.args(["-m", "json.tool"]);
    let output = run_with_input(command, text.as_bytes(), LIMIT);
    assert!(output.success(), "{output}\n{text}");
    let mut command = sandbox.command("python3");
    command
        .arg("-c")
        .arg(format!("import json, sys; d = json.load(sys.stdin); print({expressions})"));
    let output = run_with_input(command, text.as_bytes(), LIMIT);
    assert!(output.success(), "{output}\n{text}");
    output.out().trim_end().to_owned()
}

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
            chown(&file, Some(owner.unwrap_or(0)), Some(group.unwrap_or(0))).unwrap();
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
            &run(&["--server", "tls://192.0.2.1", "--", "true"]),
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

#[test]
fn lookup_shows_what_a_program_would_get() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        sandbox.address("192.0.2.9/24");
        sandbox.address("2001:db8::9/64");
        // The order is libc's own: two addresses in the same networks as ours.
        let mut libc = sandbox.command("getent");
        libc.args(["ahosts", "alias.test"]);
        let libc = run(libc, LIMIT).out();
        let order: Vec<_> = libc.lines().filter(|line| line.contains("STREAM")).collect();
        let order: Vec<_> = order.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(order.len(), 2, "{libc}");
        let output = rustdns(sandbox, &["lookup", "alias.test", "80"]);
        assert!(output.success(), "{output}");
        let text = output.out();
        let (known, time) = text.trim_end().rsplit_once('\n').unwrap();
        let want = format!(
            "name       alias.test\ncanonical  host.test\naddresses  {}\n           {}\n\
             service    80\nports      80 stream\n           80 dgram\n           80 raw",
            order[0], order[1]
        );
        assert_eq!(known, want);
        assert!(time.starts_with("time ") && time.ends_with(" ms"), "{time}");

        let output = rustdns(sandbox, &["lookup", "-6", "--json", "alias.test", "80"]);
        let found = "d['name'], d['canonical'], d['addresses'], d['service'], d['ports'][0], \
                     d['microseconds'] > 0";
        assert_eq!(
            json(sandbox, &output.out(), found),
            "alias.test host.test [{'address': '2001:db8::1', 'family': 'ipv6'}] 80 \
             {'port': 80, 'socket': 'stream', 'protocol': 6} True"
        );
        let output = rustdns(sandbox, &["lookup", "-4", "host.test"]);
        assert!(output.out().contains("192.0.2.1") && !output.out().contains("2001:"), "{output}");
    });
}

#[test]
fn what_is_not_found_has_its_code_on_standard_error_and_in_json() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, zone());
        for (words, code) in [
            (&["nosuch.test"][..], "EAI_NONAME"),
            (&["text.test"], "EAI_NODATA"),
            (&["host.test", "nonsense"], "EAI_SERVICE"),
            (&["-6", "192.0.2.1"], "EAI_ADDRFAMILY"),
            (&["a..b"], "EAI_NONAME"),
            (&[""], "EAI_NONAME"),
        ] {
            let output = rustdns(sandbox, &[&["lookup"], words].concat());
            assert_refused(&output, 1, &[&format!(": {code}: ")]);
            let output = rustdns(sandbox, &[&["lookup", "--json"], words].concat());
            assert_eq!(output.end, End::Exit(1), "{output}");
            assert_eq!(
                json(sandbox, &output.out(), "d['error'], d['message'] != ''"),
                format!("{code} True")
            );
        }
        assert_refused(
            &rustdns(sandbox, &["reverse", "192.0.2.2"]),
            1,
            &["192.0.2.2: EAI_NONAME: "],
        );
        drop(server);
        let output =
            with(sandbox, &[("RES_OPTIONS", "timeout:1 attempts:1")], &["lookup", "host.test"]);
        assert_refused(&output, 1, &["EAI_AGAIN", "/etc/resolv.conf"]);
    });
}

#[test]
fn names_beyond_ascii_are_looked_up_in_their_idna_form() {
    Sandbox::enter(|sandbox| {
        // RFC 3492's algorithm gives mnchen-3ya for münchen.
        let _server = Server::start(sandbox, Zone::new().a("xn--mnchen-3ya.test", "192.0.2.8"));
        let output = rustdns(sandbox, &["lookup", "--json", "münchen.test"]);
        let found = "d['name'], d['canonical'], d['addresses'][0]['address']";
        assert_eq!(json(sandbox, &output.out(), found), "münchen.test münchen.test 192.0.2.8");
    });
}

#[test]
fn reverse_shows_the_name() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let output = rustdns(sandbox, &["reverse", "192.0.2.1"]);
        assert!(output.success(), "{output}");
        assert!(
            output.out().starts_with("address    192.0.2.1\nname       host.test\ntime"),
            "{output}"
        );
        let output = rustdns(sandbox, &["reverse", "--json", "::1"]);
        assert_eq!(json(sandbox, &output.out(), "d['address'], d['name']"), "::1 localhost");
        for wrong in ["host.test", "", "1.2.3.4.5", "fe80::1%nosuch"] {
            let output = rustdns(sandbox, &["reverse", wrong]);
            assert_refused(&output, 2, &["not an address", "rustdns lookup"]);
        }
    });
}

#[test]
fn conf_shows_each_setting_and_where_it_comes_from() {
    Sandbox::enter(|sandbox| {
        // Every key has a value of its own: one that the command forgot would show.
        let file = "upstream 127.0.0.1:5353\ncache 17\ncache-max-ttl 18\ncache-negative-ttl 19\n\
                    foreign libc\ncase-randomization on\ndebug 0\nlog /tmp/log\nroot /srv\nmode test-only\n\
                    cache 20\ncache many\nnonsense 1\n";
        sandbox.write("/etc/rustdns.conf", file);
        let variables = [
            ("RUSTDNS_CACHE_MAX_TTL", "33"),
            ("RUSTDNS_LOG", "nowhere"),
            ("RUSTDNS_UPSTEAM", "::1"),
        ];
        let output = with(sandbox, &variables, &["conf", "--json"]);
        assert!(output.success(), "{output}");
        let rows = json(
            sandbox,
            &output.out(),
            "'\\n'.join(f\"{s['key']} {s['value']} {s['origin']}\" for s in d['settings'])",
        );
        let want = "upstream 127.0.0.1:5353 /etc/rustdns.conf:1\ncache 20 /etc/rustdns.conf:11\n\
            cache-max-ttl 33 environment\ncache-negative-ttl 19 /etc/rustdns.conf:4\n\
            foreign libc /etc/rustdns.conf:5\ncase-randomization on /etc/rustdns.conf:6\n\
            debug 0 /etc/rustdns.conf:7\nlog /tmp/log /etc/rustdns.conf:8\n\
            root /srv /etc/rustdns.conf:9\nmode test-only /etc/rustdns.conf:10";
        assert_eq!(rows, want);
        let remarks = json(sandbox, &output.out(), "'\\n'.join(d['not_understood'])");
        let parts = [
            "/etc/rustdns.conf:12: ",
            "/etc/rustdns.conf:13: ",
            "environment: value not understood, ignored: log nowhere",
            "environment: unknown setting, ignored: RUSTDNS_UPSTEAM",
        ];
        assert_eq!(remarks.lines().count(), parts.len(), "{remarks}");
        for (line, part) in remarks.lines().zip(parts) {
            assert!(line.starts_with(part), "{remarks}");
        }
        let text = with(sandbox, &variables, &["conf"]).out();
        for part in
            ["cache 20\n    from: /etc/rustdns.conf:11\n", "not understood: environment: unk"]
        {
            assert!(text.contains(part), "{text}");
        }
        sandbox.remove("/etc/rustdns.conf");
        let output = rustdns(sandbox, &["conf", "--json"]);
        let origins = json(
            sandbox,
            &output.out(),
            "{s['origin'] for s in d['settings']}, d['not_understood']",
        );
        assert_eq!(origins, "{'default'} []");
        sandbox.mkdir("/etc/rustdns.conf");
        let text = rustdns(sandbox, &["conf"]).out();
        assert!(text.contains("not understood: /etc/rustdns.conf: not a file"), "{text}");
    });
}

#[test]
fn a_reader_that_has_enough_is_no_reason_to_crash() {
    Sandbox::enter(|sandbox| {
        let mut command = sandbox.command("sh");
        command
            .arg("-c")
            .arg(r#"sleep 0.2 | { exec 3>&1; { "$0" conf; echo "$?" >&2; } | true; }"#);
        command.arg(binary());
        let output = run(command, LIMIT);
        assert!(["0\n", "1\n"].contains(&output.err().as_str()), "{output}");
    });
}

/// Each subcommand's help has an example, and each option of the help is in the man page.
#[test]
fn help_and_man_page_have_the_same_options() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man/rustdns.1");
    let page = fs::read_to_string(page).unwrap();
    let help = |words: &[&str]| {
        let mut command = Command::new(binary());
        command.args(words).arg("--help");
        let output = run(command, LIMIT);
        assert!(output.success() && output.out().contains("Example:\n  "), "{output}");
        output.out()
    };
    let all = help(&[]);
    let subcommands: Vec<_> = all
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .map_while(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(subcommands, ["run", "lookup", "reverse", "conf"]);
    let mut options = 0;
    for subcommand in subcommands {
        assert!(page.contains(&format!("\n.Cm {subcommand}\n")), "{subcommand}");
        for line in help(&[subcommand]).lines().filter(|line| line.trim_start().starts_with('-')) {
            let option = line.trim_start().split([' ', '[', '=']).next().unwrap();
            if !option.starts_with("-h") {
                options += 1;
                let name = &option[1..];
                assert!(
                    page.contains(&format!("Fl {name} ")) || page.contains(&format!("Fl {name}\n")),
                    "{option}"
                );
            }
        }
    }
    assert_eq!(options, 9);
    let mut command = Command::new(binary());
    command.arg("--version");
    assert_eq!(run(command, LIMIT).out(), concat!("rustdns ", env!("CARGO_PKG_VERSION"), "\n"));
}
