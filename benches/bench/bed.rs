//! Where lookups are measured: the responder, /etc as a contestant is to see it, cache daemons.
//!
//! The whole bench is inside namespaces of its own. Each program that looks up is started in a mount
//! namespace more, which has the files of a [`World`] in /etc.

use crate::Result;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The responder's addresses (benches/responder.c).
pub const PLAIN: &str = "127.0.0.1";
pub const SILENT: &str = "127.0.0.2";
pub const FAR: &str = "127.0.0.3";
/// Where dnsmasq listens.
const LOCAL_CACHE: &str = "127.0.0.53";

/// Puts the files of the folder $1 over those in /etc, then runs the rest.
const DRESS: &str = "for file in \"$1\"/*; do mount --bind \"$file\" \"/etc/${file##*/}\" || exit 1; done\n\
                     shift; exec \"$@\"";

/// A process of ours, ended with the value.
#[derive(Debug)]
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it has ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Running {
    /// Starts it with nothing to read.
    pub fn start(command: &mut Command) -> Result<Running> {
        let child = command.stdin(Stdio::null()).spawn();
        child.map(Running).map_err(|error| format!("{command:?}: {error}"))
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

/// The files in /etc that decide how names are looked up.
#[derive(Clone, Debug)]
pub struct Etc {
    pub resolv: String,
    pub hosts: String,
    pub nsswitch: String,
}

impl Default for Etc {
    fn default() -> Etc {
        Etc {
            resolv: format!("nameserver {PLAIN}\n"),
            hosts: "127.0.0.1 localhost\n::1 localhost\n".to_owned(),
            nsswitch: "hosts: files dns\n".to_owned(),
        }
    }
}

/// A place to run programs in: how they get there, and the daemon that serves them.
#[derive(Debug)]
pub struct World {
    enter: Vec<String>,
    _daemon: Option<Running>,
}

impl World {
    /// The command that runs a program in it, which is the command's own process.
    pub fn command(&self, words: &[String]) -> Command {
        let mut words = self.enter.iter().chain(words);
        let mut command = Command::new(words.next().map_or("false", String::as_str));
        command.args(words);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
        command
    }

    /// The same, ended after so long.
    pub fn bounded(&self, limit: Duration, words: &[String]) -> Command {
        let inner = self.command(words);
        let mut command = Command::new("timeout");
        command.args(["--kill-after=1", &limit.as_secs().to_string()]);
        command.arg(inner.get_program()).args(inner.get_args());
        command.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }
}

/// The responder and the folder with all programs.
#[derive(Debug)]
pub struct Bed {
    /// The repository.
    pub root: PathBuf,
    /// target/bench.
    pub folder: PathBuf,
    /// The library under test.
    pub library: PathBuf,
    /// Ten times as many lookups where growth is measured.
    pub long: bool,
    /// The machine's load average before anything was measured: what others were doing.
    pub load: String,
    control: UdpSocket,
    _responder: Running,
}

impl Bed {
    /// Starts the responder.
    pub fn new(long: bool) -> Result<Bed> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let folder = root.join("target/bench");
        let library = root.join("target/dist/librustdns.so");
        let mut command = Command::new(folder.join("responder"));
        let mut responder = Running::start(command.stdout(Stdio::piped()))?;
        let output = responder.0.stdout.take().ok_or("no output of the responder")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).map_err(|e| e.to_string())?;
        if line.trim() != "ready" {
            return Err("the responder did not start".to_owned());
        }
        let control = UdpSocket::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
        control.connect("127.0.0.1:54").map_err(|e| e.to_string())?;
        control.set_read_timeout(Some(Duration::from_secs(5))).map_err(|e| e.to_string())?;
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
        Ok(Bed { root, folder, library, long, load, control, _responder: responder })
    }

    /// A program of the bench.
    pub fn program(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// The queries that each server has had since this was last asked: plain, silent, far.
    pub fn queries(&self) -> Result<[u64; 3]> {
        let text = self.tell("count")?;
        let mut counts = text.split_whitespace().map(|word| word.parse().ok());
        let mut next = || counts.next().flatten().ok_or(format!("counts: {text}"));
        Ok([next()?, next()?, next()?])
    }

    /// Makes the silent server answer, or stop answering.
    pub fn silent_server_speaks(&self, speaks: bool) -> Result<()> {
        self.tell(if speaks { "speak" } else { "hush " }).map(drop)
    }

    fn tell(&self, command: &str) -> Result<String> {
        let mut answer = [0; 128];
        let mut ask = || {
            self.control.send(command.as_bytes())?;
            self.control.recv(&mut answer)
        };
        let length = ask().map_err(|error| format!("the responder: {error}"))?;
        Ok(String::from_utf8_lossy(answer.get(..length).unwrap_or_default()).into_owned())
    }

    /// A world with these files.
    pub fn world(&self, name: &str, etc: &Etc) -> Result<World> {
        let folder = self.folder.join("etc").join(name);
        let write = |file: &str, text: &str| fs::write(folder.join(file), text);
        fs::create_dir_all(&folder)
            .and_then(|()| write("resolv.conf", &etc.resolv))
            .and_then(|()| write("hosts", &etc.hosts))
            .and_then(|()| write("nsswitch.conf", &etc.nsswitch))
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        let folder = folder.display().to_string();
        let words =
            ["unshare", "--mount", "--propagation=private", "sh", "-c", DRESS, "sh", &folder];
        Ok(World { enter: words.map(str::to_owned).to_vec(), _daemon: None })
    }

    /// The same with nscd, which runs in it.
    pub fn world_with_nscd(&self, name: &str, etc: &Etc) -> Result<World> {
        let world = self.world(name, etc)?;
        let conf = self.folder.join("nscd.conf");
        fs::write(&conf, NSCD_CONF).map_err(|error| error.to_string())?;
        let start = "mkdir -p /var/run/nscd && mount -t tmpfs nscd /var/run/nscd && exec \"$@\"";
        let words = ["sh", "-c", start, "sh", "nscd", "--foreground", "--config-file"];
        let mut command = Command::new("unshare");
        command.args(world.enter.iter().skip(1)).args(words).arg(&conf);
        let mut nscd = Running::start(command.stderr(Stdio::null()))?;
        let id = nscd.0.id();
        // /var/run is a link to /run on most systems: it would lead into our own namespace.
        let sockets = ["run", "var/run"]
            .map(|run| PathBuf::from(format!("/proc/{id}/root/{run}/nscd/socket")));
        wait_for("nscd", &mut nscd, || sockets.iter().any(|socket| socket.exists()))?;
        let words = ["nsenter", "--mount", "--target", &id.to_string()];
        Ok(World { enter: words.map(str::to_owned).to_vec(), _daemon: Some(nscd) })
    }

    /// The same with dnsmasq in front of the first server of `etc`.
    pub fn world_with_dnsmasq(&self, name: &str, etc: &Etc) -> Result<World> {
        let server = etc.resolv.split_whitespace().nth(1).ok_or("no name server")?;
        let resolv = etc.resolv.replacen(server, LOCAL_CACHE, 1);
        let mut world = self.world(name, &Etc { resolv, ..etc.clone() })?;
        let mut command = Command::new("dnsmasq");
        command.args([
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
        ]);
        command.args(["--bind-interfaces", "--cache-size=10000", "--user=root", "--pid-file="]);
        // Forwarded queries under way: 150 by default, then it refuses.
        command.args(["--dns-forward-max=10000"]);
        command.arg(format!("--listen-address={LOCAL_CACHE}")).arg(format!("--server={server}"));
        let mut dnsmasq = Running::start(command.stderr(Stdio::null()))?;
        // It has no name server's port while we have it.
        wait_for("dnsmasq", &mut dnsmasq, || UdpSocket::bind((LOCAL_CACHE, 53)).is_err())?;
        world._daemon = Some(dnsmasq);
        Ok(world)
    }
}

/// Waits until a daemon is ready.
pub fn wait_for(name: &str, daemon: &mut Running, ready: impl Fn() -> bool) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !ready() {
        if daemon.has_ended() || Instant::now() > deadline {
            return Err(format!("{name} did not start"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

const NSCD_CONF: &str = "\
threads 4
enable-cache hosts yes
positive-time-to-live hosts 3600
negative-time-to-live hosts 20
suggested-size hosts 211
check-files hosts yes
persistent hosts no
shared hosts yes
max-db-size hosts 33554432
enable-cache passwd no
enable-cache group no
enable-cache services no
enable-cache netgroup no
";
