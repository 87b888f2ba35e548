//! A DNS server inside the test whose every answer is scripted.
//!
//! ```ignore
//! let server = Server::start(sandbox, Zone::new().a("host.test", "192.0.2.1").nxdomain_else());
//! let server = Server::start(sandbox, |q: &Question| match q.transport {
//!     Transport::Udp => Reply::empty().truncated(),
//!     Transport::Tcp => Reply::records([Record::address(&q.name, "192.0.2.1")]).segments(1),
//! });
//! ```
#![allow(unsafe_code, reason = "std can't wake a thread that waits for a connection")]

use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use super::sandbox::Sandbox;

pub use super::question::Question;
pub use super::reply::Reply;

/// How a question came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
}

/// A question in the order in which it arrived.
pub type LoggedQuery = Question;

/// What a server does with a question.
pub trait Script: Send + Sync + 'static {
    fn reply(&self, question: &Question) -> Reply;
}

impl<F: Fn(&Question) -> Reply + Send + Sync + 'static> Script for F {
    fn reply(&self, question: &Question) -> Reply {
        self(question)
    }
}

/// A running server. Dropping it ends its threads and waits for them.
pub struct Server {
    shared: Arc<Shared>,
    waiting: Vec<JoinHandle<()>>,
}

struct Shared {
    script: Box<dyn Script>,
    /// By time of arrival, as the kernel says: every socket has a thread of its own, and which of
    /// them runs first says nothing.
    log: Mutex<Vec<(Duration, LoggedQuery)>>,
    /// Messages that were no query.
    garbage: AtomicUsize,
    /// Empty datagrams: see [`Server::settle`].
    marks: AtomicUsize,
    stopping: AtomicBool,
    sockets: Vec<Socket>,
    /// Threads that are still busy with an answer or a connection, and open connections.
    busy: Mutex<Busy>,
    /// Tells of every change to `busy` and `stopping`.
    changed: Condvar,
}

#[derive(Default)]
struct Busy {
    threads: Vec<JoinHandle<()>>,
    connections: Vec<Arc<TcpStream>>,
    /// A thread that has ended has panicked.
    failed: bool,
}

enum Socket {
    Udp(UdpSocket),
    Tcp(TcpListener),
}

impl Socket {
    /// Binds, with patience: the socket of an earlier server lives on for a moment in a process
    /// that another test is just starting (a child has copies of all sockets until it executes
    /// its program).
    fn bind(transport: Transport, at: SocketAddr) -> io::Result<Socket> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let bound = match transport {
                Transport::Udp => UdpSocket::bind(at).map(stamped).map(Socket::Udp),
                Transport::Tcp => TcpListener::bind(at).map(Socket::Tcp),
            };
            match bound {
                Err(e) if e.kind() == io::ErrorKind::AddrInUse && Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(1));
                }
                _ => return bound,
            }
        }
    }
}

impl Server {
    /// A server on port 53 of 127.0.0.1 and ::1, over UDP and TCP.
    pub fn start(sandbox: &Sandbox, script: impl Script) -> Server {
        Server::on(sandbox, &["127.0.0.1:53", "[::1]:53"], script)
    }

    /// A server on these addresses, over UDP and TCP.
    pub fn on(sandbox: &Sandbox, addresses: &[&str], script: impl Script) -> Server {
        Server::with(sandbox, addresses, &[Transport::Udp, Transport::Tcp], script)
    }

    /// A server on these addresses and transports; TCP alone or UDP alone refuses the other.
    pub fn with(
        _inside: &Sandbox,
        addresses: &[&str],
        transports: &[Transport],
        script: impl Script,
    ) -> Server {
        let mut sockets = Vec::new();
        for address in addresses {
            let at: SocketAddr = address.parse().unwrap_or_else(|e| panic!("{address}: {e}"));
            for transport in transports {
                sockets.push(
                    Socket::bind(*transport, at)
                        .unwrap_or_else(|e| panic!("{transport:?} {address}: {e}")),
                );
            }
        }
        let count = sockets.len();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            log: Mutex::default(),
            garbage: AtomicUsize::new(0),
            marks: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            sockets,
            busy: Mutex::default(),
            changed: Condvar::new(),
        });
        let waiting = (0..count)
            .map(|index| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || match &shared.sockets[index] {
                    Socket::Udp(socket) => shared.serve_udp(socket),
                    Socket::Tcp(listener) => shared.serve_tcp(listener),
                })
            })
            .collect();
        Server { shared, waiting }
    }

    /// Every question so far, oldest first.
    pub fn log(&self) -> Vec<LoggedQuery> {
        self.shared.log.lock().unwrap().iter().map(|(_, question)| question.clone()).collect()
    }

    /// The log as text, one line a question: `host.test 28 udp`. Questions that arrived together
    /// keep their order of arrival.
    pub fn asked(&self) -> Vec<String> {
        let line = |q: Question| {
            let transport = if q.transport == Transport::Udp { "udp" } else { "tcp" };
            format!("{} {} {transport}", q.name, q.qtype)
        };
        self.log().into_iter().map(line).collect()
    }

    pub fn clear_log(&self) {
        self.shared.log.lock().unwrap().clear();
    }

    /// Waits until every datagram that has reached the server is in the log.
    pub fn settle(&self) {
        let before = self.shared.marks.load(Ordering::SeqCst);
        let mut sent = 0;
        for socket in &self.shared.sockets {
            let Socket::Udp(socket) = socket else { continue };
            // Where loopback is down nothing reaches the server, this neither.
            sent += usize::from(socket.send_to(&[], socket.local_addr().unwrap()).is_ok());
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.shared.marks.load(Ordering::SeqCst) < before + sent {
            assert!(Instant::now() < deadline, "the server does not read");
            thread::sleep(Duration::from_micros(20));
        }
    }

    /// How many messages were no query.
    pub fn garbage(&self) -> usize {
        self.shared.garbage.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let shared = &self.shared;
        shared.stopping.store(true, Ordering::SeqCst);
        for socket in &shared.sockets {
            match socket {
                // Ends the wait of the thread that reads; where loopback is down it takes its time.
                Socket::Udp(socket) => drop(socket.send_to(&[], socket.local_addr().unwrap())),
                // SAFETY: shutdown takes two integers, and the socket is still open.
                Socket::Tcp(listener) => unsafe {
                    libc::shutdown(listener.as_raw_fd(), libc::SHUT_RDWR);
                },
            }
        }
        let mut outcomes: Vec<_> = self.waiting.drain(..).map(JoinHandle::join).collect();
        // No thread is left that would start more.
        let busy = {
            let mut busy = shared.busy.lock().unwrap();
            shared.changed.notify_all();
            std::mem::take(&mut *busy)
        };
        for connection in &busy.connections {
            // Already closed by the other side is as good.
            connection.shutdown(std::net::Shutdown::Both).ok();
        }
        outcomes.extend(busy.threads.into_iter().map(JoinHandle::join));
        if !thread::panicking() {
            let all_ok = outcomes.iter().all(Result::is_ok) && !busy.failed;
            assert!(all_ok, "a script panicked, see above");
        }
    }
}

impl Shared {
    fn serve_udp(self: &Arc<Self>, socket: &UdpSocket) {
        let mut buffer = [0; 65535];
        let local = socket.local_addr().unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        while !self.stopping.load(Ordering::SeqCst) {
            let Ok((length, source)) = socket.recv_from(&mut buffer) else { continue };
            if length == 0 {
                self.marks.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            let stamp = last_stamp(socket).expect("a datagram has a stamp");
            let Some(question) =
                self.note(&buffer[..length], source, local, Transport::Udp, 0, stamp)
            else {
                continue;
            };
            let reply = self.script.reply(&question);
            if !reply.waits() {
                self.send_datagrams(socket, &question, &reply);
                continue;
            }
            let (shared, socket) = (Arc::clone(self), socket.try_clone().unwrap());
            self.keep(thread::spawn(move || shared.send_datagrams(&socket, &question, &reply)));
        }
    }

    fn send_datagrams(&self, socket: &UdpSocket, question: &Question, reply: &Reply) {
        for step in reply.steps() {
            if !self.pause(step.delay) {
                return;
            }
            let Some(message) = step.message(question) else { continue };
            let to = step.to.unwrap_or(question.source);
            // A client that is gone already makes this fail.
            match step.source(question.server) {
                None => socket.send_to(&message, to).ok(),
                Some(other) => UdpSocket::bind(other).unwrap().send_to(&message, to).ok(),
            };
        }
    }

    fn serve_tcp(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((stream, source)) = listener.accept() {
            let stream = Arc::new(stream);
            self.busy.lock().unwrap().connections.push(Arc::clone(&stream));
            let shared = Arc::clone(self);
            self.keep(thread::spawn(move || {
                // The client may close in the middle of anything.
                shared.serve_connection(&stream, source).ok();
                stream.shutdown(std::net::Shutdown::Both).ok();
                let mut busy = shared.busy.lock().unwrap();
                busy.connections.retain(|other| !Arc::ptr_eq(other, &stream));
            }));
        }
    }

    fn serve_connection(&self, mut stream: &TcpStream, source: SocketAddr) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        for position in 0.. {
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut message)?;
            let Some(question) =
                self.note(&message, source, local, Transport::Tcp, position, now())
            else {
                continue;
            };
            for step in self.script.reply(&question).steps() {
                if !self.pause(step.delay) || step.close {
                    return Ok(());
                }
                if let Some(message) = step.message(&question) {
                    step.send_over(stream, &message)?;
                }
            }
        }
        Ok(())
    }

    fn note(
        &self,
        raw: &[u8],
        source: SocketAddr,
        server: SocketAddr,
        transport: Transport,
        position: usize,
        stamp: Duration,
    ) -> Option<Question> {
        let Some(question) = Question::parse(raw, source, server, transport, position) else {
            self.garbage.fetch_add(1, Ordering::SeqCst);
            return None;
        };
        let mut log = self.log.lock().unwrap();
        let place = log.partition_point(|(other, _)| *other <= stamp);
        log.insert(place, (stamp, question.clone()));
        drop(log);
        Some(question)
    }

    fn keep(&self, thread: JoinHandle<()>) {
        let mut busy = self.busy.lock().unwrap();
        // A thread that has ended keeps its stack until it is joined.
        let (ended, running) = busy.threads.drain(..).partition(JoinHandle::is_finished);
        let ended: Vec<_> = ended;
        busy.threads = running;
        busy.failed |= ended.into_iter().any(|thread| thread.join().is_err());
        busy.threads.push(thread);
    }

    /// Waits, unless the server stops meanwhile: then false.
    fn pause(&self, delay: Duration) -> bool {
        let running = |_: &mut Busy| !self.stopping.load(Ordering::SeqCst);
        if !delay.is_zero() {
            let busy = self.busy.lock().unwrap();
            drop(self.changed.wait_timeout_while(busy, delay, running).unwrap());
        }
        !self.stopping.load(Ordering::SeqCst)
    }
}

/// The clock of the kernel's stamps.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

/// The socket, whose datagrams the kernel stamps with their time of arrival.
fn stamped(socket: UdpSocket) -> UdpSocket {
    // The kernel begins to stamp a moment after the first socket wants it.
    static FIRST: OnceLock<UdpSocket> = OnceLock::new();
    FIRST.get_or_init(|| {
        let first = UdpSocket::bind("0.0.0.0:0").unwrap();
        last_stamp(&first);
        first
    });
    last_stamp(&socket);
    socket
}

/// When the last datagram read from the socket arrived, if one has. Once this was asked, the socket's
/// datagrams are stamped.
fn last_stamp(socket: &UdpSocket) -> Option<Duration> {
    /// Of socket(7), by the name SIOCGSTAMPNS.
    const GET_STAMP: libc::c_ulong = 0x8907;
    let mut stamp = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the request writes a timespec, which this is.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), GET_STAMP as _, &raw mut stamp) };
    let nanoseconds = u32::try_from(stamp.tv_nsec).unwrap();
    (status == 0).then(|| Duration::new(u64::try_from(stamp.tv_sec).unwrap(), nanoseconds))
}
