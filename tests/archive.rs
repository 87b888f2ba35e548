//! `librustdns.a` beside another library in Rust, and inside shared objects that are loaded and unloaded.

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
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use support::cc;
use support::dns::{Question, Reply, Server};
use support::link::{dist, pkg_config};
use support::process::{Output, run};
use support::sandbox::Sandbox;

const LIMIT: Duration = Duration::from_secs(120);

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c").join(name)
}

/// A file of this test process.
fn made(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tests-archive");
    fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{name}-{}", std::process::id()))
}

fn succeed(mut command: Command) -> Output {
    command.env("LC_ALL", "C");
    let shown = format!("{command:?}");
    let output = run(command, LIMIT);
    assert!(output.success(), "{shown}\n{output}");
    output
}

fn gcc() -> Command {
    let mut gcc = Command::new("gcc");
    gcc.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1"]).args(pkg_config(&["--cflags"]));
    gcc
}

/// The compilers of Rust that are here: the one in use, and Debian's.
fn compilers() -> Vec<&'static str> {
    let debian = Path::new("/usr/bin/rustc").exists().then_some("/usr/bin/rustc");
    ["rustc"].into_iter().chain(debian).collect()
}

/// `other.rs` as an archive, by one of them.
fn other_archive(rustc: &str) -> PathBuf {
    let archive = made(&format!("libother{}.a", rustc.replace('/', "-")));
    let mut command = Command::new(rustc);
    command.args(["--edition", "2021", "-O", "--crate-type", "staticlib", "-o"]);
    command.arg(&archive).arg(source("other.rs"));
    succeed(command);
    archive
}

/// How a program is linked. LLVM's linker comes with Rust's compiler from rustup.
fn ways() -> Vec<Vec<String>> {
    let mut ways: Vec<Vec<String>> = [
        "-pie",
        "-static",
        "-static-pie -fPIE",
        "-flto",
        "-static -flto",
        "-Wl,--gc-sections",
        "-static -Wl,--gc-sections",
    ]
    .iter()
    .map(|way| way.split(' ').map(str::to_owned).collect())
    .collect();
    let mut linkers = vec![];
    for (linker, program) in [("gold", "/usr/bin/ld.gold"), ("mold", "/usr/bin/mold")] {
        if Path::new(program).exists() {
            linkers.push(vec![format!("-fuse-ld={linker}")]);
        }
    }
    let mut ask = Command::new("rustc");
    ask.args(["--print", "target-libdir"]);
    let folder = PathBuf::from(succeed(ask).out().trim()).parent().unwrap().join("bin/gcc-ld");
    if folder.exists() {
        linkers.push(vec!["-fuse-ld=lld".to_owned(), format!("-B{}", folder.display())]);
    }
    for linker in linkers {
        ways.push(linker.clone());
        ways.push([linker, vec!["-static".to_owned()]].concat());
    }
    ways
}

#[test]
fn it_links_with_another_library_in_rust() {
    let ours = dist().join("librustdns.a");
    let mut programs = vec![];
    for rustc in compilers() {
        let other = other_archive(rustc);
        for way in ways() {
            for order in [[&ours, &other], [&other, &ours]] {
                let program = made(&format!("both-{}", programs.len()));
                let mut command = gcc();
                command.args(&way).arg("-o").arg(&program).arg(source("both.c")).args(order);
                succeed(command);
                programs.push((program, format!("{rustc} {way:?} {order:?}")));
            }
        }
    }
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| Reply::address(q));
        for (program, what) in &programs {
            let output = run(sandbox.command(program), LIMIT);
            assert_eq!(output.out(), "code 0, asked 2, 4, 99\n", "{what}\n{output}");
            fs::remove_file(program).unwrap();
        }
    });
}

#[test]
fn go_links_it_with_another_library_in_rust() {
    let (ours, other) = (dist().join("librustdns.a"), other_archive("rustc"));
    let main = made("main").with_extension("go");
    let text = "package main\n\n// int other_length(const char *);\nimport \"C\"\n\nimport (\n\t\"fmt\"\n\t\"net\"\n)\n\n\
        func main() {\n\taddresses, err := net.LookupHost(\"host.test\")\n\t\
        fmt.Println(len(addresses) > 0, err, C.other_length(C.CString(\"four\")))\n}\n";
    fs::write(&main, text).unwrap();
    let mut programs = vec![];
    for (at, order) in [[&ours, &other], [&other, &ours]].iter().enumerate() {
        let program = made(&format!("go-{at}"));
        let archives = order.map(|archive| archive.display().to_string()).join(" ");
        let mut command = Command::new("go");
        command.env("GO111MODULE", "off").env("CGO_ENABLED", "1").env("GOTOOLCHAIN", "local");
        command.env("GOFLAGS", "").env("GOCACHE", made("go-cache"));
        // cgo links a trial of its own before, which has to find the other library's function too.
        command.env("CGO_LDFLAGS", &archives).args(["build", "-tags", "netcgo", "-ldflags"]);
        command.arg(format!("-linkmode external -extldflags '-static {archives}'"));
        command.arg("-o").arg(&program).arg(&main);
        succeed(command);
        programs.push(program);
    }
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, |q: &Question| Reply::address(q));
        for program in &programs {
            let output = run(sandbox.command(program), LIMIT);
            assert_eq!(output.out(), "true <nil> 4\n", "{output}");
            assert!(!server.asked().is_empty());
        }
    });
}

/// A shared object with the archive inside.
fn plugin(name: &str, flags: &[String]) -> PathBuf {
    let object = made(name).with_extension("so");
    let mut command = gcc();
    command.args(["-shared", "-fPIC", "-o"]).arg(&object).arg(source("plugin.c")).args(flags);
    succeed(command);
    object
}

/// With the archive and nothing else, and as rustdns.pc has it.
fn plugins() -> &'static [PathBuf; 2] {
    static MADE: LazyLock<[PathBuf; 2]> = LazyLock::new(|| {
        let archive = dist().join("librustdns.a").display().to_string();
        [plugin("plain", &[archive]), plugin("flags", &pkg_config(&["--variable=plugin"]))]
    });
    &MADE
}

fn answer(question: &Question) -> Reply {
    match &*question.name {
        // After the object has been unloaded.
        "late.test" => Reply::address(question).after(Duration::from_millis(300)),
        _ => Reply::address(question),
    }
}

/// How the host that loads the object three times ends, for each use.
fn used(object: &Path, use_: &str) -> Output {
    let host = cc::program("plugin_host");
    let mut output = None;
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, answer);
        let mut command = sandbox.command(&host);
        command.arg(object).args(["3", use_]);
        output = Some(run(command, LIMIT));
    });
    output.unwrap()
}

#[test]
fn a_plug_in_calls_its_own_functions() {
    const OWN: &str = "plugin_look: rustdns\nplugin_look_as_rustdns: rustdns\nplugin_look_by_name: rustdns\n\
        table 0: rustdns\ntable 1: rustdns\n";
    let [plain, flags] = plugins();
    let output = used(plain, "look");
    assert_eq!(output.out(), OWN.repeat(3) + "still there 0 times\n1 threads, gone\n", "{output}");
    let output = used(flags, "look");
    assert_eq!(
        output.out(),
        OWN.repeat(3) + "still there 3 times\n1 threads, still there\n",
        "{output}"
    );
}

/// Threads of ours may still run then: one that waits for more to do, or for a server; one that calls the
/// program's function. The object stays for them.
#[test]
fn a_plug_in_may_be_unloaded_at_any_time() {
    let [plain, flags] = plugins();
    for object in [plain, flags] {
        for use_ in ["idle", "busy", "told", "thread"] {
            let output = used(object, use_);
            assert!(output.success(), "{use_} {}\n{output}", object.display());
            assert_eq!(
                output.out(),
                "still there 3 times\n1 threads, still there\n",
                "{use_}\n{output}"
            );
        }
    }
}

/// What a plug-in is linked with is its own business, and not the program's.
#[test]
fn a_plug_in_exports_none_of_it() {
    let [plain, flags] = plugins();
    let exports = |object: &Path| {
        let mut nm = Command::new("nm");
        nm.args(["-D", "--defined-only"]).arg(object);
        succeed(nm).out()
    };
    assert!(exports(plain).contains(" getaddrinfo\n"));
    let own = exports(flags);
    assert!(own.contains(" plugin_look\n") && own.lines().all(|l| l.contains(" plugin_")), "{own}");
}
