//! A fresh network and mount namespace for one test.
//!
//! [`Sandbox::enter`] runs a closure in a new thread that has left the process's namespaces.
//! Namespaces belong to threads on Linux: the threads and processes that the closure starts are
//! inside too, and other tests of the same process are not. When the closure is done and its
//! children are gone, the kernel removes the namespaces with everything in them.
//!
//! Inside, `lo` is the only interface, `/run` is empty (no nscd, no resolved, no D-Bus) and all of
//! `/etc` may be changed.
//!
//! # Privileges
//!
//! Needs `CAP_SYS_ADMIN` and `CAP_NET_ADMIN`. A user without them runs the whole suite in a user
//! namespace: `unshare --user --map-root-user --net --mount cargo test`, or under sudo. Where
//! neither is possible, a test says `SKIPPED: reason` on stderr and adds that line to the file
//! named by `RUSTDNS_SKIP_LOG`; with `RUSTDNS_NO_SKIP=1` it fails instead.
#![allow(unsafe_code, reason = "unshare, mount and interface flags have no safe wrapper in std")]

use std::ffi::{CStr, CString};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::marker::PhantomData;
use std::os::unix::ffi::OsStrExt;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr;
use std::thread;
use std::time::Duration;

use super::{foreign, process};

/// Where a sandbox keeps its own files; on a tmpfs that only the sandbox sees.
const PRIVATE: &str = "/run/sandbox";

/// The pair of interfaces that carries a sandbox's non-loopback addresses.
const OUTER: &str = "out0";
const PEER: &str = "peer0";

/// The namespaces of the current thread, with their own `/etc`.
#[derive(Debug)]
pub struct Sandbox {
    /// Only the thread that entered, and its children, are inside: the handle stays with it.
    stays_here: PhantomData<*const ()>,
}

impl Sandbox {
    /// Runs `test` inside a fresh sandbox; a panic in it is a panic of the caller.
    ///
    /// Skips the test, loudly, where the process may not make namespaces.
    pub fn enter<F: FnOnce(&Sandbox) + Send>(test: F) {
        // What the test says is said under its own name.
        let name = thread::current().name().unwrap_or("sandbox").to_owned();
        let outcome = thread::scope(|scope| {
            thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, || match leave_namespaces() {
                    Ok(()) => {
                        let sandbox = Sandbox { stays_here: PhantomData };
                        sandbox.furnish();
                        test(&sandbox);
                        None
                    }
                    Err(e) => Some(e),
                })
                .unwrap()
                .join()
        });
        match outcome {
            Ok(None) => {}
            Ok(Some(e)) => skip(&format!("no namespaces for a sandbox: {e}")),
            Err(payload) => panic::resume_unwind(payload),
        }
    }

    /// The configuration every test starts from.
    fn furnish(&self) {
        for folder in ["home", "scratch"] {
            fs::create_dir_all(Path::new(PRIVATE).join(folder)).unwrap();
        }
        self.write("/etc/resolv.conf", "nameserver 127.0.0.1\n");
        self.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
        self.write("/etc/nsswitch.conf", NSSWITCH);
        self.write("/etc/gai.conf", "");
        self.write("/etc/host.conf", "multi on\n");
        self.remove("/etc/rustdns.conf");
    }

    /// Makes `path` a regular file with these bytes, whatever was there before.
    pub fn write(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.clear(path.as_ref());
        fs::write(&path, bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    /// Makes resolv.conf of these servers, 127.0.0.N, and options.
    pub fn name_servers(&self, servers: &[u8], options: &str) {
        let lines: String = servers.iter().map(|n| format!("nameserver 127.0.0.{n}\n")).collect();
        self.write("/etc/resolv.conf", format!("{lines}options {options}\n"));
    }

    /// Adds bytes at the end of an existing file.
    pub fn append(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().append(true).open(own_path(path.as_ref())).unwrap();
        file.write_all(bytes.as_ref()).unwrap();
    }

    /// Removes `path`, a folder with all that is in it; a path that isn't there is fine.
    pub fn remove(&self, path: impl AsRef<Path>) {
        self.clear(path.as_ref());
    }

    /// Makes `path` an empty folder, whatever was there before.
    pub fn mkdir(&self, path: impl AsRef<Path>) {
        fs::create_dir(self.clear(path.as_ref())).unwrap();
    }

    /// Makes `path` a symbolic link to `target`, whatever was there before.
    pub fn symlink(&self, target: impl AsRef<Path>, path: impl AsRef<Path>) {
        std::os::unix::fs::symlink(target, self.clear(path.as_ref())).unwrap();
    }

    /// Makes `path` a FIFO that nobody writes to, whatever was there before.
    pub fn fifo(&self, path: impl AsRef<Path>) {
        let path = c_path(&self.clear(path.as_ref()));
        // SAFETY: `path` is a NUL-terminated string that lives through the call.
        check(unsafe { libc::mkfifo(path.as_ptr(), 0o644) }).unwrap();
    }

    /// Removes what is at `path` and sees to its parent folder.
    fn clear(&self, path: &Path) -> PathBuf {
        let path = own_path(path);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&path).unwrap(),
            Ok(_) => fs::remove_file(&path).unwrap(),
            Err(_) => fs::create_dir_all(path.parent().unwrap()).unwrap(),
        }
        path
    }

    /// An empty folder for the test's own files; gone with the sandbox.
    pub fn scratch(&self) -> PathBuf {
        Path::new(PRIVATE).join("scratch")
    }

    /// A copy of a file in the scratch folder, which every user can enter, with this mode. Made by a
    /// process of its own: while this one has a program open for writing, a child that another test
    /// is just starting has it open too, and it can't be executed.
    pub fn install(&self, file: &Path, name: &str, mode: &str) -> String {
        let copy = self.scratch().join(name);
        let mut command = self.command("install");
        command.args(["-D", "-m", mode]).args([file, &copy]);
        let output = process::run(command, Duration::from_secs(30));
        assert!(output.success(), "{}: {output}", copy.display());
        copy.to_str().unwrap().to_owned()
    }

    /// Gives the sandbox an address beside loopback, with its prefix length: `192.0.2.9/24`,
    /// `2001:db8::9/64`. The first one brings up the interface `out0`, which has a carrier and
    /// no link-local address of its own.
    pub fn address(&self, address: &str) {
        if !self.has_interface(OUTER) {
            self.ip(&format!("link add {OUTER} type veth peer name {PEER}"));
            for side in [OUTER, PEER] {
                self.ip(&format!("link set {side} addrgenmode none"));
                self.ip(&format!("link set {side} up"));
            }
        }
        let no_dad = if address.contains(':') { " nodad" } else { "" };
        self.ip(&format!("address add {address} dev {OUTER}{no_dad}"));
    }

    /// Sends everything that isn't for a known network out of `out0` (where nobody answers), so
    /// that a UDP socket can be connected to a foreign address and shows its source address.
    pub fn default_route(&self, family: u8) {
        self.ip(&format!("-{family} route add default dev {OUTER}"));
    }

    /// Takes `::1` from loopback and IPv6 from the namespace.
    pub fn without_ipv6(&self) {
        for scope in ["all", "default", "lo"] {
            fs::write(format!("/proc/sys/net/ipv6/conf/{scope}/disable_ipv6"), "1").unwrap();
        }
    }

    /// Switches loopback off: no address at all is left, unless [`Sandbox::address`] gave one.
    pub fn without_loopback(&self) {
        self.ip("link set lo down");
    }

    /// Gives the sandbox a host name of its own.
    pub fn host_name(&self, name: &str) {
        // SAFETY: unshare takes flags only, and changes nothing but the calling thread.
        check(unsafe { libc::unshare(libc::CLONE_NEWUTS) }).unwrap();
        // SAFETY: `name` is valid for its length.
        check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) }).unwrap();
    }

    /// Runs ip(8) with these words; the test fails if it does.
    pub fn ip(&self, words: &str) {
        let mut command = self.command("ip");
        command.args(words.split_whitespace());
        let output = process::run(command, Duration::from_secs(10));
        assert!(output.success(), "ip {words}: {output}");
    }

    fn has_interface(&self, name: &str) -> bool {
        let name = CString::new(name).unwrap();
        // SAFETY: `name` is a NUL-terminated string that lives through the call.
        unsafe { libc::if_nametoindex(name.as_ptr()) != 0 }
    }

    /// A command with libc's own resolver and an environment that holds nothing but PATH, HOME
    /// and a UTF-8 locale.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = foreign::command(program.as_ref());
        command
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", Path::new(PRIVATE).join("home"))
            .env("LC_ALL", "C.UTF-8")
            .current_dir("/");
        command
    }

    /// The same command with the library in front of libc.
    pub fn preload(&self, mut command: Command) -> Command {
        foreign::preload(&mut command, &preload_library());
        command
    }
}

/// `hosts:` as most systems have it; the other databases from files, so that no other NSS module
/// has a say.
const NSSWITCH: &str = "hosts: files dns\nnetworks: files\nservices: files\nprotocols: files\n\
                        passwd: files\ngroup: files\nshadow: files\n";

/// The library under test: `librustdns.so` in `RUSTDNS_DIST`, or in `target/dist`.
pub fn preload_library() -> PathBuf {
    let folder = std::env::var_os("RUSTDNS_DIST")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/dist"), PathBuf::from);
    let library = folder.join("librustdns.so");
    // Absolute, because programs run in a folder of their own.
    library
        .canonicalize()
        .unwrap_or_else(|_| panic!("{} is missing: run `make` first", library.display()))
}

/// Says that a test was skipped and why, where people and the runner see it.
pub fn skip(reason: &str) {
    let test = thread::current().name().unwrap_or("?").to_owned();
    let required = std::env::var_os("RUSTDNS_NO_SKIP").is_some_and(|v| v == "1");
    let line = format!("SKIPPED: {test}: {reason}\n");
    if let Some(log) = std::env::var_os("RUSTDNS_SKIP_LOG") {
        let mut log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        log.write_all(line.as_bytes()).unwrap();
    }
    // Not eprintln!: libtest keeps what passing tests print to itself.
    io::stderr().write_all(line.as_bytes()).unwrap();
    assert!(!required, "RUSTDNS_NO_SKIP=1, but {line}");
}

/// Moves the calling thread into new namespaces with an empty `/run` and `/dev/shm`, its own `/etc` and `lo` up.
fn leave_namespaces() -> io::Result<()> {
    // SAFETY: unshare takes flags only, and changes nothing but the calling thread.
    check(unsafe { libc::unshare(libc::CLONE_NEWNET | libc::CLONE_NEWNS) })?;
    mount(None, "/", None, libc::MS_REC | libc::MS_PRIVATE, None)?;
    mount(Some("tmpfs"), "/run", Some("tmpfs"), 0, Some("mode=755"))?;
    hide_name_service_caches()?;
    // faketime(1) has a semaphore there for each process, by its ID, and leaves it behind when that is killed.
    if Path::new("/dev/shm").is_dir() {
        mount(Some("tmpfs"), "/dev/shm", Some("tmpfs"), 0, None)?;
    }
    own_etc()?;
    loopback_up()
}

/// nscd answers before nsswitch.conf is read. Its socket is in /var/run, which need not be /run.
fn hide_name_service_caches() -> io::Result<()> {
    for folder in ["/var/run/nscd", "/var/cache/nscd", "/var/db/nscd"] {
        if Path::new(folder).is_dir() {
            mount(Some("tmpfs"), folder, Some("tmpfs"), 0, None)?;
        }
    }
    Ok(())
}

/// Puts a changeable view over /etc: an overlay, or where there can be none, a copy.
fn own_etc() -> io::Result<()> {
    for folder in ["upper", "work", "copy"] {
        fs::create_dir_all(Path::new(PRIVATE).join(folder))?;
    }
    let layers = format!("lowerdir=/etc,upperdir={PRIVATE}/upper,workdir={PRIVATE}/work");
    // In a user namespace an overlay can't mark folders as opaque: a file couldn't become one.
    let real_root = fs::read_to_string("/proc/self/uid_map")?.split_whitespace().eq([
        "0",
        "0",
        &u32::MAX.to_string(),
    ]);
    if real_root && mount(Some("overlay"), "/etc", Some("overlay"), 0, Some(&layers)).is_ok() {
        return Ok(());
    }
    // Private keys and the like can't be read without real root, and no test wants them.
    let _some_unreadable =
        Command::new("cp").args(["-a", "/etc/."]).arg(format!("{PRIVATE}/copy")).output()?;
    mount(Some(&format!("{PRIVATE}/copy")), "/etc", None, libc::MS_BIND, None)
}

fn mount(
    source: Option<&str>,
    target: &str,
    kind: Option<&str>,
    flags: libc::c_ulong,
    data: Option<&str>,
) -> io::Result<()> {
    let text = |s: Option<&str>| s.map(|s| CString::new(s).unwrap());
    let (source, kind, data) = (text(source), text(kind), text(data));
    let target = CString::new(target).unwrap();
    let raw = |s: &Option<CString>| s.as_deref().map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: every pointer is null where mount(2) allows it, or a NUL-terminated string that
    // lives through the call.
    check(unsafe {
        libc::mount(raw(&source), target.as_ptr(), raw(&kind), flags, raw(&data).cast())
    })
}

/// Brings `lo` up, which gives it 127.0.0.1 and ::1.
fn loopback_up() -> io::Result<()> {
    let socket = std::net::UdpSocket::bind(("0.0.0.0".parse::<std::net::Ipv4Addr>().unwrap(), 0))?;
    let fd = std::os::fd::AsRawFd::as_raw_fd(&socket);
    // SAFETY: an ifreq is plain old data, for which all bytes zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = libc::c_char::from_ne_bytes([*from]);
    }
    // SAFETY: the request is an ifreq with a name, as SIOCGIFFLAGS wants it.
    check(unsafe { libc::ioctl(fd, libc::SIOCGIFFLAGS, &raw mut request) })?;
    // SAFETY: the kernel has just filled in the flags, so they are the union's live member.
    unsafe { request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short };
    // SAFETY: the request is an ifreq with name and flags, as SIOCSIFFLAGS wants it.
    check(unsafe { libc::ioctl(fd, libc::SIOCSIFFLAGS, &raw const request) })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A path that only the sandbox sees; any other would change the machine.
fn own_path(path: &Path) -> PathBuf {
    let own = [Path::new("/etc"), Path::new("/run")].iter().any(|p| path.starts_with(p));
    let climbs = path.components().any(|c| c == std::path::Component::ParentDir);
    assert!(own && !climbs, "{} is not the sandbox's own", path.display());
    path.to_owned()
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}
