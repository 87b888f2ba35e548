//! systemd's and Avahi's NSS modules, with libc beside the library, and the daemons behind them.
#![allow(unsafe_code, reason = "a daemon is to end with the test that started it")]

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use super::cc;
use super::differential::{LIMIT, Pair};
use super::process::{kill_group, run_with_input};
use super::sandbox::{Sandbox, skip};

/// Where systemd-resolved listens.
pub const RESOLVED: &str = "/run/systemd/resolve/io.systemd.Resolve";

/// How long a daemon may take to come up.
const START: Duration = Duration::from_secs(60);

/// The folder with `lib` and `bin`; `None`, after a loud skip, where it can't be had.
pub fn folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOLDER.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/peers");
        let output = Command::new(script).output().map_err(|e| e.to_string())?;
        if output.status.success() {
            Ok(PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end()))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    });
    match found {
        Ok(folder) => Some(folder),
        Err(why) => {
            skip(&format!("scripts/peers: {}", why.trim_end()));
            None
        }
    }
}

/// Makes the calls in one process of a probe (`gai` or `hostent`), with libc and its modules and with
/// the library.
pub fn compare_probe(sandbox: &Sandbox, peers: &Path, probe: &str, calls: &str) -> Pair {
    let program = cc::program(probe);
    let mut libc = sandbox.command(&program);
    libc.env("LD_LIBRARY_PATH", peers.join("lib"));
    let rustdns = sandbox.preload(sandbox.command(&program));
    let [libc, rustdns] = [libc, rustdns].map(|mut command| {
        command.arg("--batch");
        run_with_input(command, calls.as_bytes(), LIMIT)
    });
    Pair { what: format!("{probe} --batch"), libc, rustdns }
}

/// A daemon of these packages, which ends with the test.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `bin/NAME` and waits until its log, or something else, says that it `is_up`.
    fn start(
        peers: &Path,
        name: &str,
        log: PathBuf,
        arguments: &[&str],
        is_up: impl Fn(&str) -> bool,
    ) -> Daemon {
        let output = fs::File::create(&log).unwrap();
        let mut command = Command::new(peers.join("bin").join(name));
        command.args(arguments).env_clear().env("LD_LIBRARY_PATH", peers.join("lib"));
        command.stdin(Stdio::null()).stderr(output.try_clone().unwrap()).stdout(output);
        command.process_group(0);
        // SAFETY: prctl is one system call with integer arguments: fine between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let mut daemon = Daemon { child: command.spawn().unwrap(), log };
        let deadline = Instant::now() + START;
        while !is_up(&daemon.log()) {
            if let Some(status) = daemon.child.try_wait().unwrap() {
                panic!("{name} ended at once: {status}\n{}", daemon.log());
            }
            assert!(Instant::now() < deadline, "{name} does not come up\n{}", daemon.log());
            thread::sleep(Duration::from_millis(5));
        }
        daemon
    }

    /// systemd-resolved without D-Bus, by this configuration.
    pub fn resolved(sandbox: &Sandbox, peers: &Path, configuration: &str) -> Daemon {
        sandbox.append("/etc/passwd", "systemd-resolve:x:999:999::/:/usr/sbin/nologin\n");
        sandbox.append("/etc/group", "systemd-resolve:x:999:\n");
        sandbox.write("/etc/systemd/resolved.conf", format!("[Resolve]\n{configuration}"));
        // The daemon makes its own folder there, and not the one above.
        fs::create_dir_all("/run/systemd").unwrap();
        let socket = Path::new(RESOLVED);
        let log = sandbox.scratch().join("resolved.log");
        Daemon::start(peers, "systemd-resolved", log, &[], |_| socket.exists())
    }

    /// avahi-daemon for the calling thread's network, as the host `name`, with these lines of
    /// /etc/avahi/hosts and files in `folder`.
    pub fn avahi(folder: &Path, peers: &Path, name: &str, hosts: &str) -> Daemon {
        for (file, line) in [
            ("/etc/passwd", "avahi:x:998:998::/:/usr/sbin/nologin\n"),
            ("/etc/group", "avahi:x:998:\n"),
        ] {
            let text = fs::read_to_string(file).unwrap();
            if !text.contains("avahi:") {
                fs::write(file, text + line).unwrap();
            }
        }
        fs::create_dir_all("/etc/avahi/services").unwrap();
        fs::write("/etc/avahi/hosts", hosts).unwrap();
        let configuration = folder.join(format!("avahi-{name}.conf"));
        let text = format!(
            "[server]\nhost-name={name}\nuse-ipv4=yes\nuse-ipv6=yes\nenable-dbus=no\n\
             ratelimit-interval-usec=0\n[wide-area]\nenable-wide-area=no\n\
             [publish]\npublish-hinfo=no\npublish-workstation=no\n[rlimits]\n"
        );
        fs::write(&configuration, text).unwrap();
        let arguments = [
            "--no-drop-root",
            "--no-chroot",
            "--no-rlimits",
            "--file",
            configuration.to_str().unwrap(),
        ];
        let log = folder.join(format!("avahi-{name}.log"));
        Daemon::start(peers, "avahi-daemon", log, &arguments, |log| {
            log.contains("Server startup complete")
        })
    }

    /// What it has said.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        kill_group(&self.child);
        self.child.wait().ok();
    }
}
