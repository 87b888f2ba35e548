//! `rustdns conf`, and what is said of every subcommand: help, man page.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{binary, json, rustdns, with};
use crate::support::differential::LIMIT;
use crate::support::process::run;
use crate::support::sandbox::Sandbox;

#[test]
fn conf_shows_each_setting_and_where_it_comes_from() {
    Sandbox::enter(|sandbox| {
        // Every key has a value of its own: one that the command forgot would show.
        let file = "upstream 127.0.0.1:5353\ncache 17\ncache-max-ttl 18\ncache-negative-ttl 19\n\
                    foreign libc\ncase-randomization on\ncookies on\ndebug 0\nlog /tmp/log\nroot /srv\nmode test-only\n\
                    cache 20\ncache many\nnonsense 1\nserve-stale 60\ndebug-format json\n\
                    stats on\n\
                    upstream-fallback plain\nupstream-ca /ca\ndnssec validate\ntrust-anchor /anchor\nhedge 300\n";
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
        let want = "upstream 127.0.0.1:5353 /etc/rustdns.conf:1\n\
            upstream-fallback plain /etc/rustdns.conf:18\nupstream-ca /ca /etc/rustdns.conf:19\n\
            dnssec validate /etc/rustdns.conf:20\ntrust-anchor /anchor /etc/rustdns.conf:21\n\
            cache 20 /etc/rustdns.conf:12\n\
            cache-max-ttl 33 environment\ncache-negative-ttl 19 /etc/rustdns.conf:4\n\
            serve-stale 60 /etc/rustdns.conf:15\n\
            foreign libc /etc/rustdns.conf:5\ncase-randomization on /etc/rustdns.conf:6\n\
            cookies on /etc/rustdns.conf:7\nhedge 300 /etc/rustdns.conf:22\ndebug 0 /etc/rustdns.conf:8\n\
            log /tmp/log /etc/rustdns.conf:9\ndebug-format json /etc/rustdns.conf:16\n\
            stats on /etc/rustdns.conf:17\nroot /srv /etc/rustdns.conf:10\n\
            mode test-only /etc/rustdns.conf:11";
        assert_eq!(rows, want);
        let remarks = json(sandbox, &output.out(), "'\\n'.join(d['not_understood'])");
        let parts = [
            "/etc/rustdns.conf:13: ",
            "/etc/rustdns.conf:14: ",
            "environment: value not understood, ignored: log nowhere",
            "environment: unknown setting, ignored: RUSTDNS_UPSTEAM",
        ];
        assert_eq!(remarks.lines().count(), parts.len(), "{remarks}");
        for (line, part) in remarks.lines().zip(parts) {
            assert!(line.starts_with(part), "{remarks}");
        }
        let text = with(sandbox, &variables, &["conf"]).out();
        for part in
            ["cache 20\n    from: /etc/rustdns.conf:12\n", "not understood: environment: unk"]
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
    assert_eq!(
        subcommands,
        [
            "run",
            "lookup",
            "reverse",
            "explain",
            "compare",
            "doctor",
            "bench",
            "conf",
            "flush",
            "stats",
            "top",
            "completions"
        ]
    );
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
    assert_eq!(options, 28);
    let mut command = Command::new(binary());
    command.arg("--version");
    assert_eq!(run(command, LIMIT).out(), concat!("rustdns ", env!("CARGO_PKG_VERSION"), "\n"));
}
