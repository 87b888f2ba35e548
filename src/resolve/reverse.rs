//! Reverse resolution, from address to name: the pipeline of `getnameinfo`.

use crate::base::address::Address;
use crate::base::error::{Error, Failure};
use crate::base::text::{NameText, Text, append_text};
use crate::config::nsswitch::Service;
use crate::context::call::Session;
use crate::resolve::host;
use crate::resolve::walk::walk;
use crate::rules::query::Family;
use crate::source::dns::lookup::Lookup;
use crate::source::{hosts, mdns, myhostname, resolved};
use crate::sys::{probes, process};
use core::net::{IpAddr, Ipv6Addr};

/// The name of the host that has `address`, by nsswitch.conf's services.
///
/// # Errors
/// [`Error::NoName`] where nobody knows one, [`Error::Again`] where the servers had trouble,
/// [`Error::System`] where nsswitch.conf leaves nobody to ask.
pub fn host_name(session: &Session, address: Address) -> Result<NameText, Error> {
    if address.ip == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        return Err(Error::NoName);
    }
    let about = address.ip;
    probes::lookup_start_of(about);
    let ask = &mut |service: &Service| ask(session, service, address);
    let found = walk(session, &about, ask, &mut || Err(Failure::NoName));
    session.counted(found).map_err(|failure| match failure {
        // To this caller a host without a name is one that nobody knows.
        Failure::NoData => Error::NoName,
        failure => failure.error(),
    })
}

fn ask(session: &Session, service: &Service, address: Address) -> Result<NameText, Failure> {
    let mut name = NameText::new();
    match service {
        Service::Files => {
            let file = session.hosts()?;
            let line = hosts::by_address(&file, address.ip)?.ok_or(Failure::NoName)?;
            append_text(&mut name, line.canonical)?;
            #[cfg(feature = "command")]
            crate::observe::witness::hosts_line(&file, &line, address);
        }
        Service::Dns => {
            let upstream = session.upstream()?;
            Lookup::of(session, &upstream).names(unmapped(address.ip), &mut |other| {
                if name.is_empty() { append_text(&mut name, other) } else { Ok(()) }
            })?;
        }
        Service::MyHostname => {
            append_text(&mut name, &myhostname::by_address(address.ip)?.canonical)?;
        }
        Service::Resolve => return Ok(resolved::by_address(session, address.ip)?.canonical),
        Service::Mdns(mdns) => return Ok(mdns::by_address(session, *mdns, address.ip)?.canonical),
        Service::Other(_) => return Err(Failure::Unavailable),
    }
    Ok(name)
}

/// IPv4-mapped and IPv4-compatible addresses are looked up as the IPv4 addresses in them.
pub fn unmapped(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    match v6.to_ipv4_mapped() {
        Some(v4) => IpAddr::V4(v4),
        None if v6.is_loopback() => ip,
        None => match v6.octets() {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => IpAddr::from([a, b, c, d]),
            _ => ip,
        },
    }
}

/// The domain that this host is in, for `NI_NOFQDN`: what stands behind the first dot of its name, or
/// of the canonical name that its name has in files or DNS.
pub fn local_domain(session: &Session) -> Option<NameText> {
    let mut buffer = [0; 256];
    let host = process::host_name(&mut buffer);
    let domain_of = |name: &[u8]| {
        let dot = name.iter().position(|&b| b == b'.')?;
        let mut domain = NameText::new();
        append_text(&mut domain, name.get(dot + 1..)?).ok()?;
        Some(domain)
    };
    let canonical = |name: &[u8]| {
        let found = host::by_name(session, name, Family::V4).ok()?;
        domain_of(&found.canonical)
    };
    let domain = canonical(b"localhost").or_else(|| domain_of(host)).or_else(|| canonical(host));
    if let Some(domain) = &domain {
        session.trace().decision(format_args!("this host's domain is {}", Text(domain)));
    }
    domain
}
