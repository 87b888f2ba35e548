//! `resolve`: systemd-resolved, asked over its varlink socket (nss-resolve(8),
//! <https://varlink.org/Wire-Protocol>). The module is not needed for that, nor D-Bus.

pub mod json;

use crate::base::address::{Address, is_link_local};
use crate::base::answer::Found;
use crate::base::error::Failure;
use crate::base::text::{NameText, Text, append_name, append_text};
use crate::context::call::Session;
use crate::rules::query::Family;
use crate::sys::Fault;
use crate::sys::mem::{NoMemory, TryPush, append};
use crate::sys::socket::Socket;
use crate::sys::time::{Instant, Interest, wait};
use core::net::IpAddr;
use core::time::Duration;
use json::{Reader, write_octets, write_string};

/// Where it listens.
const SOCKET: &[u8] = b"/run/systemd/resolve/io.systemd.Resolve";
/// How long it may take: as long as it takes itself for its own servers, and nss-resolve waits.
const LIMIT: Duration = Duration::from_secs(120);
/// No answer is longer: a thousand addresses take about 100 kB.
const MAX_ANSWER: usize = 1 << 20;

// The numbers of address families: Linux has these on every architecture.
const INET: i64 = 2;
const INET6: i64 = 10;
const INET_WANTED: &[u8] = b",\"family\":2";
const INET6_WANTED: &[u8] = b",\"family\":10";

/// The addresses of `node`.
///
/// # Errors
/// [`Failure::NoName`] where the daemon says that there are none, whatever its reason;
/// [`Failure::Later`] where it can't reach its servers; [`Failure::Unavailable`] where the daemon is
/// not there or not understood.
#[cold]
pub fn addresses(session: &Session, node: &[u8], family: Family) -> Result<Found, Failure> {
    let mut name = Vec::new();
    write_string(node, &mut name)?;
    let family_wanted: &[u8] = match family {
        Family::Any => b"",
        Family::V4 => INET_WANTED,
        Family::V6 => INET6_WANTED,
    };
    let question = [&b"ResolveHostname\",\"parameters\":{\"name\":"[..], &name, family_wanted];
    let mut found = ask(session, &question, b"addresses", &mut |entry, found| {
        add_address(entry, family, found)
    })?;
    if found.canonical.is_empty() {
        append_text(&mut found.canonical, node)?;
    }
    if found.addresses.is_empty() { Err(Failure::NoName) } else { Ok(found) }
}

/// The names of the host that has `ip`.
///
/// # Errors
/// As for [`addresses`].
#[cold]
pub fn by_address(session: &Session, ip: IpAddr) -> Result<Found, Failure> {
    let mut octets = Vec::new();
    let family = match ip {
        IpAddr::V4(ip) => {
            write_octets(&ip.octets(), &mut octets)?;
            INET_WANTED
        }
        IpAddr::V6(ip) => {
            write_octets(&ip.octets(), &mut octets)?;
            INET6_WANTED
        }
    };
    let question = [&b"ResolveAddress\",\"parameters\":{\"address\":"[..], &octets, family];
    let mut found = ask(session, &question, b"names", &mut add_name)?;
    found.addresses.try_push(Address::new(ip))?;
    if found.canonical.is_empty() { Err(Failure::NoName) } else { Ok(found) }
}

/// Reads one address, and takes it over where it is of the family asked for.
fn add_address(entry: &mut Reader<'_>, family: Family, found: &mut Found) -> Result<(), Failure> {
    let (mut number, mut interface) = (0, 0);
    let (mut octets, mut len) = ([0; 16], 0);
    entry.object(&mut |key, value| {
        match key {
            b"family" => number = value.number()?,
            b"ifindex" => interface = value.number()?,
            b"address" => value.list(&mut |_, item| {
                let place = octets.get_mut(len).ok_or(Failure::Unavailable)?;
                *place = u8::try_from(item.number()?).map_err(|_| Failure::Unavailable)?;
                len += 1;
                Ok(())
            })?,
            _ => value.skip()?,
        }
        Ok(())
    })?;
    let ip = match (number, len, octets) {
        (INET, 4, [a, b, c, d, ..]) => IpAddr::from([a, b, c, d]),
        (INET6, 16, octets) => IpAddr::from(octets),
        (0 | INET | INET6, ..) => return Err(Failure::Unavailable),
        // Of a family that nobody asked for.
        _ => return Ok(()),
    };
    let scope = match ip {
        IpAddr::V6(ip) if is_link_local(ip) => {
            u32::try_from(interface).map_err(|_| Failure::Unavailable)?
        }
        _ => 0,
    };
    if family == Family::Any || (family == Family::V4) == ip.is_ipv4() {
        found.addresses.try_push(Address { ip, scope })?;
    }
    Ok(())
}

/// Reads one name: the first is the host's, others are its aliases.
fn add_name(entry: &mut Reader<'_>, found: &mut Found) -> Result<(), Failure> {
    let mut name = NameText::new();
    entry.object(&mut |key, value| match key {
        b"name" => value.string(&mut name),
        _ => value.skip(),
    })?;
    if name.is_empty() {
        return Err(Failure::Unavailable);
    }
    if found.canonical.is_empty() {
        found.canonical = name;
    } else {
        append_name(&mut found.aliases, &name)?;
    }
    Ok(())
}

/// Asks a question and reads the answer: each entry of the list `key` is told to `entry`.
fn ask(
    session: &Session,
    question: &[&[u8]; 3],
    key: &[u8],
    entry: &mut dyn FnMut(&mut Reader<'_>, &mut Found) -> Result<(), Failure>,
) -> Result<Found, Failure> {
    let mut request = Vec::new();
    let [method, subject, family] = *question;
    let parts =
        [b"{\"method\":\"io.systemd.Resolve.", method, subject, family, b",\"flags\":0}}\0"];
    parts.iter().try_for_each(|part| append(&mut request, part))?;
    let answer = send(session, &request)?;
    let (mut found, mut error, mut has_list) = (Found::default(), NameText::new(), false);
    Reader::new(&answer)?.object(&mut |part, value| match part {
        b"error" => value.string(&mut error),
        // Those of an error say nothing that is not in its name.
        b"parameters" if error.is_empty() => value.object(&mut |name, value| {
            if name == key {
                has_list = true;
                value.list(&mut |_, item| entry(item, &mut found))
            } else if name == b"name" {
                value.string(&mut found.canonical)
            } else {
                value.skip()
            }
        }),
        _ => value.skip(),
    })?;
    if !error.is_empty() {
        session.trace().packet(format_args!("resolve: {}", Text(&error)));
        return Err(failure_of(&error));
    }
    if has_list { Ok(found) } else { Err(Failure::Unavailable) }
}

/// The errors that may pass: no name server, or none that can be reached.
const LATER: [&[u8]; 4] = [
    b"io.systemd.Resolve.NoNameServers",
    b"io.systemd.Resolve.QueryTimedOut",
    b"io.systemd.Resolve.MaxAttemptsReached",
    b"io.systemd.Resolve.NetworkDown",
];

/// The errors of varlink itself: the daemon is another one than is expected.
const UNAVAILABLE: [&[u8]; 6] = [
    b"io.systemd.Disconnected",
    b"io.systemd.TimedOut",
    b"io.systemd.Protocol",
    b"org.varlink.service.InterfaceNotFound",
    b"org.varlink.service.MethodNotFound",
    b"org.varlink.service.MethodNotImplemented",
];

/// What an error's name means, as nss-resolve has it.
fn failure_of(error: &[u8]) -> Failure {
    if LATER.contains(&error) {
        Failure::Later
    } else if UNAVAILABLE.contains(&error) {
        Failure::Unavailable
    } else {
        Failure::NoName
    }
}

/// Sends a question on a connection of its own; the answer is given without the NUL that ends it.
fn send(session: &Session, mut request: &[u8]) -> Result<Vec<u8>, Failure> {
    let settings = session.settings();
    if settings.stays_inside() {
        return Err(Failure::Unavailable);
    }
    let deadline = session.now().after(LIMIT);
    let socket = loop {
        match Socket::unix(&[settings.root.as_deref().unwrap_or_default(), SOCKET]) {
            Ok(socket) => break socket,
            // The kernel does not say when there is room again in the daemon's queue.
            Err(Fault::WouldBlock) => pause(None, deadline)?,
            Err(_) => return Err(Failure::Unavailable),
        }
    };
    while !request.is_empty() {
        match socket.send(request) {
            Ok(sent) => request = request.get(sent..).unwrap_or_default(),
            Err(Fault::WouldBlock) => pause(Some(Interest::new(&socket, true)), deadline)?,
            Err(_) => return Err(Failure::Unavailable),
        }
    }
    let (mut answer, mut len) = (Vec::new(), 0);
    while len < MAX_ANSWER {
        if len == answer.len() {
            // Twice as much each time, and so a few times at the most.
            answer.try_reserve(len.max(4096)).map_err(|_| NoMemory)?;
            answer.resize(answer.capacity(), 0);
        }
        let room = answer.get_mut(len..).unwrap_or_default();
        match socket.receive(room) {
            // It has hung up.
            Ok(received) if received.len == 0 => break,
            Ok(received) => {
                len += received.len;
                // Nothing follows the NUL: one question, one answer.
                if answer.get(len - 1) == Some(&0) {
                    answer.truncate(len - 1);
                    session.trace().packet(format_args!("resolve: {}", Text(&answer)));
                    return Ok(answer);
                }
            }
            Err(Fault::WouldBlock) => pause(Some(Interest::new(&socket, false)), deadline)?,
            Err(_) => break,
        }
    }
    Err(Failure::Unavailable)
}

/// Waits for the socket; without one, for a moment.
fn pause(socket: Option<Interest>, deadline: Instant) -> Result<(), Failure> {
    let now = Instant::now();
    if now >= deadline {
        return Err(Failure::Unavailable);
    }
    let waited = match socket {
        Some(socket) => wait(&mut [socket], deadline),
        None => wait(&mut [], now.after(Duration::from_millis(10))),
    };
    waited.map_err(|_| Failure::Unavailable)
}
