//! The libraries for musl: linked into static programs and preloaded into dynamic ones they print
//! what the same program prints with glibc.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

#[path = "hosts/numbered.rs"]
#[allow(dead_code, unreachable_pub, reason = "not all of it is for musl")]
mod numbered;
mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use support::cc;
use support::differential::unified_diff;
use support::dns::{Question, Reply, Server, Transport};
use support::foreign;
use support::process::{run, run_with_input};
use support::sandbox::{Sandbox, skip};
use support::wire::Record;
use support::zone::Zone;

const LIMIT: Duration = Duration::from_secs(120);

/// The folder that scripts/musl fills, made once; `None`, said loudly, where musl can't be had.
fn dist() -> Option<&'static Path> {
    static DIST: OnceLock<Option<PathBuf>> = OnceLock::new();
    let dist = DIST.get_or_init(|| {
        let chosen = std::env::var_os("RUSTDNS_MUSL_DIST").map(PathBuf::from);
        if chosen.is_some() && foreign::is_emulated() {
            return chosen;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut deps = Command::new(root.join("scripts/install-deps"));
        let installed = run(
            {
                deps.args(["build", "musl"]);
                deps
            },
            Duration::from_secs(300),
        );
        let found = ["/bin", "/usr/bin"].iter().any(|bin| Path::new(bin).join("musl-gcc").exists());
        if !installed.success() || !found {
            return None;
        }
        let output = run(Command::new(root.join("scripts/musl")), Duration::from_secs(900));
        assert!(output.success(), "scripts/musl\n{output}");
        let target = format!("target/dist/{}-unknown-linux-musl", std::env::consts::ARCH);
        Some(chosen.unwrap_or_else(|| root.join(target)))
    });
    if dist.is_none() {
        skip("no musl-gcc here (scripts/packages.musl)");
    }
    dist.as_deref()
}

/// How a program of tests/c is linked with musl.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Link {
    /// With our archive, as pkg-config says.
    Archive,
    /// With musl's own archive only.
    MuslStatic,
    /// Dynamically, without us.
    Dynamic,
}

/// The program; neither compiler nor linker may have anything to say.
fn program(dist: &Path, source: &str, link: Link) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let number = format!("{:?}", std::thread::current().id());
    let program = folder.join(format!(
        "musl-{source}-{link:?}-{}-{}",
        std::process::id(),
        number.replace(['(', ')'], "")
    ));
    let compiler = foreign::musl_compiler();
    let mut command = Command::new(&compiler[0]);
    command
        .args(&compiler[1..])
        .args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c").join(source));
    if link != Link::Dynamic {
        command.arg("-static");
    }
    if link == Link::Archive {
        let mut pkg_config = Command::new("pkg-config");
        pkg_config.env("PKG_CONFIG_PATH", dist).args(["--static", "--cflags", "--libs", "rustdns"]);
        let said = run(pkg_config, LIMIT);
        assert!(said.success(), "{said}");
        command.args(said.out().split_whitespace());
    }
    let shown = format!("{command:?}");
    let output = run(command, Duration::from_secs(120));
    assert!(output.success(), "{shown}\n{output}");
    assert_eq!(output.out() + &output.err(), "", "{shown}");
    program
}

fn ask(tool: &[&str], file: &Path) -> String {
    let mut command = Command::new(tool[0]);
    command.env("LC_ALL", "C").args(&tool[1..]).arg(file);
    let output = run(command, LIMIT);
    assert!(output.success(), "{tool:?} {}\n{output}", file.display());
    output.out()
}

/// The names that `nm` shows as defined.
fn defined(tool: &[&str], file: &Path) -> BTreeSet<String> {
    let text = ask(tool, file);
    let symbols = text.lines().filter_map(|line| line.split_whitespace().nth(2));
    symbols.map(str::to_owned).collect()
}

#[test]
fn the_program_is_static_and_has_no_resolver_but_ours() {
    let Some(dist) = dist() else { return };
    let ours = program(dist, "gai.c", Link::Archive);
    let segments = ask(&["readelf", "-W", "-l"], &ours);
    assert!(!segments.contains("INTERP") && !segments.contains("DYNAMIC"), "{segments}");
    let symbols = defined(&["nm", "--defined-only"], &ours);
    let theirs = defined(&["nm", "--defined-only"], &program(dist, "gai.c", Link::MuslStatic));
    // musl's getaddrinfo, getnameinfo and all else go through these.
    for name in ["__lookup_name", "__res_msend"] {
        assert!(theirs.contains(name), "musl has {name}");
        assert!(!symbols.contains(name), "{name} is in the program");
    }
    // Symbols of glibc's that its unwinder would have needed.
    assert!(symbols.contains("getaddrinfo") && !symbols.contains("_dl_find_object"));
}

/// A panic is caught where the unwinder finds its tables.
#[test]
fn the_unwinder_works() {
    let Some(dist) = dist() else { return };
    let output = run(foreign::command(program(dist, "unwind.c", Link::Archive).as_os_str()), LIMIT);
    assert!(output.success() && output.out() == "5 frames\n", "{output}");
}

/// Zone data, where what is asked for `long.test` by UDP is cut short.
fn script() -> impl Fn(&Question) -> Reply + Send + Sync + 'static {
    let zone = Zone::new()
        .addresses("host.test", ["192.0.2.1", "192.0.2.2", "2001:db8::1"])
        .cname("alias.test", "host.test")
        .txt("text.test", "no address")
        .a("xn--bcher-kva.test", "192.0.2.5")
        .ptr("192.0.2.1", "host.test")
        .ptr("2001:db8::1", "host.test")
        .nxdomain_else();
    move |question: &Question| match (question.name.as_str(), question.transport) {
        ("long.test", Transport::Udp) => Reply::empty().truncated(),
        ("long.test", Transport::Tcp) if question.qtype == 1 => {
            let many = (1..=60).map(|i| Record::address("long.test", &format!("192.0.2.{i}")));
            Reply::records(many)
        }
        ("long.test", Transport::Tcp) => Reply::nodata(),
        _ => zone.answer(question),
    }
}

fn calls() -> String {
    let mut calls = String::new();
    let nodes = ["host.test", "alias.test", "text.test", "nobody.test", "listed.test", "long.test"];
    for node in nodes.into_iter().chain(["::1", "127.1", "localhost", "-"]) {
        for flags in ["", "-F CANONNAME", "-F NUMERICHOST", "-f inet", "-f inet6", "-n 4"] {
            for service in ["80", "http", "-", "nosuch"] {
                writeln!(calls, "gai {flags} {node} {service}").unwrap();
            }
        }
    }
    // On threads: musl's stacks are small.
    writeln!(calls, "gai -n 4 -F IDN,CANONNAME,CANONIDN b\\xc3\\xbccher.test 80").unwrap();
    for address in ["192.0.2.1", "2001:db8::1", "192.0.2.9", "192.0.2.77", "127.0.0.1", "::1"] {
        for flags in ["0", "NAMEREQD", "NUMERICHOST", "NUMERICSERV", "DGRAM"] {
            writeln!(calls, "gni -F {flags} {address} 80").unwrap();
        }
    }
    calls
}

/// A musl program prints what the glibc one prints without us.
fn same_as_glibc(program: &Path, preload: Option<&Path>) {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.9 listed.test other\n2001:db8::9 listed.test\n");
        let server = Server::start(sandbox, script());
        let batch = |program: &Path, preload: Option<&Path>| {
            let mut command = sandbox.command(program);
            command.arg("--batch");
            if let Some(library) = preload {
                command.env("LD_PRELOAD", library);
            }
            let output = run_with_input(command, calls().as_bytes(), LIMIT);
            assert!(output.success() && output.out().contains("host.test"), "{output}");
            assert!(output.out().contains("192.0.2.60 port 80"), "by TCP\n{output}");
            output.to_string()
        };
        let glibc = batch(&cc::program("gai"), None);
        server.clear_log();
        let musl = batch(program, preload);
        assert!(glibc == musl, "--- glibc\n+++ musl, rustdns\n{}", unified_diff(&glibc, &musl));
        assert!(
            server.log().iter().any(|q| q.name == "long.test" && q.transport == Transport::Tcp)
        );
    });
}

#[test]
fn static_programs() {
    let Some(dist) = dist() else { return };
    same_as_glibc(&program(dist, "gai.c", Link::Archive), None);
}

#[test]
fn preloaded_into_dynamic_programs() {
    let Some(dist) = dist() else { return };
    let program = program(dist, "gai.c", Link::Dynamic);
    let segments = ask(&["readelf", "-W", "-l"], &program);
    assert!(segments.contains("/ld-musl-"), "{segments}");
    same_as_glibc(&program, Some(&dist.join("librustdns.so")));
}

/// The names are those that musl's own libc has, and ours; and the library needs nothing but musl.
#[test]
fn names() {
    let Some(dist) = dist() else { return };
    let library = dist.join("librustdns.so");
    let exported = defined(&["nm", "-D", "--defined-only"], &library);
    let listed = include_str!("symbols/musl.txt");
    assert!(listed.lines().is_sorted());
    assert_eq!(exported, listed.lines().map(str::to_owned).collect());
    // musl's libc is its dynamic linker too.
    let segments = ask(&["readelf", "-W", "-l"], &program(dist, "gai.c", Link::Dynamic));
    let libc = segments.split("interpreter: ").nth(1).unwrap().split(']').next().unwrap();
    let libc = defined(&["nm", "-D", "--defined-only"], Path::new(libc));
    assert!(libc.contains("getaddrinfo") && libc.contains("dn_expand"));
    for name in exported.iter().filter(|name| !name.starts_with("rustdns_")) {
        assert!(libc.contains(name), "musl has no {name}");
    }
    let archive = defined(&["nm", "--defined-only"], &program(dist, "gai.c", Link::Archive));
    assert!(archive.contains("getaddrinfo") && !archive.contains("getaddrinfo_a"));
    let dynamic = ask(&["readelf", "-W", "-d"], &library);
    let needed: Vec<_> = dynamic.lines().filter(|line| line.contains("(NEEDED)")).collect();
    assert!(needed.len() == 1 && needed[0].contains("[libc.so]"), "{needed:?}");
}

/// As `tests/hosts/left.rs` has it of glibc. musl itself tells a thread that it was cancelled, so that it ends soon
/// with the archive too.
#[test]
fn lookups_that_are_left() {
    let Some(dist) = dist() else { return };
    let archive = (program(dist, "host_left.c", Link::Archive), None);
    let dynamic = (program(dist, "host_left.c", Link::Dynamic), Some(dist.join("librustdns.so")));
    Sandbox::enter(|sandbox| {
        sandbox.address("192.0.2.9/24");
        let _server = Server::start(sandbox, numbered::left);
        for (program, preload) in [archive, dynamic] {
            for mode in ["jump", "jump-thread", "reused", "nested", "cancel", "cancel-waiting"] {
                println!("{mode}");
                let mut command = sandbox.command(&program);
                command.args([mode, "getaddrinfo", "12"]);
                if let Some(library) = &preload {
                    command.env("LD_PRELOAD", library);
                }
                numbered::is_ok(&run(command, LIMIT));
            }
        }
    });
}
