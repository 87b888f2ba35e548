//! What a program can call of libc's that the library never sees: README.md, "Where it can't reach".

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::cc;
use crate::support::process::{End, run};
use crate::support::sandbox::Sandbox;

const LIMIT: Duration = Duration::from_secs(60);

/// These look up hosts within libc; a module that crashes takes the program along.
const WITHIN: [&str; 4] = ["rcmd", "rexec", "ruserok", "gethostid"];
/// These have databases of their own, whose modules libc loads.
const BESIDE: [&str; 10] = [
    "getnetbyname",
    "getnetbyaddr",
    "getnetent",
    "ether_hostton",
    "ether_ntohost",
    "getservbyname",
    "getprotobyname",
    "getrpcbyname",
    "getaliasbyname",
    "innetgr",
];

#[test]
fn what_libc_looks_up_within_itself_is_named() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let part = readme.split("## Where it can't reach").nth(1).unwrap();
    let part = part.split("\n## ").next().unwrap();
    Sandbox::enter(|sandbox| {
        let databases =
            ["hosts", "networks", "ethers", "services", "protocols", "rpc", "aliases", "netgroup"];
        let lines: String = databases.map(|database| format!("{database}: crash files\n")).concat();
        sandbox.write("/etc/nsswitch.conf", lines);
        let call = |function: &str| {
            let mut command = sandbox.command(cc::program("reach"));
            command.arg(function);
            command.env("LD_LIBRARY_PATH", cc::crash_module()).env("LD_DEBUG", "libs");
            let output = run(sandbox.preload(command), LIMIT);
            let loads = output.err().contains("find library=libnss_crash.so.2");
            (output, loads)
        };
        let (output, loads) = call("getaddrinfo");
        assert!(output.success() && !loads, "{output}");
        for function in WITHIN {
            let (output, _) = call(function);
            assert!(matches!(output.end, End::Signal(libc::SIGSEGV)), "{function}: {output}");
        }
        for function in BESIDE {
            let (output, loads) = call(function);
            assert!(loads, "{function}: {output}");
        }
    });
    for function in WITHIN.iter().chain(&BESIDE) {
        assert!(part.contains(&format!("`{function}`")), "README.md doesn't name {function}");
    }
}
