//! torsocks in the process: a program that it keeps within Tor, and the library before it and behind it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::neighbours::installed;
use crate::support::dns::{Question, Reply, Server};
use crate::support::process::{Output, run};
use crate::support::sandbox::{Sandbox, preload_library};

const LIMIT: Duration = Duration::from_secs(60);

/// Tor's SOCKS port, with the commands for names and addresses; returns the names that it is asked.
fn tor() -> Arc<Mutex<Vec<String>>> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let listener = TcpListener::bind("127.0.0.1:9050").unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let log = log.clone();
            // A client that hangs up is not heard.
            thread::spawn(move || serve(&mut stream.unwrap(), &log));
        }
    });
    asked
}

/// One request (RFC 1928, and socks-extensions of the Tor project).
fn serve(stream: &mut TcpStream, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let [_, methods] = octets(stream)?;
    stream.read_exact(&mut vec![0; methods.into()])?;
    stream.write_all(b"\x05\x00")?;
    let [_, command, _, kind] = octets(stream)?;
    let text = match kind {
        1 => Ipv4Addr::from(octets(stream)?).to_string(),
        _ => {
            let [len] = octets(stream)?;
            let mut name = vec![0; len.into()];
            stream.read_exact(&mut name)?;
            String::from_utf8(name).unwrap()
        }
    };
    let _port: [u8; 2] = octets(stream)?;
    asked.lock().unwrap().push(text.clone());
    stream.write_all(match (command, &*text) {
        (0xf0, "known.test") => b"\x05\x00\x00\x01\xc0\x00\x02\x63\x00\x00",
        (0xf1, "192.0.2.7") => b"\x05\x00\x00\x03\x08back.tor\x00\x00",
        _ => b"\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00",
    })
}

fn octets<const N: usize>(stream: &mut TcpStream) -> std::io::Result<[u8; N]> {
    let mut octets = [0; N];
    stream.read_exact(&mut octets).map(|()| octets)
}

/// Runs it with torsocks and the library, in each order. The name server of this world answers everything,
/// and is asked nothing.
fn in_both_orders(test: impl Fn(&dyn Fn(Command) -> Output, &Sandbox) + Sync) {
    let Some(torsocks) = installed("torsocks/libtorsocks.so") else { return };
    let ours = preload_library();
    for order in [[&torsocks, &ours], [&ours, &torsocks]] {
        Sandbox::enter(|sandbox| {
            let server = Server::start(sandbox, |question: &Question| Reply::address(question));
            sandbox.write("/etc/hosts", "127.0.0.1 localhost\n192.0.2.44 own.test\n");
            let run_with = |mut command: Command| {
                let preloads = order.map(|library: &PathBuf| library.display().to_string());
                command.env("LD_PRELOAD", preloads.join(":"));
                run(command, LIMIT)
            };
            test(&run_with, sandbox);
            let asked = server.asked();
            assert!(asked.is_empty(), "{order:?}: {asked:?} went past torsocks");
        });
    }
}

const PROGRAM: &str = "\
import ctypes, socket
class gaicb(ctypes.Structure):
    _fields_ = [('name', ctypes.c_char_p), ('service', ctypes.c_char_p), ('request', ctypes.c_void_p),
                ('result', ctypes.c_void_p), ('code', ctypes.c_int), ('unused', ctypes.c_int * 5)]
libc = ctypes.CDLL(None)
def show(function, *arguments, **more):
    try: result = function(*arguments, **more)
    except OSError: result = 'no'
    print(function.__name__, arguments[0], result)
def addresses(name): return [at[4][0] for at in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)]
def query(name): return libc.res_query(name.encode(), 1, 1, ctypes.create_string_buffer(512), 512)
def asynchronous(name):
    request = gaicb(name.encode(), b'80')
    requests = (ctypes.POINTER(gaicb) * 1)(ctypes.pointer(request))
    libc.getaddrinfo_a(0, requests, 1, None)
    return libc.gai_error(ctypes.byref(request))
show(addresses, 'localhost')
show(addresses, '192.0.2.8')
show(addresses, 'known.test')
show(addresses, 'unknown.test')
print(addresses('abcdefghijklmnop.onion')[0].startswith('127.42.42.'))
show(socket.gethostbyname, 'known.test')
show(socket.gethostbyname, 'unknown.test')
show(socket.gethostbyaddr, '192.0.2.7')
show(socket.getnameinfo, ('192.0.2.7', 80), socket.NI_NUMERICSERV)
show(query, 'known.test')
show(asynchronous, 'known.test')
show(asynchronous, 'unknown.test')
";

#[test]
fn nothing_goes_past_it() {
    in_both_orders(|run, sandbox| {
        let asked = tor();
        let mut command = sandbox.command("python3");
        command.args(["-c", PROGRAM]);
        let output = run(command);
        assert_eq!(
            output.out(),
            "addresses localhost ['127.0.0.1']\n\
             addresses 192.0.2.8 ['192.0.2.8']\n\
             addresses known.test ['192.0.2.99']\n\
             addresses unknown.test no\n\
             True\n\
             gethostbyname known.test 192.0.2.99\n\
             gethostbyname unknown.test no\n\
             gethostbyaddr 192.0.2.7 ('back.tor', [], ['192.0.2.7'])\n\
             getnameinfo ('192.0.2.7', 80) ('192.0.2.7', '80')\n\
             query known.test -1\n\
             asynchronous known.test 0\n\
             asynchronous unknown.test -2\n",
            "{output}"
        );
        let asked = asked.lock().unwrap();
        // By getaddrinfo, gethostbyname and getaddrinfo_a: what comes by us is kept no longer than torsocks keeps it.
        let known = asked.iter().filter(|name| *name == "known.test").count();
        assert_eq!(known, 3, "{asked:?}");
    });
}

/// Neither a server of ours over TLS nor a neighbour nor systemd-resolved is asked.
#[test]
fn nor_by_other_services() {
    in_both_orders(|run, sandbox| {
        tor();
        sandbox.write("/etc/nsswitch.conf", "hosts: mdns4 resolve dns\n");
        sandbox.write("/etc/rustdns.conf", "upstream tls://127.0.0.1#dns.test\n");
        let tls = TcpListener::bind("127.0.0.1:853").unwrap();
        tls.set_nonblocking(true).unwrap();
        for name in ["known.test", "printer.local", "unknown.test"] {
            let mut command = sandbox.command("getent");
            command.args(["ahosts", name]);
            let output = run(command);
            let want = if name == "known.test" { "192.0.2.99" } else { "" };
            assert_eq!(output.out().split(' ').next(), Some(want), "{output}");
        }
        assert!(tls.accept().is_err(), "the server over TLS was asked");
    });
}

#[test]
fn what_a_file_knows_is_known() {
    in_both_orders(|run, sandbox| {
        let mut command = sandbox.command("getent");
        command.args(["hosts", "192.0.2.44"]);
        let output = run(command);
        // getent asks for names by gethostbyaddr, which torsocks has where it comes first.
        assert!(output.out().is_empty() || output.out().contains("own.test"), "{output}");
    });
}

#[test]
fn the_trace_and_the_command_say_so() {
    const WHAT: &str = "torsocks is in this process: no server is asked";
    in_both_orders(|run, sandbox| {
        tor();
        let mut command = sandbox.command("getent");
        command.args(["ahosts", "127.0.0.1"]).env("RUSTDNS_DEBUG", "1");
        let output = run(command);
        assert_eq!(output.err().matches(WHAT).count(), 1, "{output}");
        let mut command = sandbox.command(preload_library().with_file_name("rustdns"));
        command.args(["run", "--", "getent", "ahosts", "known.test"]);
        let output = run(command);
        assert!(output.out().starts_with("192.0.2.99 "), "{output}");
        assert_eq!(
            output.err(),
            "rustdns: torsocks is preloaded too: no server is asked, names go to torsocks\n"
        );
    });
}
