//! Forward resolution, from query to sorted addresses: the pipeline of `getaddrinfo`.

use crate::base::address::Address;
use crate::base::answer::{Addresses, Found};
use crate::base::error::{Error, Failure};
use crate::base::text::{NameText, Text, append_text};
use crate::cache::recent::answers::{Asked, Known};
use crate::cache::recent::families::OwnFamilies;
use crate::config::nsswitch::Service;
use crate::config::watch;
use crate::context::call::Session;
use crate::context::state::state;
use crate::resolve::order::{is_usable, sort};
use crate::resolve::walk::walk;
use crate::resolve::{foreign, host, locale};
use crate::rules::numeric::{self, Numeric};
use crate::rules::query::{Family, Flags, Hints, SockType};
use crate::rules::service::{Endpoints, endpoints};
use crate::source::dns::lookup::Lookup;
use crate::source::local::{self, Special};
use crate::source::{hosts, mdns, myhostname, resolved};
use crate::sys::mem::{NoMemory, TryPush};
use crate::sys::time::Instant;
use crate::sys::{interfaces, log, probes, res_state};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

/// What a query has come to.
pub struct Resolution {
    /// The addresses, best first (RFC 6724); at least one.
    pub addresses: Addresses,
    /// What each address can be used with.
    pub endpoints: Endpoints,
    /// The canonical name, where it was asked for.
    pub canonical: Option<NameText>,
    /// How many seconds this stays true, where the source says so.
    ttl: Option<u32>,
}

/// The longest node that is looked up: a domain name of 253 octets and its final dot fit with room.
const MAX_NODE: usize = 1024;

/// Resolves `node` and `service` under `hints`. One of the two is given.
#[inline(never)]
pub fn resolve(
    node: Option<&[u8]>,
    service: Option<&[u8]>,
    hints: &Hints,
) -> Result<Resolution, Error> {
    let (state, now, reloads) = (state()?, Instant::now(), watch::epoch());
    let here = state.here(now)?;
    let asked = node.and_then(|node| Asked::new(node, hints));
    if let Some(asked) = &asked
        && log::listener().is_none()
        && !res_state::is_filled()
        && let Some((addresses, questions)) = here.recent.answers.get(asked, now)
    {
        probes::answered_again(node.unwrap_or_default());
        state.counters.again(questions);
        let session = || Session::at(state, here.clone(), (now, reloads));
        let ports = |name: &[u8], protocol: &[u8]| session()?.port(name, protocol);
        let endpoints = endpoints(service, hints, &ports)?;
        return Ok(Resolution { addresses, endpoints, canonical: None, ttl: None });
    }
    let epoch = here.recent.answers.epoch();
    probes::lookup_start(node.unwrap_or_default());
    let session = Session::at(state, here, (now, reloads))?;
    let result = session.counted(Resolver { session: &session, hints }.resolve(node, service));
    if let (Ok(found), Some(asked), Some(until)) = (&result, &asked, session.good_until()) {
        let ttl_over = |ttl: u32| now.after(Duration::from_secs(ttl.into()));
        let questions = match (found.ttl, hints.family) {
            (None, _) => 0,
            (Some(_), Family::Any) => 2,
            (Some(_), Family::V4 | Family::V6) => 1,
        };
        let until = found.ttl.map_or(until, |ttl| until.min(ttl_over(ttl)));
        let answers = &session.recent().answers;
        answers.put(asked, &Known { addresses: &found.addresses, questions, epoch, until });
    }
    match (&result, session.trace().is_on()) {
        (_, false) => {}
        (Ok(found), true) => session.trace().decision(format_args!(
            "getaddrinfo {}: {} addresses",
            Text(node.unwrap_or(b"(none)")),
            found.addresses.len()
        )),
        (Err(error), true) => session
            .trace()
            .decision(format_args!("getaddrinfo {}: {error}", Text(node.unwrap_or(b"(none)")))),
    }
    result
}

/// What one of nsswitch.conf's services knows of a name, without flags; addresses in its order.
pub fn ask(
    session: &Session,
    service: &Service,
    node: &[u8],
    family: Family,
) -> Result<Found, Failure> {
    let hints = Hints { flags: Flags::default(), family, socktype: SockType::Any, protocol: 0 };
    Resolver { session, hints: &hints }.ask(service, node, family)
}

struct Resolver<'a> {
    session: &'a Session,
    hints: &'a Hints,
}

impl Resolver<'_> {
    fn flags(&self) -> &Flags {
        &self.hints.flags
    }

    fn resolve(&self, node: Option<&[u8]>, service: Option<&[u8]>) -> Result<Resolution, Error> {
        let ports = |name: &[u8], protocol: &[u8]| self.session.port(name, protocol);
        let endpoints = endpoints(service, self.hints, &ports)?;
        let Some(node) = node else {
            let addresses = self.without_node()?;
            return Ok(Resolution {
                addresses: self.sorted(addresses)?,
                endpoints,
                canonical: None,
                ttl: None,
            });
        };
        // The conversion comes first: full-width digits are an address.
        let ascii = self.to_ascii(node)?;
        let node = ascii.as_deref().unwrap_or(node);
        match numeric::parse(node, self.hints.family, self.flags(), &interfaces::index) {
            Numeric::Address(address) => {
                let mut addresses = Addresses::new();
                addresses.try_push(address)?;
                let canonical = self.canonical(node)?;
                return Ok(Resolution { addresses, endpoints, canonical, ttl: None });
            }
            Numeric::Refused(error) => return Err(error),
            Numeric::NotNumeric => {}
        }
        let found = self.look_up(node)?;
        let canonical = self.canonical(&found.canonical)?;
        let (addresses, ttl) = (self.sorted(found.addresses)?, found.ttl);
        Ok(Resolution { addresses, endpoints, canonical, ttl })
    }

    /// No node: this host, by its wildcard addresses for a server's socket, else by loopback.
    ///
    /// With AI_ADDRCONFIG and one family configured these are that family's alone, as in libc: a server
    /// that opens them all, or the first one, is to be one that others reach.
    fn without_node(&self) -> Result<Addresses, Error> {
        let (v6, v4) = if self.flags().passive {
            (Ipv6Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED)
        } else {
            (Ipv6Addr::LOCALHOST, Ipv4Addr::LOCALHOST)
        };
        let family = self.only_family().unwrap_or(self.hints.family);
        let mut addresses = Addresses::new();
        if family != Family::V4 {
            addresses.try_push(Address::new(IpAddr::V6(v6)))?;
        }
        if family != Family::V6 {
            addresses.try_push(Address::new(IpAddr::V4(v4)))?;
        }
        Ok(addresses)
    }

    /// By RFC 6724; with AI_ADDRCONFIG and one family configured that one's addresses come first all the
    /// same. (The other's can be loopback's: a server on a host of one family is rarely there too.) Of the
    /// others those stay to which there is a way: a server that opens them all is to start.
    fn sorted(&self, mut addresses: Addresses) -> Result<Addresses, Error> {
        if addresses.len() < 2 {
            return Ok(addresses);
        }
        sort(self.session, &mut addresses)?;
        let has = |v4| addresses.iter().any(|address| address.is_ipv4() == v4);
        if has(true)
            && has(false)
            && let Some(family) = self.only_family()
        {
            let mut sorted = Addresses::new();
            for first in [true, false] {
                for address in &addresses {
                    let is_first = address.is_ipv4() == (family == Family::V4);
                    if is_first == first && (is_first || is_usable(address)) {
                        sorted.try_push(*address)?;
                    }
                }
            }
            return Ok(sorted);
        }
        Ok(addresses)
    }

    /// The one family that this host has, where both are wanted and AI_ADDRCONFIG is set.
    fn only_family(&self) -> Option<Family> {
        if self.hints.family != Family::Any || !self.flags().addr_config {
            return None;
        }
        match self.configured() {
            OwnFamilies { v4: true, v6: false } => Some(Family::V4),
            OwnFamilies { v4: false, v6: true } => Some(Family::V6),
            OwnFamilies { .. } => None,
        }
    }

    /// The canonical name as the flags want it.
    fn canonical(&self, name: &[u8]) -> Result<Option<NameText>, Error> {
        if !self.flags().canonname {
            return Ok(None);
        }
        let mut text = NameText::new();
        append_text(&mut text, name)?;
        if self.flags().canon_idn { locale::to_locale(text).map(Some) } else { Ok(Some(text)) }
    }

    /// With AI_IDN, the node's IDNA form; `None` where the node is looked up as it is.
    fn to_ascii(&self, node: &[u8]) -> Result<Option<NameText>, Error> {
        if self.flags().idn { locale::to_ascii(node) } else { Ok(None) }
    }

    /// Asks the sources for an IPv4, IPv6 or both, and maps where AI_V4MAPPED says so.
    fn look_up(&self, node: &[u8]) -> Result<Found, Error> {
        if node.len() > MAX_NODE {
            return Err(Error::NoName);
        }
        let family = self.hints.family;
        // For an IPv4 address alone libc goes by way of gethostbyname, where a name that only looks
        // like an address (`1.2.3.256`) is asked for nowhere.
        if family == Family::V4 && !self.flags().canonname && host::numeric(node, family).is_some()
        {
            return Err(Error::NoName);
        }
        let mapped = family == Family::V6 && self.flags().v4_mapped;
        let mut ask = |service: &Service| {
            if mapped { self.ask_mapped(service, node) } else { self.ask(service, node, family) }
        };
        let libc = &mut || foreign::look_up(node, family);
        walk(self.session, &Text(node), &mut ask, libc).map_err(|failure| match failure {
            // libc's ways with an answer of which nothing fits: no name, but no data where only an
            // IPv4 address was asked for, and no canonical name.
            Failure::Unrelated if family == Family::V4 && !self.flags().canonname => Error::NoData,
            failure => failure.error(),
        })
    }

    /// A service's IPv6 addresses; where it has none, or with AI_ALL, its IPv4 ones, mapped.
    fn ask_mapped(&self, service: &Service, node: &[u8]) -> Result<Found, Failure> {
        let v6 = self.ask(service, node, Family::V6);
        if v6.is_ok() && !self.flags().all {
            return v6;
        }
        match (v6, self.ask(service, node, Family::V4)) {
            (Ok(mut v6), Ok(v4)) => {
                map(&v4.addresses, &mut v6.addresses)?;
                Ok(v6)
            }
            (Err(_), Ok(v4)) => {
                let mut mapped = Found { addresses: Addresses::new(), ..v4 };
                map(&v4.addresses, &mut mapped.addresses)?;
                Ok(mapped)
            }
            (Ok(v6), Err(_)) => Ok(v6),
            (Err(v6), Err(v4)) => Err(neither(v6, v4)),
        }
    }

    fn ask(&self, service: &Service, node: &[u8], family: Family) -> Result<Found, Failure> {
        match service {
            Service::Files => {
                let file = self.session.hosts()?;
                hosts::addresses(&file, node, family, &|line| self.session.say_line(&file, line))
            }
            Service::Dns => self.ask_dns(node, family),
            Service::Resolve => resolved::addresses(self.session, node, family),
            Service::MyHostname => myhostname::addresses(node, family),
            Service::Mdns(mdns) => mdns::addresses(self.session, *mdns, node, family),
            // A module of somebody else's.
            Service::Other(_) => Err(Failure::Unavailable),
        }
    }

    /// Not in the frame of the others, which stays on the stack meanwhile.
    #[inline(never)]
    fn ask_dns(&self, node: &[u8], family: Family) -> Result<Found, Failure> {
        let alias = self.session.host_alias(node)?;
        // An alias for an alias is not searched for.
        let further = match &alias {
            Some(alias) => self.session.host_alias(alias)?.map(absolute).transpose()?,
            None => None,
        };
        let node = further.as_deref().or(alias.as_deref()).unwrap_or(node);
        match local::special(node) {
            Special::Localhost => return local::localhost(self.session, node, family),
            Special::NeverInDns => return Err(Failure::NoName),
            Special::No => {}
        }
        // First, because it may have a look at the addresses that the next step goes by.
        let upstream = self.session.upstream()?;
        // AI_ADDRCONFIG is about what a server is asked for: addresses in files and localhost are
        // local knowledge and cost nothing.
        let configured = self.configured();
        let family = match (family, configured) {
            (_, OwnFamilies { v4: true, v6: true }) => family,
            // To be mapped: libc looks at IPv6 alone there.
            (Family::V4, OwnFamilies { v6: true, .. }) if self.hints.family == Family::V6 => family,
            (Family::Any | Family::V4, OwnFamilies { v4: true, v6: false }) => Family::V4,
            (Family::Any | Family::V6, OwnFamilies { v4: false, v6: true }) => Family::V6,
            // With neither, libc narrows nothing where both are asked for.
            (Family::Any, OwnFamilies { v4: false, v6: false }) => Family::Any,
            (Family::V4 | Family::V6, _) => return Err(Failure::NoName),
        };
        let mut found = Lookup::of(self.session, &upstream).addresses(node, family)?;
        // Where both families are wanted, libc does not look at the sortlist.
        if self.hints.family == Family::V4 {
            host::sort(&mut found.addresses, &upstream.conf.sortlist)?;
        }
        Ok(found)
    }

    /// What AI_ADDRCONFIG goes by: an address of the family on any interface, but for 127.0.0.1 and ::1.
    fn configured(&self) -> OwnFamilies {
        let both = OwnFamilies { v4: true, v6: true };
        if !self.flags().addr_config {
            return both;
        }
        // A filter that forbids netlink must not make names disappear.
        self.session.recent().families(self.session.now()).unwrap_or(both)
    }
}

/// A name that is not searched for: with a dot at its end.
fn absolute(mut name: NameText) -> Result<NameText, NoMemory> {
    if !name.ends_with(b".") {
        append_text(&mut name, b".")?;
    }
    Ok(name)
}

/// What two families' failures come to: no data only where neither denies the name.
fn neither(v6: Failure, v4: Failure) -> Failure {
    use Failure::{Again, Memory, NoData, NoName, System, Unavailable};
    match (v6, v4) {
        (failure @ (Memory | System(_)), _) | (_, failure @ (Memory | System(_))) => failure,
        (Unavailable, other) | (other, Unavailable) => other,
        (NoData, Again) | (Again, NoData) => NoData,
        (v6, v4) if v6 == v4 => v6,
        _ => NoName,
    }
}

/// Appends IPv4 addresses to IPv6 ones as `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2).
fn map(from: &Addresses, to: &mut Addresses) -> Result<(), NoMemory> {
    for address in from {
        if let IpAddr::V4(ip) = address.ip {
            to.try_push(Address::new(IpAddr::V6(ip.to_ipv6_mapped())))?;
        }
    }
    Ok(())
}
