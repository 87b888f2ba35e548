//! nscd, which asks the module and keeps what it says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::process::run;
use crate::support::sandbox::{Sandbox, skip};
use crate::{LIMIT, MODULE, hosts, with_module};

#[test]
fn nscd() {
    with_module(|sandbox, server| {
        hosts(sandbox, "files rustdns");
        let Some(nscd) = Nscd::start(sandbox) else { return };
        for _ in 0..2 {
            let mut getent = sandbox.command("getent");
            getent.args(["ahosts", "host.test"]);
            let output = run(getent, LIMIT);
            assert!(
                output.success() && output.out().contains("192.0.2.2"),
                "{output}\n{}",
                nscd.log()
            );
        }
        assert_eq!(server.asked().len(), 2, "A and AAAA once: nscd has kept them\n{}", nscd.log());
        assert!(nscd.log().contains("GETAI"), "nscd was asked\n{}", nscd.log());
        let maps = fs::read_to_string(format!("/proc/{}/maps", nscd.child.id())).unwrap();
        assert!(maps.contains(MODULE), "nscd has loaded the module\n{maps}");
    });
}

/// nscd in the foreground; ended when dropped.
struct Nscd {
    child: Child,
    log: PathBuf,
}

impl Nscd {
    fn start(sandbox: &Sandbox) -> Option<Nscd> {
        for folder in ["/run/nscd", "/var/run/nscd"] {
            fs::create_dir_all(folder).unwrap();
        }
        let log = sandbox.scratch().join("nscd.log");
        sandbox.write(
            "/etc/nscd.conf",
            "debug-level 2\nthreads 2\nenable-cache hosts yes\npositive-time-to-live hosts 600\n\
             negative-time-to-live hosts 20\nsuggested-size hosts 211\ncheck-files hosts no\n\
             persistent hosts no\nshared hosts no\nmax-db-size hosts 33554432\n\
             enable-cache passwd no\nenable-cache group no\nenable-cache services no\n\
             enable-cache netgroup no\n",
        );
        let output = fs::File::create(&log).unwrap();
        let mut command = sandbox.command("nscd");
        command.args(["--debug", "--config-file", "/etc/nscd.conf"]);
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = match command.spawn() {
            Ok(child) => child,
            Err(e) => {
                skip(&format!("nscd: {e} (see scripts/packages.test)"));
                return None;
            }
        };
        let mut nscd = Nscd { child, log };
        let deadline = Instant::now() + Duration::from_secs(10);
        while !Path::new("/var/run/nscd/socket").exists() {
            assert!(nscd.child.try_wait().unwrap().is_none(), "nscd ended: {}", nscd.log());
            assert!(Instant::now() < deadline, "no socket of nscd's: {}", nscd.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(nscd)
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }
}

impl Drop for Nscd {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
