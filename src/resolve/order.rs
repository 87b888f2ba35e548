//! Putting addresses in order: finds what RFC 6724 wants to know of each, and sorts.

use crate::base::address::Address;
use crate::base::answer::Addresses;
use crate::base::error::Error;
use crate::cache::recent::orders::MAX_ADDRESSES;
use crate::context::call::Session;
use crate::rules::select::{self, Candidate, Source};
use crate::sys::interfaces;
use crate::sys::mem::TryPush;
use crate::sys::udp::{Peers, Udp};
use core::net::{IpAddr, SocketAddr, SocketAddrV6};
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
    let mut probe = Probe::new(addresses, session.used().take());
    for &destination in addresses.iter() {
        let source = probe.source_for(&destination).map(Source::new);
        candidates.try_push(Candidate { destination, source })?;
    }
    drop(probe);
    let policy = session.policy()?;
    if select::needs_interface_facts(&candidates, &policy) {
        learn_facts(session, &mut candidates);
    }
    select::sort(&mut candidates, &policy)?;
    #[cfg(feature = "command")]
    crate::observe::witness::order(&candidates, &policy);
    for (place, candidate) in addresses.iter_mut().zip(&candidates) {
        *place = candidate.destination;
    }
    Ok(())
}

/// True where there is a way to the address.
pub fn is_usable(address: &Address) -> bool {
    Probe::new(core::slice::from_ref(address), None).source_for(address).is_some()
}

/// Fills in what is known of the sources' interfaces.
///
/// libc does so only on a host that has an IPv6 address besides loopback's; without one, two IPv4
/// addresses keep their order even where one is on a subnet of ours.
#[inline(never)]
fn learn_facts(session: &Session, candidates: &mut [Candidate]) {
    let sources = candidates.iter().filter_map(|candidate| candidate.source);
    let wanted = sources.map(|source| source.ip.to_canonical());
    // Without the kernel's word the rules that need it don't decide.
    let Ok(mut facts) = session.recent().facts(session.now(), wanted) else { return };
    if !facts.has_v6 {
        return;
    }
    let mut is_news = false;
    for source in candidates.iter_mut().filter_map(|candidate| candidate.source.as_mut()) {
        if let Some(fact) = facts.of(source.ip.to_canonical())
            && let Some(own) = fact.own
        {
            source.prefix_len = own.prefix_len;
            source.interface = own.interface;
            source.deprecated = own.deprecated;
            source.home = own.home;
            source.native = !fact.is_tunnel(|interface| {
                is_news = true;
                interfaces::is_tunnel(interface)
            });
        }
    }
    if is_news {
        session.recent().put_facts(facts);
    }
}

/// Finds the source addresses that the kernel would use, by connecting a UDP socket to one address after
/// the other, which sends nothing: the IPv6 one also to IPv4 addresses. The socket that has brought the
/// addresses does, where it can.
struct Probe {
    v6: Option<Udp>,
    v4: Option<Udp>,
}

/// Any port will do.
const PORT: u16 = 1;

impl Probe {
    fn new(addresses: &[Address], used: Option<Udp>) -> Probe {
        let any_v6 = addresses.iter().any(|address| !address.is_ipv4());
        let (v4, v6) = match used {
            Some(used) if used.peers == Peers::V4 => (Some(used), None),
            used => (None, used),
        };
        let v6 = if any_v6 { v6.or_else(|| Udp::unconnected(true).ok()) } else { v6 };
        Probe { v6, v4 }
    }

    /// The source address towards `to`; `None` where there is no route.
    fn source_for(&mut self, to: &Address) -> Option<IpAddr> {
        match to.ip {
            IpAddr::V6(ip) => {
                let peer = SocketAddrV6::new(ip, PORT, 0, to.scope).into();
                self.v6.as_mut()?.source(&peer)
            }
            IpAddr::V4(ip) => self.source_for_v4(&SocketAddr::new(ip.into(), PORT)),
        }
    }

    fn source_for_v4(&mut self, peer: &SocketAddr) -> Option<IpAddr> {
        if let (Some(v6), None) = (&mut self.v6, &self.v4) {
            let source = v6.source(peer);
            if v6.peers != Peers::OnlyV6 {
                return source;
            }
        }
        if self.v4.is_none() {
            self.v4 = Udp::unconnected(false).ok();
        }
        self.v4.as_mut()?.source(peer)
    }
}
