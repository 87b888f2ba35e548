//! `rustdns compare`.

use super::{assert_refused, json, rustdns, with, zone};
use crate::support::cc;
use crate::support::dns::Server;
use crate::support::process::End;
use crate::support::sandbox::{Sandbox, preload_library};

#[test]
fn what_is_the_same_and_what_differs() {
    Sandbox::enter(|sandbox| {
        // Names under invalid are never sent by us, libc sends them (docs/divergences.md).
        let _server = Server::start(sandbox, zone().a("x.invalid", "192.0.2.66"));
        let output = rustdns(sandbox, &["compare", "alias.test", "192.0.2.1", "nosuch.test"]);
        assert!(output.success() && !output.out().contains('!'), "{output}");
        assert_eq!(output.out().matches("  the same\n").count(), 3, "{output}");
        let text = output.out();
        let rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let rows: Vec<_> = rows.collect();
        for row in [
            "result found found",
            "192.0.2.1 192.0.2.1",
            "2001:db8::1 2001:db8::1",
            "name host.test host.test",
            "result EAI_NONAME EAI_NONAME",
        ] {
            assert!(rows.iter().any(|one| one.ends_with(row)), "{row}\n{output}");
        }

        let output = rustdns(sandbox, &["compare", "x.invalid", "host.test"]);
        assert_eq!(output.end, End::Exit(1), "{output}");
        for row in ["! result     found         ! EAI_NONAME\n", "! addresses  192.0.2.66    !\n"] {
            assert!(output.out().contains(row), "{row}\n{output}");
        }
        let output = rustdns(sandbox, &["compare", "--json", "x.invalid", "host.test"]);
        assert_eq!(output.end, End::Exit(1), "{output}");
        let found = "[(n['name'], n['verdict'], n['libc']['addresses'] == n['rustdns']['addresses'], \
                     n['rustdns']['error']) for n in d['names']]";
        assert_eq!(
            json(sandbox, &output.out(), found),
            "[('x.invalid', 'different', False, 'EAI_NONAME'), ('host.test', 'same', True, None)]"
        );
    });
}

/// The crash that the project exists for: libc dies, and the comparison goes on.
#[test]
fn a_lookup_that_kills_libcs_process_is_shown_as_its_signal() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        sandbox.write("/etc/nsswitch.conf", "hosts: files crash dns\n");
        let folder = cc::crash_module().to_str().unwrap().to_owned();
        let variables = [("LD_LIBRARY_PATH", folder.as_str())];
        let output = with(sandbox, &variables, &["compare", "host.test", "localhost"]);
        assert_eq!(output.end, End::Exit(1), "{output}");
        assert!(
            output.out().contains("libc: SIGSEGV: the lookup has killed the process"),
            "{output}"
        );
        assert!(output.out().contains("  the same\n"), "localhost is in files\n{output}");
        let output = with(sandbox, &variables, &["compare", "--json", "host.test"]);
        let found = "d['names'][0]['libc']['error'], len(d['names'][0]['rustdns']['addresses'])";
        assert!(json(sandbox, &output.out(), found).starts_with("SIGSEGV "), "{output}");
    });
}

#[test]
fn preloads_of_others_are_kept_and_ours_is_not_in_libcs_process() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone().a("x.invalid", "192.0.2.66"));
        let present = format!("libm.so.6:{}", preload_library().display());
        let output = with(sandbox, &[("LD_PRELOAD", &present)], &["compare", "x.invalid"]);
        assert_eq!(output.end, End::Exit(1), "{output}");
        assert!(output.out().contains("! result     found         ! EAI_NONAME\n"), "{output}");
    });
}

#[test]
fn wrong_input() {
    Sandbox::enter(|sandbox| {
        let output = rustdns(sandbox, &["compare", "--library", "/etc/hosts", "a.test"]);
        assert_refused(&output, 2, &["not an ELF file", "--library"]);
        // A library, and none of ours.
        let other = "/lib/x86_64-linux-gnu/libm.so.6";
        if std::path::Path::new(other).exists() {
            let output = rustdns(sandbox, &["compare", "--library", other, "localhost"]);
            assert_refused(&output, 2, &["was not loaded", "rustdns doctor"]);
        }
        let output = rustdns(sandbox, &["compare"]);
        assert_eq!((output.end, output.out().as_str()), (End::Exit(2), ""), "{output}");
        assert!(output.err().contains("--help"), "{output}");
        let output = rustdns(sandbox, &["compare", ""]);
        assert!(output.success() && output.out().contains("EAI_NONAME"), "{output}");
    });
}
