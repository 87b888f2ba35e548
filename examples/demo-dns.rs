//! The name server and the web server of `make demo`: loopback only, a handful of names.
//!
//! Usage: `demo-dns [DNS-PORT [WEB-PORT]]` (53 and 8080). Says `ready` once both listen and ends
//! by itself after ten minutes.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

const LIFETIME: Duration = Duration::from_secs(600);
const PAGE: &str = "Hello from www.demo.test, found by name.\n";

const NOERROR: u8 = 0;
const NXDOMAIN: u8 = 3;
const REFUSED: u8 = 5;

const IN: u16 = 1;
const A: u16 = 1;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const AAAA: u16 = 28;

/// What a name of the zone has.
enum Data {
    Address(IpAddr),
    Alias(&'static str),
    Pointer(&'static str),
}

/// `www` is where the web server listens; 2001:db8::/32 (RFC 3849) leads nowhere.
const ZONE: [(&str, Data); 7] = [
    ("www.demo.test", Data::Address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 80)))),
    ("www.demo.test", Data::Address(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x80)))),
    ("alias.demo.test", Data::Alias("www.demo.test")),
    ("two.demo.test", Data::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)))),
    ("two.demo.test", Data::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)))),
    ("80.0.0.127.in-addr.arpa", Data::Pointer("www.demo.test")),
    ("demo.test", Data::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)))),
];

fn main() -> io::Result<()> {
    let port = |position: usize, default: u16| {
        std::env::args().nth(position).and_then(|word| word.parse().ok()).unwrap_or(default)
    };
    let dns = listen_dns(port(1, 53))?;
    let web = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 80), port(2, 8080)))?;
    std::thread::spawn(move || {
        for visitor in web.incoming().flatten() {
            // A visitor who hangs up early is no reason to stop.
            let _ = serve_page(visitor);
        }
    });
    writeln!(io::stdout(), "ready")?;

    let end = Instant::now() + LIFETIME;
    let mut packet = [0; 512];
    while Instant::now() < end {
        let Ok((length, client)) = dns.recv_from(&mut packet) else { continue };
        if let Some(reply) = packet.get(..length).and_then(answer) {
            let _ = dns.send_to(&reply, client);
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "an address, not a name: nothing is looked up")]
fn listen_dns(port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    Ok(socket)
}

fn serve_page(mut visitor: TcpStream) -> io::Result<()> {
    visitor.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = [0; 4096];
    let _ = visitor.read(&mut request)?;
    write!(
        visitor,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{PAGE}",
        PAGE.len()
    )
}

/// The reply to a query (RFC 1035, section 4); nothing for what is no query with one question.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let (header, rest) = query.split_first_chunk::<12>()?;
    let [id0, id1, flags, _, 0, 1, ..] = *header else { return None };
    let (name, question) = read_question(rest)?;
    let [.., t0, t1, c0, c1] = *question else { return None };
    let (kind, class) = (u16::from_be_bytes([t0, t1]), u16::from_be_bytes([c0, c1]));

    let mut records = Vec::new();
    let mut count: u8 = 0;
    let mut owner = name.as_str();
    // One pass finds the alias, the next what it stands for.
    for _ in 0..2 {
        let mut target = owner;
        for (_, data) in ZONE.iter().filter(|(known, _)| *known == owner) {
            let (found, bytes) = match data {
                Data::Address(IpAddr::V4(address)) => (A, address.octets().to_vec()),
                Data::Address(IpAddr::V6(address)) => (AAAA, address.octets().to_vec()),
                Data::Pointer(host) => (PTR, wire(host)),
                Data::Alias(host) => {
                    target = host;
                    (CNAME, wire(host))
                }
            };
            if class == IN && (found == kind || found == CNAME) {
                count += 1;
                records.extend(wire(owner));
                records.extend(found.to_be_bytes());
                records.extend(IN.to_be_bytes());
                records.extend(60_u32.to_be_bytes());
                records.extend(u16::try_from(bytes.len()).ok()?.to_be_bytes());
                records.extend(bytes);
            }
        }
        if target == owner {
            break;
        }
        owner = target;
    }

    let code = if ZONE.iter().any(|(known, _)| *known == name) {
        NOERROR
    } else if name.ends_with(".test") || name.ends_with(".arpa") {
        NXDOMAIN
    } else {
        REFUSED
    };
    // QR and AA, the client's RD; RA, since clients ask for recursion.
    let mut reply = vec![id0, id1, 0x84 | (flags & 1), 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0];
    reply.extend(question);
    reply.extend(records);
    Some(reply)
}

/// The first question's name in lower case without its last dot, and the question's own bytes.
fn read_question(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut labels = Vec::new();
    let mut at = 0;
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        let label = bytes.get(at..at + length).filter(|label| label.len() < 64)?;
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        at += length;
    }
    Some((labels.join("."), bytes.get(..at + 4)?))
}

/// A name as labels (RFC 1035, section 3.1), not compressed.
fn wire(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).unwrap_or(0));
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}
