//! From service and hints to the sockets that can be had: which (socket type, protocol, port)
//! every address is returned with, in which order (RFC 3493 section 6.1; glibc's table).

use smallvec::SmallVec;

use crate::base::error::Error;
use crate::rules::query::{Hints, SockType};
use crate::sys::mem::{NoMemory, TryPush};

/// One socket that the caller may open to each address: one `struct addrinfo` per address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `ai_socktype`; never `Any` nor `Other`.
    pub socktype: SockType,
    /// `ai_protocol`: IANA's number.
    pub protocol: i32,
    /// The port, in host order; 0 where no service was given.
    pub port: u16,
}

/// The endpoints of one call; three unless a service's name is known to more protocols.
pub type Endpoints = SmallVec<[Endpoint; 4]>;

/// The port of a service's name or alias under a protocol's name (`tcp`, `udp`, `dccp`, `udplite`,
/// `sctp`, `mptcp`), in host order: what `getservbyname(3)` does. Case counts.
pub type PortByName<'a> = &'a dyn Fn(&[u8], &[u8]) -> Result<Option<u16>, NoMemory>;

/// A kind of socket that we know.
struct Kind {
    socktype: SockType,
    protocol: i32,
    /// The protocol's name in services(5).
    name: &'static [u8],
    /// Returned when the caller names neither socket type nor protocol.
    by_default: bool,
    /// Any protocol goes with this socket type, and services mean nothing to it.
    raw: bool,
}

/// All kinds, in the order in which they are returned. Protocols are IANA's numbers, or the kernel's own for
/// Multipath TCP (RFC 8684), which glibc knows since 2.42.
const KINDS: [Kind; 8] = [
    kind(SockType::Stream, 6, b"tcp", true),
    kind(SockType::Dgram, 17, b"udp", true),
    kind(SockType::Dccp, 33, b"dccp", false),
    kind(SockType::Dgram, 136, b"udplite", false),
    kind(SockType::Stream, 132, b"sctp", false),
    kind(SockType::SeqPacket, 132, b"sctp", false),
    kind(SockType::Stream, 262, b"mptcp", false),
    Kind { raw: true, ..kind(SockType::Raw, 0, b"raw", true) },
];

const fn kind(socktype: SockType, protocol: i32, name: &'static [u8], by_default: bool) -> Kind {
    Kind { socktype, protocol, name, by_default, raw: false }
}

impl Kind {
    fn suits(&self, hints: &Hints) -> bool {
        (hints.socktype == SockType::Any || hints.socktype == self.socktype)
            && (hints.protocol == 0 || self.raw || hints.protocol == self.protocol)
    }

    fn at(&self, hints: &Hints, port: u16) -> Endpoint {
        let protocol = if self.raw { hints.protocol } else { self.protocol };
        Endpoint { socktype: self.socktype, protocol, port }
    }
}

/// The endpoints for `service` under `hints`; at least one.
///
/// Where socket type or protocol is given, the first kind that suits is the only one returned.
/// Where neither is, a number (or no service) gives stream, datagram and raw sockets, and
/// a name every kind that services(5) lists it for.
///
/// An empty service and `*` count as none. Errors, in the order in which they are looked for:
/// - [`Error::NoName`]: `AI_NUMERICSERV`, and the service does not read as a number;
/// - [`Error::SockType`]: a socket type that we don't know, or not with this protocol;
/// - [`Error::Service`]: raw sockets have no services; a name that is not known to the kinds that suit.
pub fn endpoints(
    service: Option<&[u8]>,
    hints: &Hints,
    ports: PortByName<'_>,
) -> Result<Endpoints, Error> {
    let service = match service {
        None | Some(b"" | b"*") => Service::None,
        Some(text) => Service::read(text),
    };
    if hints.flags.numeric_serv && matches!(service, Service::Name { text_only: true, .. }) {
        return Err(Error::NoName);
    }
    let mut found = Endpoints::new();
    if hints.socktype == SockType::Any && hints.protocol == 0 {
        for kind in &KINDS {
            let port = match service {
                Service::None if kind.by_default => Some(0),
                Service::Port(port) if kind.by_default => Some(port),
                Service::Name { text, .. } if !kind.raw => ports(text, kind.name)?,
                Service::None | Service::Port(_) | Service::Name { .. } => None,
            };
            if let Some(port) = port {
                found.try_push(kind.at(hints, port))?;
            }
        }
    } else {
        // Raw sockets take every protocol, so only a socket type can fail to match.
        let kind = KINDS.iter().find(|kind| kind.suits(hints)).ok_or(Error::SockType)?;
        let port = match service {
            Service::None => Some(0),
            Service::Port(_) | Service::Name { .. } if kind.raw => None,
            Service::Port(port) => Some(port),
            Service::Name { text, .. } => ports(text, kind.name)?,
        };
        if let Some(port) = port {
            found.try_push(kind.at(hints, port))?;
        }
    }
    if found.is_empty() { Err(Error::Service) } else { Ok(found) }
}

/// What the service's text asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service<'a> {
    None,
    Port(u16),
    Name {
        text: &'a [u8],
        /// False where the text is a number that can't be a port: glibc looks it up as a name,
        /// but lets it pass for a number under `AI_NUMERICSERV`.
        text_only: bool,
    },
}

/// As wide as C's `unsigned long`: `usize` on every target but WebAssembly, which stands for machines
/// of 64 bits.
#[cfg(not(target_family = "wasm"))]
type Word = usize;
#[cfg(target_family = "wasm")]
type Word = u64;

impl Service<'_> {
    /// Reads what `strtoul(3)` in base 10 reads: white space and a sign are accepted. As in glibc
    /// the value is cut to `int`, where a negative one makes a name of the text, and then to
    /// 16 bits: `65616` is port 80.
    fn read(text: &[u8]) -> Service<'_> {
        let name = Service::Name { text, text_only: true };
        let space = |b: &u8| matches!(b, b' ' | b'\t'..=b'\r');
        let start = text.iter().position(|b| !space(b)).unwrap_or(text.len());
        let (negative, digits) = match text.get(start..).unwrap_or_default() {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] | digits => (false, digits),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return name;
        }
        let value = digits.iter().try_fold(0 as Word, |value, digit| {
            value.checked_mul(10)?.checked_add(Word::from(digit - b'0'))
        });
        let value = match value {
            None => Word::MAX,
            Some(value) if negative => value.wrapping_neg(),
            Some(value) => value,
        };
        // The bit that would be int's sign.
        if value & 0x8000_0000 != 0 {
            return Service::Name { text, text_only: false };
        }
        Service::Port((value & 0xffff) as u16)
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::query::{Family, Flags};
    use crate::rules::service::*;

    fn hints(socktype: SockType, protocol: i32, numeric_serv: bool) -> Hints {
        let flags = Flags { numeric_serv, ..Flags::default() };
        Hints { flags, family: Family::Any, socktype, protocol }
    }

    /// Service; then what glibc 2.36 answered (measured with a C program, 64 bits) for a stream
    /// socket, without and with `AI_NUMERICSERV`: port, or `Err`.
    #[cfg(target_pointer_width = "64")]
    #[test]
    fn numbers_read_as_in_glibc() {
        type Port = Result<u16, Error>;
        const S: Port = Err(Error::Service);
        const N: Port = Err(Error::NoName);
        let measured: &[(&str, Port, Port)] = &[
            ("", Ok(0), Ok(0)),
            ("*", Ok(0), Ok(0)),
            ("80", Ok(80), Ok(80)),
            ("80 ", S, N),
            (" 80", Ok(80), Ok(80)),
            ("\t80", Ok(80), Ok(80)),
            ("\u{b}80", Ok(80), Ok(80)),
            ("\n80", Ok(80), Ok(80)),
            ("\u{a0}80", S, N),
            ("+80", Ok(80), Ok(80)),
            ("-80", S, S),
            ("-", S, N),
            ("+", S, N),
            ("++80", S, N),
            ("+ 80", S, N),
            (" ", S, N),
            ("-0", Ok(0), Ok(0)),
            ("-1", S, S),
            ("-4294967295", Ok(1), Ok(1)),
            ("-2147483648", S, S),
            ("65535", Ok(65535), Ok(65535)),
            ("65536", Ok(0), Ok(0)),
            ("65616", Ok(80), Ok(80)),
            ("2147483647", Ok(65535), Ok(65535)),
            ("2147483648", S, S),
            ("4294967295", S, S),
            ("4294967296", Ok(0), Ok(0)),
            ("4294967376", Ok(80), Ok(80)),
            ("99999999999", Ok(59391), Ok(59391)),
            ("18446744073709551615", S, S),
            ("18446744073709551616", S, S),
            ("-18446744073709551615", Ok(1), Ok(1)),
            ("-99999999999999999999999", S, S),
            ("080", Ok(80), Ok(80)),
            ("0x50", S, N),
            ("80x", S, N),
            ("8.0", S, N),
            ("http", Ok(80), N),
            ("www", Ok(80), N),
            ("HTTP", S, N),
            ("nosuch", S, N),
        ];
        let ports: PortByName<'_> = &|name, protocol| {
            Ok(((name == b"http" || name == b"www") && protocol == b"tcp").then_some(80))
        };
        for &(service, plain, numeric) in measured {
            for (numeric_serv, want) in [(false, plain), (true, numeric)] {
                let hints = hints(SockType::Stream, 0, numeric_serv);
                let got = endpoints(Some(service.as_bytes()), &hints, ports);
                let want = want.map(|port| (SockType::Stream, 6, port));
                let got = got.map(|found| {
                    assert_eq!(found.len(), 1);
                    (found[0].socktype, found[0].protocol, found[0].port)
                });
                assert_eq!(got, want, "{service:?}, AI_NUMERICSERV {numeric_serv}");
            }
        }
    }

    #[test]
    fn a_name_is_asked_for_as_it_was_written() {
        let asked = core::cell::RefCell::new(Vec::new());
        let ports: PortByName<'_> = &|name, protocol| {
            asked.borrow_mut().push((name.to_vec(), protocol.to_vec()));
            Ok(None)
        };
        let hints = hints(SockType::SeqPacket, 0, false);
        assert_eq!(endpoints(Some(b" 80x"), &hints, ports), Err(Error::Service));
        assert_eq!(*asked.borrow(), [(b" 80x".to_vec(), b"sctp".to_vec())]);
    }
}
