//! What `res_query` leaves in its caller's buffer, whatever a server sends.

use std::mem::MaybeUninit;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use rustdns::cache::health::Health;
use rustdns::config::resolv::{Options, ResolvConf};
use rustdns::context::call::Session;
use rustdns::context::state::Upstream;
use rustdns::resolve::raw::{Asked, Resolver};
use rustdns::source::dns::message::Message;

/// The first octets choose type, options and the buffer's size; the rest is a server's answer, whose
/// id (and, mostly, question) are made those of the query. Behind it the server says SERVFAIL, so
/// that an answer which is dropped ends the call at once.
///
/// What is in the buffer is the beginning of the answer, AD taken away unless it is trusted; the
/// length that is told is the answer's, or the buffer's where that is smaller; nothing is written
/// beyond; an answer that is believed is a response to the question.
///
/// Would find: a message that is believed though its question, id or QR are others, a length
/// that lies, an octet written behind the buffer, a panic.
pub fn check(input: &[u8]) {
    let Some((&[kind, flags, size, shape], answer)) = input.split_first_chunk::<4>() else {
        return;
    };
    super::calls::use_fixture();
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let guard = ONE_AT_A_TIME.lock();
    let server = server();
    server.script.send((answer.to_vec(), shape)).unwrap();

    let options = Options {
        attempts: 1,
        timeout: 1,
        edns0: flags & 1 != 0,
        dnssec: flags & 2 != 0,
        trust_ad: flags & 4 != 0,
        ignore_truncation: true,
        ..Options::default()
    };
    let trusts_ad = options.trust_ad;
    let conf = ResolvConf { options, ..ResolvConf::default() };
    let upstream = Upstream::by_hand(conf, vec![(server.address, Health::default())]).unwrap();
    let session = Session::begin().unwrap();
    let resolver = Resolver::new(&session, &upstream);
    let size = 12 + usize::from(size) * if flags & 8 != 0 { 8 } else { 1 };
    let mut memory = vec![GUARD; size + 64];
    let result = {
        let (room, _) = memory.split_at_mut(size);
        // SAFETY: initialised octets are octets; the library writes only initialised ones to them.
        let room = unsafe { &mut *(room as *mut [u8] as *mut [MaybeUninit<u8>]) };
        resolver.query(b"www.example.test", Asked { class: 1, qtype: i32::from(kind) }, room)
    };
    let sent = server.sent.recv_timeout(Duration::from_secs(5)).expect("the server was asked");
    drop(guard);

    assert!(memory[size..].iter().all(|&octet| octet == GUARD));
    let mut expected = sent.answer.clone();
    if let Some(flags) = expected.get_mut(3).filter(|_| !trusts_ad) {
        *flags &= !0x20;
    }
    expected.truncate(size);
    if let Ok(length) = result {
        assert_eq!(memory[..length], expected);
        let message = Message::parse(&sent.answer).unwrap();
        // The opcode is not looked at: some servers answer NOTIFY as a query.
        assert!(message.is_response() && message.rcode() == 0);
        assert!(message.answer_count() > 0);
        assert_eq!(message.id(), Message::parse(&sent.query).unwrap().id());
        let asked = Message::parse(&sent.query).unwrap().question().unwrap();
        let question = message.question().unwrap();
        assert_eq!((question.qtype, question.class), (asked.qtype, asked.class));
        assert_eq!(question.name, asked.name);
    }
}

const GUARD: u8 = 0xa5;

struct Server {
    address: SocketAddr,
    script: Sender<(Vec<u8>, u8)>,
    sent: Receiver<Sent>,
}

struct Sent {
    query: Vec<u8>,
    answer: Vec<u8>,
}

/// The server's thread, of this process, for all calls.
fn server() -> &'static Server {
    // Under the lock of `check` nobody else has the channels.
    struct Shared(Server);
    // SAFETY: the receiver is used under the lock of `check` alone.
    unsafe impl Sync for Shared {}
    static SERVER: OnceLock<Shared> = OnceLock::new();
    &SERVER
        .get_or_init(|| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let address = socket.local_addr().unwrap();
            let (script, scripts) = channel();
            let (tell, sent) = channel();
            std::thread::spawn(move || serve(&socket, &scripts, &tell));
            Shared(Server { address, script, sent })
        })
        .0
}

fn serve(socket: &UdpSocket, scripts: &Receiver<(Vec<u8>, u8)>, tell: &Sender<Sent>) {
    let mut buffer = [0; 1024];
    while let Ok((mut answer, shape)) = scripts.recv() {
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        let query = buffer[..length].to_vec();
        // An OPT record is at the end.
        let question = query[12..12 + "\x03www\x07example\x04test\0".len() + 4].to_vec();
        if shape & 3 != 3 {
            for (place, octet) in answer.iter_mut().zip(&query[..2]) {
                *place = *octet;
            }
        }
        if shape & 12 != 12 && answer.len() >= 12 {
            answer.splice(12..12, question.iter().copied());
            answer[4..6].copy_from_slice(&[0, 1]);
        }
        let mut failure = query[..12].to_vec();
        failure[2] |= 0x80;
        failure[3] = 2;
        failure[10..12].fill(0);
        failure.extend(question);
        // What was sent is told first: the caller may be done before the second datagram.
        tell.send(Sent { query, answer: answer.clone() }).unwrap();
        for datagram in [&answer, &failure] {
            // Nobody may listen any more.
            let _gone = socket.send_to(datagram, from);
        }
    }
}
