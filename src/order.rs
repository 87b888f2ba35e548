//! Putting addresses in order: finds what RFC 6724 wants to know of each, and sorts.

use crate::address::Address;
use crate::error::Error;
use crate::lookup::select::{self, Candidate, Source};
use crate::mem::TryPush;
use crate::recent::orders::MAX_ADDRESSES;
use crate::session::Session;
use crate::source::dns::read::Addresses;
use crate::sys::socket::Socket;
use crate::sys::{addresses, interfaces};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use smallvec::SmallVec;

/// Sorts `addresses`, best first. Two or more of them.
///
/// A list that was sorted a moment ago is put in the same order, without asking the kernel again.
pub fn sort(session: &Session, addresses: &mut Addresses) -> Result<(), Error> {
    let (orders, now) = (&session.recent().orders, session.now());
    let Some(list) = orders.list(addresses) else { return sort_by_sources(session, addresses) };
    let mut unsorted: SmallVec<[Address; MAX_ADDRESSES]> = SmallVec::new();
    for &address in addresses.iter() {
        unsorted.try_push(address)?;
    }
    if let Some(order) = orders.get(list, now) {
        for (place, address) in
            addresses.iter_mut().zip(order.filter_map(|from| unsorted.get(from)))
        {
            *place = *address;
        }
        return Ok(());
    }
    sort_by_sources(session, addresses)?;
    // Of equal addresses each place takes another one.
    let mut taken = [false; MAX_ADDRESSES];
    let order = addresses.iter().filter_map(|address| {
        let mut left = unsorted.iter().zip(&mut taken).enumerate();
        let (from, (_, taken)) = left.find(|(_, (old, taken))| *old == address && !**taken)?;
        *taken = true;
        Some(from)
    });
    orders.put(list, order, now);
    Ok(())
}

fn sort_by_sources(session: &Session, addresses: &mut Addresses) -> Result<(), Error> {
    let mut candidates: SmallVec<[Candidate; 8]> = SmallVec::new();
    let mut probe = Probe::new(addresses);
    for &destination in addresses.iter() {
        let source = probe.source_for(&destination).map(Source::new);
        candidates.try_push(Candidate { destination, source })?;
    }
    drop(probe);
    let policy = session.policy()?;
    if select::needs_interface_facts(&candidates, &policy) {
        learn_facts(&mut candidates);
    }
    select::sort(&mut candidates, &policy)?;
    #[cfg(feature = "command")]
    crate::witness::order(&candidates, &policy);
    for (place, candidate) in addresses.iter_mut().zip(&candidates) {
        *place = candidate.destination;
    }
    Ok(())
}

/// Fills in what is known of the sources' interfaces.
///
/// libc does so only on a host that has an IPv6 address besides loopback's; without one, two IPv4
/// addresses keep their order even where one is on a subnet of ours.
fn learn_facts(candidates: &mut [Candidate]) {
    let mut facts: SmallVec<[_; 8]> = SmallVec::new();
    let mut has_v6 = false;
    let listed = addresses::addresses(&mut |own| {
        has_v6 |= own.ip.is_ipv6() && !own.ip.is_loopback();
        let wanted = candidates
            .iter()
            .any(|c| c.source.is_some_and(|source| source.ip.to_canonical() == own.ip));
        if wanted {
            // What there is no room for decides nothing.
            let _ = facts.try_push(own);
        }
    });
    // Without the list the rules that need it don't decide.
    if listed.is_err() || !has_v6 {
        return;
    }
    for source in candidates.iter_mut().filter_map(|candidate| candidate.source.as_mut()) {
        if let Some(own) = facts.iter().find(|own| own.ip == source.ip.to_canonical()) {
            source.prefix_len = own.prefix_len;
            source.interface = own.interface;
            source.deprecated = own.deprecated;
            source.home = own.home;
            source.native = !interfaces::is_tunnel(own.interface);
        }
    }
}

/// Finds the source addresses that the kernel would use, by connecting UDP sockets, which sends
/// nothing: the same socket to one address after the other, the IPv6 one also to IPv4 addresses.
struct Probe {
    v6: Option<Peerless>,
    v4: Option<Peerless>,
    /// The IPv6 socket takes IPv4 peers, as far as is known.
    takes_v4: bool,
}

/// A UDP socket without a lasting peer.
struct Peerless {
    socket: Socket,
    is_connected: bool,
}

impl Probe {
    fn new(addresses: &[Address]) -> Probe {
        let any_v6 = addresses.iter().any(|address| !address.is_ipv4());
        let v6 = if any_v6 { Peerless::open(true) } else { None };
        Probe { takes_v4: v6.is_some(), v6, v4: None }
    }

    /// The source address towards `to`; `None` where there is no route.
    fn source_for(&mut self, to: &Address) -> Option<IpAddr> {
        match to.ip {
            IpAddr::V6(ip) => self.v6.as_mut()?.source_for(ip, to.scope).map(IpAddr::V6),
            IpAddr::V4(ip) => self.source_for_v4(ip).map(IpAddr::V4),
        }
    }

    fn source_for_v4(&mut self, ip: Ipv4Addr) -> Option<Ipv4Addr> {
        if self.takes_v4
            && let Some(v6) = &mut self.v6
        {
            if let Some(source) = v6.source_for(ip.to_ipv6_mapped(), 0) {
                return source.to_ipv4_mapped();
            }
            // No route; or net.ipv6.bindv6only is set, where only the first answer is in doubt.
            if v6.is_connected || !v6.socket.is_v6_only() {
                return None;
            }
            self.takes_v4 = false;
        }
        if self.v4.is_none() {
            self.v4 = Peerless::open(false);
        }
        match self.v4.as_mut()?.source(&SocketAddr::new(IpAddr::V4(ip), PORT))? {
            IpAddr::V4(source) => Some(source),
            IpAddr::V6(_) => None,
        }
    }
}

/// Any port will do.
const PORT: u16 = 1;

impl Peerless {
    fn open(v6: bool) -> Option<Peerless> {
        Some(Peerless { socket: Socket::unconnected(v6).ok()?, is_connected: false })
    }

    fn source_for(&mut self, ip: Ipv6Addr, scope: u32) -> Option<Ipv6Addr> {
        match self.source(&SocketAddr::V6(SocketAddrV6::new(ip, PORT, 0, scope)))? {
            IpAddr::V6(source) => Some(source),
            IpAddr::V4(_) => None,
        }
    }

    fn source(&mut self, peer: &SocketAddr) -> Option<IpAddr> {
        if self.is_connected {
            // Else the source that was chosen for the last peer would stay.
            self.socket.disconnect().ok()?;
            self.is_connected = false;
        }
        self.socket.connect(peer).ok()?;
        self.is_connected = true;
        self.socket.local_address().ok()
    }
}
