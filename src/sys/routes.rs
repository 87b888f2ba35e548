//! The kernel's routes (rtnetlink(7)), as far as names are made of them: the gateways, and the ways to
//! single hosts.

use super::addresses::{INET, INET6, read_ip};
use super::netlink::{self, ListError, Requests, attributes};
use core::net::{IpAddr, SocketAddr};

// Of linux/rtnetlink.h: kernel ABI, the same on every architecture.
pub(crate) const NEW_ROUTE: u16 = 24;
pub(crate) const GET_ROUTE: u16 = 26;
pub(crate) const TO: u16 = 1;
pub(crate) const INTERFACE: u16 = 4;
pub(crate) const GATEWAY: u16 = 5;
pub(crate) const PRIORITY: u16 = 6;
pub(crate) const SOURCE: u16 = 7;
pub(crate) const MULTIPATH: u16 = 9;
pub(crate) const VIA: u16 = 18;
pub(crate) const MAIN: u8 = 254;
pub(crate) const UNICAST: u8 = 1;

/// The next hop of a default route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its address; of the other family than the route's where that is IPv4 over IPv6 (RFC 5549).
    pub ip: IpAddr,
    /// Index of the interface that it is behind.
    pub interface: u32,
    /// The route's metric: the lower is taken first.
    pub metric: u32,
}

/// How the kernel would send to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Way {
    /// Index of the interface.
    pub interface: u32,
    /// The next hop, where the host is behind one.
    pub gateway: Option<IpAddr>,
    /// The address that it would send from.
    pub source: Option<IpAddr>,
}

/// Asks for the way to a host, by rules and routes as this process meets them: the request's number.
pub(super) fn ask_way(requests: &mut Requests, to: &SocketAddr) -> Option<u32> {
    let (v4, v6);
    let (family, address, interface): (u8, &[u8], u32) = match to {
        SocketAddr::V4(to) => {
            v4 = to.ip().octets();
            (INET, &v4, 0)
        }
        SocketAddr::V6(to) => {
            v6 = to.ip().octets();
            (INET6, &v6, to.scope_id())
        }
    };
    let mut structure = [0; netlink::RTMSG];
    // The family, and how many bits of the destination count: all.
    let bits = u8::try_from(address.len() * 8).ok()?;
    structure.iter_mut().zip([family, bits]).for_each(|(to, from)| *to = from);
    let (destination, by) = (attribute(TO, address.len())?, attribute(INTERFACE, 4)?);
    let interface = interface.to_ne_bytes();
    let parts: [&[u8]; 5] = [&structure, &destination, address, &by, &interface];
    let parts = if interface == [0; 4] { parts.get(..3) } else { parts.get(..) };
    requests.add(GET_ROUTE, netlink::REQUEST, parts?)
}

/// The length and type in front of a value of `len` octets.
fn attribute(kind: u16, len: usize) -> Option<[u8; 4]> {
    let ([l0, l1], [t0, t1]) = (u16::try_from(len + 4).ok()?.to_ne_bytes(), kind.to_ne_bytes());
    Some([l0, l1, t0, t1])
}

/// Reads the kernel's answer to [`ask_way`].
pub(super) fn read_way(message: &[u8]) -> Option<Way> {
    let (&[family, ..], rest) = message.split_first_chunk::<{ netlink::RTMSG }>()?;
    let mut way = Way { interface: 0, gateway: hop(family, rest), source: None };
    for (kind, value) in attributes(rest) {
        match kind {
            INTERFACE => way.interface = number(value),
            SOURCE => way.source = read_ip(family, value),
            _ => {}
        }
    }
    Some(way)
}

/// Tells `each` the gateways of the main table's default routes.
pub fn gateways(each: &mut dyn FnMut(Gateway)) -> Result<(), ListError> {
    netlink::dump(GET_ROUTE, netlink::RTMSG, &mut |kind, message| {
        if kind == NEW_ROUTE {
            read_route(message, each);
        }
    })
}

/// Reads one `rtmsg` with its attributes.
fn read_route(message: &[u8], each: &mut dyn FnMut(Gateway)) {
    let Some((structure, rest)) = message.split_first_chunk::<{ netlink::RTMSG }>() else { return };
    let &[family, to_len, from_len, _tos, MAIN, _protocol, _scope, UNICAST, ..] = structure else {
        return;
    };
    if to_len != 0 || from_len != 0 {
        return;
    }
    let (mut interface, mut metric, mut several) = (0, 0, None);
    for (kind, value) in attributes(rest) {
        match kind {
            INTERFACE => interface = number(value),
            PRIORITY => metric = number(value),
            MULTIPATH => several = Some(value),
            _ => {}
        }
    }
    if interface != 0
        && let Some(ip) = hop(family, rest)
    {
        each(Gateway { ip, interface, metric });
    }
    // Each an rtnexthop (length, flags, weight, interface) with attributes of its own.
    while let Some((&[l0, l1, _, _, i0, i1, i2, i3], _)) =
        several.and_then(<[u8]>::split_first_chunk)
    {
        let hops = several.unwrap_or_default();
        let len = usize::from(u16::from_ne_bytes([l0, l1]));
        let Some(inner) = hops.get(8..len) else { return };
        if let Some(ip) = hop(family, inner) {
            each(Gateway { ip, interface: u32::from_ne_bytes([i0, i1, i2, i3]), metric });
        }
        several = hops.get(len.next_multiple_of(4)..);
    }
}

/// The gateway among a route's attributes.
fn hop(family: u8, rest: &[u8]) -> Option<IpAddr> {
    attributes(rest).find_map(|(kind, value)| match kind {
        GATEWAY => read_ip(family, value),
        // An rtvia: the family and the address.
        VIA => {
            let (&[f0, f1], address) = value.split_first_chunk()?;
            read_ip(u8::try_from(u16::from_ne_bytes([f0, f1])).ok()?, address)
        }
        _ => None,
    })
}

fn number(value: &[u8]) -> u32 {
    value.try_into().map(u32::from_ne_bytes).unwrap_or(0)
}
