//! Daemons that give up the right to read their configuration: fork(2), setuid(2), a resolv.conf of mode 0600.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::object::can_change_user;
use crate::support::dns::{Question, Reply, Server};
use crate::support::process::{Output, run, terminate};
use crate::support::sandbox::{Sandbox, skip};
use crate::support::wire::Record;

const LIMIT: Duration = Duration::from_secs(60);

/// A world whose name server is not where it is looked for without resolv.conf, which only root may read.
fn world(test: impl FnOnce(&Sandbox, &Server) + Send) {
    Sandbox::enter(|sandbox| {
        if !can_change_user(sandbox) {
            return;
        }
        let server = Server::on(sandbox, &["127.0.0.2:53"], |q: &Question| Reply::address(q));
        sandbox.name_servers(&[2], "timeout:1 attempts:1");
        for name in ["resolv.conf", "nsswitch.conf", "gai.conf"] {
            let file = Path::new("/etc").join(name);
            if !file.exists() {
                sandbox.write(&file, "");
            }
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        test(sandbox, &server);
    });
}

const PROGRAM: &str = "\
import ctypes, os, socket, sys, time
def gai(name): return socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM, family=socket.AF_INET)[0][4][0]
def host(name): return socket.gethostbyname(name)
def query(name): return ctypes.CDLL(None).res_query(name.encode(), 1, 1, ctypes.create_string_buffer(512), 512) > 0
def look(who, name):
    for call in (gai, host, query):
        try: print(who, call.__name__, call(call.__name__ + '-' + name), flush=True)
        except OSError as error: print(who, call.__name__, error.args[0], flush=True)
def drop():
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
def child(who, change):
    if os.fork() == 0:
        change()
        look(who, who + '.test')
        os._exit(0)
    os.wait()
";

fn python(sandbox: &Sandbox, steps: &str, preloaded: bool) -> Output {
    let mut command = sandbox.command("python3");
    command.args(["-c", &format!("{PROGRAM}{steps}")]);
    run(if preloaded { sandbox.preload(command) } else { command }, LIMIT)
}

/// As with libc, by each call.
#[test]
fn a_child_goes_by_what_its_parent_has_read() {
    let steps = "\
look('root', 'root.test')
child('nobody', drop)
def twice():
    child('below', drop)
child('as-root', twice)
drop()
look('self', 'self.test')
time.sleep(0.3)
look('later', 'later.test')
";
    world(|sandbox, server| {
        let (libc, ours) = (python(sandbox, steps, false), python(sandbox, steps, true));
        assert!(libc.out().contains("nobody gai 192.0.2.1"), "{libc}");
        assert!(libc.success() && libc.out() == ours.out(), "{libc}\n{ours}");
        // Not from anybody's memory: each has asked.
        server.clear_log();
        python(sandbox, "look('root', 'same.test')\nchild('same', drop)\n", true);
        let asked = server.asked();
        assert!(asked.iter().any(|question| question.starts_with("gai-same.test ")), "{asked:?}");
    });
}

/// Who looks its first name up as a name of the hosts file has read the rest as well.
#[test]
fn whatever_the_parent_has_looked_up() {
    let steps = "\
print(gai('localhost'))
child('nobody', drop)
";
    world(|sandbox, _| {
        let (libc, ours) = (python(sandbox, steps, false), python(sandbox, steps, true));
        assert!(libc.out().contains("nobody gai 192.0.2.1"), "{libc}");
        assert!(libc.success() && libc.out() == ours.out(), "{libc}\n{ours}");
    });
}

/// A child of a process that has read nothing has nothing; nor has one in another root directory.
#[test]
fn what_nobody_has_read_is_not_known() {
    world(|sandbox, _| {
        let jail = sandbox.scratch().join("jail");
        let file = jail.join("etc/resolv.conf");
        sandbox.write(&file, "nameserver 127.0.0.3\n");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let jailed = format!(
            "look('root', 'root.test')\n\
             def jail(): os.chroot('{}'); os.chdir('/'); drop()\n\
             child('jailed', jail)\n",
            jail.display()
        );
        for steps in ["child('nobody', drop)\n", &jailed] {
            let (libc, ours) = (python(sandbox, steps, false), python(sandbox, steps, true));
            assert!(libc.out().contains(" gai -"), "{libc}");
            assert!(libc.success() && libc.out() == ours.out(), "{libc}\n{ours}");
        }
    });
}

/// A child that may read its own file goes by that, whatever `_res` it has from its parent.
#[test]
fn a_file_that_can_be_read_counts() {
    let steps = "\
look('root', 'root.test')
def follow():
    open('/etc/resolv.conf', 'w').write('nameserver 127.0.0.4\\noptions timeout:1 attempts:1\\n')
    os.chmod('/etc/resolv.conf', 0o644)
    drop()
child('nobody', follow)
";
    let outputs = [false, true].map(|preloaded| {
        let mut output = None;
        world(|sandbox, _| {
            let _other = Server::on(sandbox, &["127.0.0.4:53"], |question: &Question| {
                Reply::records([Record::address(&question.name, "192.0.2.44")])
            });
            output = Some(python(sandbox, steps, preloaded));
        });
        output
    });
    let [Some(libc), Some(ours)] = outputs else { return };
    assert!(libc.out().contains("nobody gai 192.0.2.44"), "{libc}");
    assert!(libc.success() && libc.out() == ours.out(), "{libc}\n{ours}");
}

/// A daemon that ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        terminate(&self.0);
        self.0.wait().unwrap();
    }
}

/// Apache's workers, which are not root, look up whom they pass requests on to.
#[test]
fn apache_s_workers_find_whom_they_ask() {
    const APACHE: &str = "/usr/sbin/apache2";
    if !Path::new(APACHE).exists() {
        skip("no apache2");
        return;
    }
    Sandbox::enter(|sandbox| {
        if !can_change_user(sandbox) {
            return;
        }
        let server = Server::on(sandbox, &["127.0.0.2:53"], |q: &Question| {
            Reply::records((q.qtype == 1).then(|| Record::address(&q.name, "127.0.0.1")))
                .soa("test")
        });
        sandbox.name_servers(&[2], "timeout:1 attempts:1");
        fs::set_permissions("/etc/resolv.conf", fs::Permissions::from_mode(0o600)).unwrap();
        sandbox.append("/etc/hosts", "127.0.0.1 localhost front.test\n");
        // Behind Apache.
        let behind = std::net::TcpListener::bind("127.0.0.1:8081").unwrap();
        thread::spawn(move || {
            for stream in behind.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 2048];
                // One read has the whole of a short request; who hangs up asks nothing.
                if stream.read(&mut request).is_ok_and(|length| length > 0) {
                    let answer =
                        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nbehind";
                    stream.write_all(answer).unwrap();
                }
            }
        });
        let scratch = sandbox.scratch();
        let folder = scratch.display();
        let modules: String = ["mpm_prefork", "authz_core", "proxy", "proxy_http"]
            .map(|name| {
                format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
            })
            .concat();
        let text = format!(
            "{modules}ServerRoot {folder}\nServerName front.test\nListen front.test:8080\nUser nobody\n\
             Group nogroup\nPidFile {folder}/pid\nErrorLog {folder}/errors\nMutex sem\nStartServers 1\n\
             DefaultRuntimeDir {folder}\nProxyPass / http://behind.test:8081/\n"
        );
        let configuration = scratch.join("apache.conf");
        fs::write(&configuration, text).unwrap();
        for preloaded in [false, true] {
            server.clear_log();
            let mut command = sandbox.command(APACHE);
            command.args(["-D", "FOREGROUND", "-f"]).arg(&configuration);
            let mut command = if preloaded { sandbox.preload(command) } else { command };
            // Its end is that of its process group.
            command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
            let _apache = Daemon(command.spawn().unwrap());
            let got = get();
            let log = fs::read_to_string(scratch.join("errors")).unwrap_or_default();
            assert!(got.ends_with("behind"), "preloaded: {preloaded}\n{got}\n{log}");
            let asked = server.asked();
            assert!(asked.iter().any(|question| question.starts_with("behind.test ")), "{asked:?}");
        }
    });
}

/// What Apache has at its root, once it is there.
fn get() -> String {
    let start = Instant::now();
    let mut stream = loop {
        match TcpStream::connect("127.0.0.1:8080") {
            Err(_) if start.elapsed() < Duration::from_secs(20) => {
                thread::sleep(Duration::from_millis(50));
            }
            connected => break connected.unwrap(),
        }
    };
    stream.write_all(b"GET / HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut got = String::new();
    stream.read_to_string(&mut got).unwrap();
    got
}

/// Early in a machine's life the kernel has no random numbers, and who asks for them without saying so waits.
#[test]
fn a_name_of_the_hosts_file_waits_for_no_random_numbers() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.44 own.test\n");
        sandbox.write("/etc/nsswitch.conf", "hosts: files\n");
        let trace = sandbox.scratch().join("calls");
        for words in [["ahosts", "own.test"], ["hosts", "own.test"], ["ahosts", "192.0.2.8"]] {
            let mut command = sandbox.command("strace");
            command.args(["-f", "-e", "trace=getrandom,/open", "-o"]).arg(&trace);
            let preload =
                format!("LD_PRELOAD={}", crate::support::sandbox::preload_library().display());
            command.args(["-E", &preload, "getent"]).args(words);
            let output = run(command, LIMIT);
            assert!(output.success(), "{output}");
            let calls = fs::read_to_string(&trace).unwrap();
            let waits = |line: &&str| {
                line.contains("getrandom(") && !line.contains("GRND_NONBLOCK")
                    || line.contains("/dev/random")
            };
            assert_eq!(calls.lines().find(waits), None, "{words:?}\n{calls}");
            assert!(calls.contains("librustdns"), "{calls}");
        }
    });
}

/// Where the file has changed meanwhile, and may not be read: libc falls back on a server of this host, we go on as before.
#[test]
fn a_changed_file_that_may_not_be_read_counts_as_it_was() {
    let steps = "\
look('root', 'root.test')
reader, writer = os.pipe()
if os.fork() == 0:
    drop()
    look('nobody', 'first.test')
    os.read(reader, 1)
    time.sleep(0.3)
    look('nobody', 'second.test')
    os._exit(0)
time.sleep(0.5)
open('/etc/new', 'w').write('nameserver 127.0.0.2\\noptions timeout:1 attempts:1 rotate\\n')
os.chmod('/etc/new', 0o600)
os.rename('/etc/new', '/etc/resolv.conf')
os.write(writer, b'.')
os.wait()
";
    world(|sandbox, _| {
        let (libc, ours) = (python(sandbox, steps, false), python(sandbox, steps, true));
        let last = |output: &Output| output.out().lines().rev().nth(2).map(str::to_owned);
        assert_eq!(last(&libc).as_deref(), Some("nobody gai -3"), "{libc}");
        assert_eq!(last(&ours).as_deref(), Some("nobody gai 192.0.2.1"), "{ours}");
    });
}
