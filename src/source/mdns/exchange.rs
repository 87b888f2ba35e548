//! One-shot questions to the local network (RFC 6762 section 5.1): from ports of our own, by every
//! interface that takes part; answers come back by unicast (section 6.7).

use crate::base::error::Failure;
use crate::base::name::Name;
use crate::base::rcode;
use crate::base::record_type::TypeName;
use crate::context::call::Session;
use crate::source::dns::message::{CLASS_IN, MAX_QUERY, Message, QueryForm, write_query};
use crate::sys::addresses::{self, InterfaceAddress};
use crate::sys::mem::{NoMemory, TryPush};
use crate::sys::netlink::ListError;
use crate::sys::process;
use crate::sys::socket::Socket;
use crate::sys::time::{Instant, Interest, LEAP, wait};
use core::fmt;
use core::hash::{Hash, Hasher};
use core::iter::Peekable;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use core::time::Duration;
use std::hash::DefaultHasher;

const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
const PORT: u16 = 5353;

/// When the question is sent: a second apart at first, then twice as far (RFC 6762 section 5.2).
const SENT_AFTER: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(3)];
/// When nobody is going to answer any more: Avahi's time for a host's name.
const LIMIT: Duration = Duration::from_secs(5);
/// How long the other family may come later than the first.
const GRACE: Duration = Duration::from_millis(300);
/// Room for what comes: answers to such questions fit into a packet.
const MAX_ANSWER: usize = 1500;
/// Datagrams that are read before the clock is looked at again.
const AT_ONCE: usize = 64;

/// What has been heard of the question so far.
pub(super) enum Heard {
    /// Nothing.
    Nothing,
    /// Something, and more may come.
    Some,
    /// All that was asked for.
    All,
}

/// Asks for records of `name`; `read` is told each answer, and by which interface it came. Without
/// an answer the time is over.
///
/// # Errors
/// [`Failure::Unavailable`] where no interface takes part.
pub(super) fn exchange(
    session: &Session,
    name: &Name,
    qtypes: &[u16],
    read: &mut dyn FnMut(&Message<'_>, u32) -> Result<Heard, NoMemory>,
) -> Result<(), Failure> {
    let links = links()?;
    let mut id = [0; 2];
    if links.is_empty() || !process::random(&mut id) {
        return Err(Failure::Unavailable);
    }
    let id = u16::from_be_bytes(id);
    let mut sockets = Vec::new();
    for v6 in [false, true] {
        if links.iter().any(|link| link.ip.is_ipv6() == v6)
            && let Ok(socket) = Socket::multicast(v6)
        {
            sockets.try_push(socket)?;
        }
    }
    let mut now = Instant::now();
    let (mut deadline, mut times, mut has_leapt) = (now.after(LIMIT), sendings(now), false);
    while now < deadline {
        if times.next_if(|time| now >= *time).is_some() {
            let mut sent = 0;
            for &qtype in qtypes {
                let form = QueryForm {
                    id,
                    qtype,
                    class: CLASS_IN,
                    recursion: false,
                    ad: false,
                    edns: false,
                    dnssec: false,
                    cookie: None,
                };
                let mut query = [0; MAX_QUERY];
                let len = write_query(name, form, &mut query);
                sent += send(&sockets, &links, query.get(..len).unwrap_or_default());
            }
            let types = Types(qtypes);
            session.trace().packet(format_args!("mdns: {name}{types} sent {sent} times"));
            if sent == 0 {
                return Err(Failure::Unavailable);
            }
        }
        let until = times.peek().map_or(deadline, |time| deadline.min(*time));
        let mut interests = Vec::new();
        for socket in &sockets {
            interests.try_push(Interest::new(socket, false))?;
        }
        wait(&mut interests, until).map_err(|_| Failure::Unavailable)?;
        now = Instant::now();
        if now.since(until) > LEAP && !core::mem::replace(&mut has_leapt, true) {
            // Time in which nobody could run is not silence: all begins once more.
            (deadline, times) = (now.after(LIMIT), sendings(now));
        }
        for socket in &sockets {
            let mut buffer = [0; MAX_ANSWER];
            for _ in 0..AT_ONCE {
                let Ok((len, source)) = socket.receive_from(&mut buffer) else { break };
                let octets = buffer.get(..len).unwrap_or_default();
                let Some(interface) = link_of(&links, &source) else { continue };
                let Some(message) = Message::parse(octets).filter(|m| is_answer(m, id)) else {
                    continue;
                };
                let (heard, ip) = (read(&message, interface)?, source.ip());
                session.trace().packet(format_args!("mdns: {name} answered by {ip}"));
                match heard {
                    Heard::Nothing => {}
                    Heard::Some => deadline = deadline.min(now.after(GRACE)),
                    Heard::All => deadline = now,
                }
            }
        }
    }
    Ok(())
}

/// When the question is sent, if that begins now.
fn sendings(now: Instant) -> Peekable<impl Iterator<Item = Instant>> {
    SENT_AFTER.iter().map(move |after| now.after(*after)).peekable()
}

/// RFC 6762 section 18: what has another opcode or a response code is ignored. The id is ours again
/// (section 6.7).
fn is_answer(message: &Message<'_>, id: u16) -> bool {
    message.is_response()
        && message.id() == id
        && message.opcode() == 0
        && message.rcode() == rcode::NOERROR
}

/// The addresses of the interfaces that take part: those that are up and take multicast, loopback and
/// point-to-point links left out.
fn links() -> Result<Vec<InterfaceAddress>, Failure> {
    let (mut indices, mut links) = (Vec::new(), Vec::new());
    let mut result = Ok(());
    addresses::multicast(&mut |index, _| {
        result = result.and_then(|()| indices.try_push(index));
    })?;
    addresses::addresses(&mut |own| {
        if indices.contains(&own.interface) {
            result = result.and_then(|()| links.try_push(own));
        }
    })?;
    result?;
    Ok(links)
}

/// One number of those links: another one where one has come or gone, or has other addresses.
pub(super) fn fingerprint() -> Result<u32, ListError> {
    let (mut indices, mut sum) = (Vec::new(), 0u64);
    let mut add = |part: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        part(&mut hasher);
        sum = sum.wrapping_add(hasher.finish());
    };
    let mut result = Ok(());
    addresses::multicast(&mut |index, changes| {
        add(&|hasher| (0u8, index, changes).hash(hasher));
        result = result.and_then(|()| indices.try_push(index));
    })?;
    addresses::addresses(&mut |own| {
        if indices.contains(&own.interface) && !own.tentative && !own.temporary {
            add(&|hasher| (1u8, own.interface, own.ip, own.prefix_len).hash(hasher));
        }
    })?;
    result.map_err(ListError::NoMemory)?;
    Ok((sum >> 32) as u32)
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Failure {
        match error {
            ListError::Fault(_) => Failure::Unavailable,
            ListError::NoMemory(_) => Failure::Memory,
        }
    }
}

/// Sends a query once by every interface, by each family that it has an address of; returns how often.
fn send(sockets: &[Socket], links: &[InterfaceAddress], query: &[u8]) -> usize {
    let mut sent = 0;
    for (at, link) in links.iter().enumerate() {
        let v6 = link.ip.is_ipv6();
        let same = |other: &InterfaceAddress| {
            other.interface == link.interface && other.ip.is_ipv6() == v6
        };
        // The IPv4 socket, where there is one, comes first.
        let socket = if v6 { sockets.last() } else { sockets.first() };
        if links.iter().take(at).any(same) {
            continue;
        }
        let group = match v6 {
            false => SocketAddr::new(IpAddr::V4(GROUP_V4), PORT),
            true => SocketAddrV6::new(GROUP_V6, PORT, 0, link.interface).into(),
        };
        if let Some(socket) = socket
            && (v6 || socket.multicast_by(link.interface).is_ok())
            && socket.send_to(query, &group).is_ok()
        {
            sent += 1;
        }
    }
    sent
}

/// The interface that an answer came by; `None` where its source is not a neighbour's port for this
/// (RFC 6762 section 11).
fn link_of(links: &[InterfaceAddress], source: &SocketAddr) -> Option<u32> {
    if source.port() != PORT {
        return None;
    }
    let scope = match source {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(source) => source.scope_id(),
    };
    let is_near = |link: &&InterfaceAddress| {
        (scope == 0 || scope == link.interface) && is_on_subnet(link, source.ip())
    };
    links.iter().find(is_near).map(|link| link.interface)
}

fn is_on_subnet(link: &InterfaceAddress, ip: IpAddr) -> bool {
    let (differing, width) = match (link.ip, ip) {
        (IpAddr::V4(own), IpAddr::V4(ip)) => (u128::from(own.to_bits() ^ ip.to_bits()), 32),
        (IpAddr::V6(own), IpAddr::V6(ip)) => (own.to_bits() ^ ip.to_bits(), 128),
        _ => return false,
    };
    let host_bits = u32::from(link.prefix_len).abs_diff(width);
    differing.checked_shr(host_bits).unwrap_or(0) == 0
}

/// Record types behind a name, for the trace.
struct Types<'a>(&'a [u16]);

impl fmt::Display for Types<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|qtype| write!(f, " {}", TypeName(*qtype)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::addresses::tests::own;

    #[test]
    fn neighbours_are_on_a_subnet_of_ours() {
        let link =
            |ip, prefix_len, interface| InterfaceAddress { prefix_len, ..own(ip, interface) };
        let links = [
            link("192.0.2.9", 24, 2),
            link("198.51.100.9", 32, 3),
            link("fe80::9", 64, 2),
            link("fe80::9", 64, 3),
            link("2001:db8::9", 0, 3),
        ];
        for (source, want) in [
            ("192.0.2.255:5353", Some(2)),
            ("192.0.2.1:5354", None),
            ("192.0.3.1:5353", None),
            ("198.51.100.9:5353", Some(3)),
            ("198.51.100.8:5353", None),
            ("[fe80::1%3]:5353", Some(3)),
            ("[fe80::1%2]:5353", Some(2)),
            ("[fe80::1%4]:5353", None),
            ("[2001:db8:9::1]:5353", Some(3)),
        ] {
            assert_eq!(link_of(&links, &source.parse().unwrap()), want, "{source}");
        }
    }
}
