//! librustdns-encrypted.so: from where it is loaded, and when; and how a process lives with it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::numbered::{begin, is_ok};
use crate::support::authority::{Authority, GOOD};
use crate::support::cc;
use crate::support::dns::Server;
use crate::support::link::{GNU, Link, dist, program};
use crate::support::process::{End, Output, run};
use crate::support::sandbox::{Sandbox, skip};
use crate::support::servers::RealServer;

const LIMIT: Duration = Duration::from_secs(120);
const OBJECT: &str = "librustdns-encrypted.so";
/// What tests/c/other_object.c says.
const STRANGER: &str = "another object was loaded";
const NOBODY: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];

/// The names of `numbered`, behind a server that is asked over TLS.
pub struct World {
    _names: Server,
    _private: RealServer,
    settings: String,
}

impl World {
    pub fn new(sandbox: &Sandbox) -> Option<World> {
        let names = begin(sandbox);
        sandbox.name_servers(&[1], "timeout:30 attempts:1");
        let authority = Authority::new(sandbox, "authority");
        let identity = authority.issue(sandbox, GOOD, 30);
        let private = RealServer::unbound_private(sandbox, "127.0.0.2:853", &identity, "")?;
        let settings =
            format!("upstream tls://127.0.0.2\nupstream-ca {}\n", authority.file().display());
        sandbox.write("/etc/rustdns.conf", &settings);
        Some(World { _names: names, _private: private, settings })
    }
}

/// Library and object in a folder of the scratch folder, where others can read them.
fn install(sandbox: &Sandbox, folder: &str) -> String {
    sandbox.install(&dist().join(OBJECT), &format!("{folder}/{OBJECT}"), "644");
    sandbox.install(&dist().join("librustdns.so"), &format!("{folder}/librustdns.so"), "644")
}

/// A stranger's object, by the name of ours, in a folder of the scratch folder.
fn plant(sandbox: &Sandbox, folder: &str) {
    let object = cc::shared_object("other_object");
    sandbox.install(&object, &format!("{folder}/{OBJECT}"), "755");
}

fn host(sandbox: &Sandbox, words: &[&str]) -> Command {
    let mut command = sandbox.command(cc::program("host_object"));
    command.args(words);
    command
}

/// The same as nobody.
fn as_nobody(sandbox: &Sandbox, words: &[&str]) -> Command {
    let program = sandbox.install(&cc::program("host_object"), "host_object", "755");
    let mut command = sandbox.command("setpriv");
    command.args(NOBODY).arg(program).args(words);
    command
}

pub fn can_change_user(sandbox: &Sandbox) -> bool {
    let mut command = sandbox.command("setpriv");
    command.args(NOBODY).arg("true");
    let can = run(command, LIMIT).success();
    if !can {
        skip("can't become another user here");
    }
    can
}

#[track_caller]
fn is_not_fooled(got: &Output) {
    assert!(!got.to_string().contains(STRANGER), "{got}");
}

/// What a program is called is its caller's choice, also where it is setuid and has the library in itself.
#[test]
fn a_setuid_program_loads_nothing_from_where_it_says_it_is() {
    let linked = program(GNU, "gai.c", Link::Archive);
    Sandbox::enter(|sandbox| {
        let _names = begin(sandbox);
        if !can_change_user(sandbox) {
            return;
        }
        sandbox.write("/etc/rustdns.conf", "dnssec validate\ndebug 1\n");
        plant(sandbox, "stranger");
        let setuid = sandbox.install(&linked, "setuid", "4755");
        let name = sandbox.scratch().join("stranger/program");
        let mut command = sandbox.command("setpriv");
        command.args(NOBODY).args(["bash", "-c"]);
        command.arg(format!("exec -a {} {setuid} n1.test 80", name.display()));
        let got = run(command, LIMIT);
        is_not_fooled(&got);
        assert!(got.out().contains("EAI_AGAIN"), "{got}");
        assert!(got.err().contains("is not loaded into a setuid program"), "{got}");
    });
}

/// `/etc/ld.so.preload` counts for setuid programs too.
#[test]
fn a_setuid_program_loads_what_root_alone_can_have_put_there() {
    Sandbox::enter(|sandbox| {
        if !can_change_user(sandbox) {
            return;
        }
        let Some(world) = World::new(sandbox) else { return };
        sandbox.write("/etc/rustdns.conf", format!("{}debug 1\n", world.settings));
        let library = install(sandbox, "lib");
        let setuid = sandbox.install(&cc::program("gai"), "setuid", "4755");
        let look_up = || {
            let mut command = sandbox.command("setpriv");
            command.args(NOBODY).args([&setuid, "-f", "inet", "n1.test", "80"]);
            sandbox.write("/etc/ld.so.preload", &library);
            let got = run(command, LIMIT);
            sandbox.remove("/etc/ld.so.preload");
            got
        };
        let got = look_up();
        assert!(got.out().contains("10.0.0.1"), "{got}");
        for part in ["lib", "lib/librustdns-encrypted.so"] {
            let part = sandbox.scratch().join(part);
            let before = fs::metadata(&part).unwrap().permissions();
            fs::set_permissions(&part, fs::Permissions::from_mode(0o775)).unwrap();
            let got = look_up();
            assert!(got.out().contains("EAI_AGAIN"), "{}: {got}", part.display());
            assert!(got.err().contains("is not loaded into a setuid program"), "{got}");
            fs::set_permissions(&part, before).unwrap();
        }
    });
}

#[test]
fn a_relative_path_means_what_it_meant_at_first() {
    Sandbox::enter(|sandbox| {
        let Some(_world) = World::new(sandbox) else { return };
        install(sandbox, "lib");
        plant(sandbox, "elsewhere");
        let elsewhere = sandbox.scratch().join("elsewhere");
        let words = ["chdir", elsewhere.to_str().unwrap()];
        let mut commands = vec![host(sandbox, &words)];
        if can_change_user(sandbox) {
            commands.push(as_nobody(sandbox, &words));
        }
        for mut command in commands {
            command.current_dir(sandbox.scratch().join("lib"));
            command.env("LD_PRELOAD", "./librustdns.so");
            let got = run(command, LIMIT);
            is_not_fooled(&got);
            is_ok(&got);
        }
    });
}

/// The jail's own settings ask for the object, and it has a file of that name.
#[test]
fn another_root_has_no_object_for_us() {
    Sandbox::enter(|sandbox| {
        let _names = begin(sandbox);
        let library = install(sandbox, "lib");
        let jail = sandbox.scratch().join("jail");
        fs::create_dir_all(jail.join("etc")).unwrap();
        fs::write(jail.join("etc/rustdns.conf"), "dnssec validate\n").unwrap();
        let folder = Path::new(&library).parent().unwrap();
        plant(sandbox, &format!("jail{}", folder.display()));
        let mut command = host(sandbox, &["refused", jail.to_str().unwrap()]);
        command.env("LD_PRELOAD", &library);
        let got = run(command, LIMIT);
        is_not_fooled(&got);
        is_ok(&got);
    });
}

/// A folder to be locked in, with nothing but a resolv.conf, whose server is not there.
pub fn jail(sandbox: &Sandbox) -> String {
    let jail = sandbox.scratch().join("jail");
    fs::create_dir_all(jail.join("etc")).unwrap();
    fs::write(jail.join("etc/resolv.conf"), "nameserver 127.0.0.9\n").unwrap();
    jail.to_str().unwrap().to_owned()
}

#[test]
fn a_daemon_may_lock_itself_in_before_its_first_lookup() {
    Sandbox::enter(|sandbox| {
        let Some(_world) = World::new(sandbox) else { return };
        let jail = jail(sandbox);
        for mode in ["chroot", "jailed", "forked"] {
            let got = run(sandbox.preload(host(sandbox, &[mode, &jail])), LIMIT);
            is_ok(&got);
        }
    });
}

#[test]
fn there_need_be_no_further_thread() {
    Sandbox::enter(|sandbox| {
        let Some(_world) = World::new(sandbox) else { return };
        is_ok(&run(sandbox.preload(host(sandbox, &["no-thread"])), LIMIT));
    });
}

/// The dynamic linker's lock is held then, and only the thread that holds it gets it.
#[test]
fn names_are_resolved_while_an_object_is_loaded_and_unloaded() {
    Sandbox::enter(|sandbox| {
        let Some(_world) = World::new(sandbox) else { return };
        let plugin = cc::shared_object("host_plugin");
        let words = ["plugin", plugin.to_str().unwrap()];
        let mut commands = vec![host(sandbox, &words)];
        if can_change_user(sandbox) {
            let plugin = sandbox.install(&plugin, "plugin.so", "755");
            commands.push(as_nobody(sandbox, &["plugin", &plugin]));
        }
        let library = install(sandbox, "lib");
        for mut command in commands {
            command.env("LD_PRELOAD", &library);
            is_ok(&run(command, LIMIT));
        }
    });
}

#[test]
fn names_are_resolved_for_the_first_time_at_exit() {
    Sandbox::enter(|sandbox| {
        let Some(_world) = World::new(sandbox) else { return };
        let got = run(sandbox.preload(host(sandbox, &["atexit"])), LIMIT);
        assert_eq!((got.end, got.out().as_str()), (End::Exit(0), "ok at exit\n"), "{got}");
    });
}

/// A server that takes connections and says nothing.
fn silent_server(sandbox: &Sandbox) -> TcpListener {
    sandbox.address("192.0.2.9/24");
    sandbox.name_servers(&[1], "timeout:5 attempts:1");
    let authority = Authority::new(sandbox, "authority");
    let settings =
        format!("upstream tls://127.0.0.2\nupstream-ca {}\n", authority.file().display());
    sandbox.write("/etc/rustdns.conf", settings);
    TcpListener::bind("127.0.0.2:853").unwrap()
}

/// What a lookup that was left has open is its thread's, which ends with the server's time.
#[test]
fn a_jump_out_leaves_a_thread_that_ends() {
    Sandbox::enter(|sandbox| {
        let Some(world) = World::new(sandbox) else { return };
        sandbox.name_servers(&[1], "timeout:3 attempts:1");
        sandbox.write("/etc/rustdns.conf", &world.settings);
        is_ok(&run(sandbox.preload(host(sandbox, &["jump", "10"])), LIMIT));
    });
}

/// The same host, cancelled as curl does it.
#[test]
fn a_thread_that_is_cancelled_ends_soon_over_tls_too() {
    Sandbox::enter(|sandbox| {
        let _silent = silent_server(sandbox);
        sandbox.name_servers(&[1], "timeout:30 attempts:1");
        is_ok(&run(sandbox.preload(host(sandbox, &["cancel", "20"])), LIMIT));
    });
}

#[test]
fn a_signal_acts_at_once_and_the_lookup_goes_on() {
    Sandbox::enter(|sandbox| {
        let _silent = silent_server(sandbox);
        is_ok(&run(sandbox.preload(host(sandbox, &["alarm"])), LIMIT));
        let start = Instant::now();
        let got = run(sandbox.preload(host(sandbox, &["term"])), LIMIT);
        assert_eq!(got.end, End::Signal(libc::SIGALRM), "{got}");
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    });
}

/// An upgrade puts another build there while programs run.
#[test]
fn the_contract_decides_what_fits() {
    Sandbox::enter(|sandbox| {
        let _names = begin(sandbox);
        sandbox.write("/etc/rustdns.conf", "dnssec validate\ndebug 1\n");
        let library = install(sandbox, "lib");
        for (object, said) in [
            (cc::shared_object("other_object"), "does not fit this library"),
            (cc::fitting_object(), "another build has this contract"),
        ] {
            sandbox.install(&object, &format!("lib/{OBJECT}"), "755");
            let mut command = sandbox.command(cc::program("gai"));
            command.args(["n1.test", "80"]).env("LD_PRELOAD", &library);
            let got = run(command, LIMIT);
            assert!(got.out().contains("EAI_AGAIN") && got.err().contains(said), "{got}");
        }
    });
}
