//! libc's own tool, and the tools that fetch.

use super::servers::COMMIT;
use super::stage::Stage;
use super::text::{whole, without_between, without_lines, without_repeats};

/// Names of every kind: with both families, with one, many, an alias, one to be completed by the
/// search list, from /etc/hosts, special, without addresses, unknown, a text address.
const NAMES: [&str; 13] = [
    "www.example.test",
    "v4.example.test",
    "v6.example.test",
    "many.example.test",
    "alias.example.test",
    "www",
    "www.example.test.",
    "hosted",
    "localhost",
    "text.example.test",
    "absent.example.test",
    "dangling.example.test",
    "192.0.2.80",
];

#[test]
fn getent_ahosts() {
    getent("ahosts", "2001:db8::80    STREAM www.example.test");
}

#[test]
fn getent_ahostsv4() {
    getent("ahostsv4", "192.0.2.80      STREAM www.example.test");
}

#[test]
fn getent_ahostsv6() {
    getent("ahostsv6", "2001:db8::80    STREAM www.example.test");
}

/// `getent -s` calls `__nss_configure_lookup`.
#[test]
fn getent_with_services_of_its_own() {
    Stage::set(|stage| {
        let hosted = "192.0.2.90      STREAM hosted.example.test";
        for (services, name, expected) in [
            ("hosts:files", "hosted", hosted),
            ("hosts:files", "www.example.test", "exit status 2"),
            ("hosts:dns", "hosted", "exit status 2"),
            ("hosts:dns", "www.example.test", "STREAM www.example.test"),
            ("hosts:dns [NOTFOUND=return] files", "hosted", "exit status 2"),
            ("hosts:dns files", "hosted", hosted),
            ("hosts:", "hosted", "exit status 2"),
            ("hosts:files [", "hosted", hosted),
            ("passwd:files", "hosted", hosted),
        ] {
            for database in ["ahosts", "hosts"] {
                let expected: &[&str] = if database == "ahosts" { &[expected] } else { &[] };
                stage.compare_preloaded(
                    "getent",
                    |c| c.args(["-s", services, database, name]),
                    whole,
                    expected,
                );
            }
        }
    });
}

fn getent(database: &str, first: &str) {
    Stage::set(|stage| {
        for name in NAMES {
            let expected: &[&str] = if name == NAMES[0] { &[first] } else { &["exit status "] };
            stage.compare("getent", |c| c.args([database, name]), whole, expected);
        }
        // Many keys in one process: what the first left behind must not change the second.
        stage.compare("getent", |c| c.arg(database).args(NAMES), whole, &[first]);
    });
}

/// `hosts` asks gethostbyname2 and gethostbyaddr.
#[test]
fn getent_hosts() {
    Stage::set(|stage| {
        let addresses = ["192.0.2.99", "2001:db8::80", "127.0.0.5", "::1"];
        for key in NAMES.iter().chain(&addresses) {
            stage.compare_preloaded("getent", |c| c.args(["hosts", key]), whole, &["exit status "]);
        }
        stage.compare_preloaded(
            "getent",
            |c| c.arg("hosts").args(NAMES).args(addresses),
            whole,
            &["2001:db8::80    www.example.test"],
        );
    });
}

#[test]
fn curl() {
    Stage::set(|stage| {
        let pages = [
            ("--ipv4", "www.example.test", "192.0.2.80 serves / of www.example.test:8080"),
            ("--ipv6", "alias.example.test", "2001:db8::80 serves / of alias.example.test:8080"),
            ("--location", "www", "2001:db8::80 serves / of www:8080"),
            ("--location", "v4.example.test", "192.0.2.81 serves"),
            ("--location", "absent.example.test", "Could not resolve host: absent.example.test"),
            ("--ipv6", "v4.example.test", "curl: ("),
        ];
        for (option, name, expected) in pages {
            stage.compare(
                "/usr/bin/curl",
                |c| {
                    let address = format!("http://{name}:8080/");
                    c.args(["--happy-eyeballs-timeout-ms", "20000"]);
                    c.args(["--verbose", "--no-progress-meter", option, &address])
                },
                // Its resolver thread is seen to fail once or twice, as it happens.
                |text| without_repeats(&without_between(text, " after ", " ms: ")),
                &[expected],
            );
        }
    });
}

#[test]
fn wget() {
    Stage::set(|stage| {
        let pages = [
            ("www.example.test", "2001:db8::80 serves / of www.example.test:8080"),
            ("alias", "2001:db8::80 serves / of alias:8080"),
            ("v4.example.test", "Resolving v4.example.test (v4.example.test)... 192.0.2.81"),
            ("absent.example.test", "unable to resolve host address"),
        ];
        for (name, expected) in pages {
            stage.compare(
                "wget",
                |c| {
                    let address = format!("http://{name}:8080/");
                    c.args(["--tries=1", "--timeout=20", "--output-document=-", &address])
                },
                // The time of day, the progress and the speed.
                |text| without_lines(text, &["--20", " written to stdout", "0K "]),
                &[expected],
            );
        }
    });
}

#[test]
fn git() {
    Stage::set(|stage| {
        let reference = format!("{COMMIT}\trefs/heads/main");
        let remotes = [
            ("http://www.example.test:8080/repository.git", reference.as_str()),
            ("http://absent.example.test:8080/repository.git", "Could not resolve host"),
            ("git://www.example.test/repository.git", &reference),
            ("git://v4.example.test/repository.git", &reference),
            ("git://alias/repository.git", &reference),
            ("git://absent.example.test/repository.git", "unable to look up absent.example.test"),
        ];
        for (remote, expected) in remotes {
            stage.compare("/usr/bin/git", |c| c.args(["ls-remote", remote]), whole, &[expected]);
        }
        // It says which address it takes, and how each was reached.
        stage.compare(
            "/usr/bin/git",
            |c| {
                c.env("GIT_CURL_VERBOSE", "1").env("GIT_TRACE_CURL_NO_DATA", "1");
                c.args(["ls-remote", "http://v4.example.test:8080/repository.git"])
            },
            |text| without_between(text, "", " http.c:"),
            &["192.0.2.81"],
        );
    });
}
