//! `myhostname`: the names that a host knows of itself and its way out (nss-myhostname(8)): its own,
//! `localhost`, `_gateway` and `_outbound`.

use crate::base::address::{Address, is_link_local};
use crate::base::answer::Found;
use crate::base::error::Failure;
use crate::base::text::{append_name, append_text};
use crate::rules::query::Family;
use crate::sys::mem::{NoMemory, TryPush};
use crate::sys::netlink::ListError;
use crate::sys::socket::Socket;
use crate::sys::{addresses, process, routes};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

const LOCALHOST: &[u8] = b"localhost";
const GATEWAY: &[u8] = b"_gateway";
const OUTBOUND: &[u8] = b"_outbound";

/// A host without a network has this address, which leads back to its name, as 127.0.0.1 would not.
const OWN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// An address of this host or its gateway.
#[derive(Clone, Copy)]
struct Local {
    /// What it is sorted by: family (IPv4 first), scope (the farthest first), metric and interface in one
    /// number; then the address.
    rank: (u128, u128),
    ip: IpAddr,
    interface: u32,
}

impl Local {
    fn new(ip: IpAddr, interface: u32, scope: u8, metric: u32) -> Local {
        let (is_v6, bits) = match ip {
            IpAddr::V4(ip) => (0, ip.to_bits().into()),
            IpAddr::V6(ip) => (1, ip.to_bits()),
        };
        let number = is_v6 << 72
            | u128::from(scope) << 64
            | u128::from(metric) << 32
            | u128::from(interface);
        Local { rank: (number, bits), ip, interface }
    }
}

/// In their order, each once.
type Locals = Vec<Local>;

/// The addresses of this host's name, and of the others above.
///
/// # Errors
/// [`Failure::NoName`] for any other name, and without a gateway for those two that need one.
#[cold]
pub fn addresses(node: &[u8], family: Family) -> Result<Found, Failure> {
    let mut buffer = [0; 256];
    let name = node.strip_suffix(b".").unwrap_or(node);
    let (canonical, locals, fallback) = if is_localhost(name) {
        (LOCALHOST, Locals::new(), Some(Ipv4Addr::LOCALHOST))
    } else if name.eq_ignore_ascii_case(GATEWAY) {
        (GATEWAY, gateways(family)?, None)
    } else if name.eq_ignore_ascii_case(OUTBOUND) {
        (OUTBOUND, outbound(family)?, None)
    } else {
        let host = host_name(&mut buffer);
        if !name.eq_ignore_ascii_case(host) {
            return Err(Failure::NoName);
        }
        (host, own(family)?, Some(OWN))
    };
    #[cfg(feature = "command")]
    crate::observe::witness::tell(|| crate::observe::witness::Statement::Own);
    let mut found = Found::default();
    append_text(&mut found.canonical, canonical)?;
    add(&mut found, &locals)?;
    if let (true, Some(v4)) = (locals.is_empty(), fallback) {
        if family != Family::V6 {
            found.addresses.try_push(Address::new(IpAddr::V4(v4)))?;
        }
        if family != Family::V4 && addresses::has_ipv6() {
            found.addresses.try_push(Address::new(IpAddr::V6(Ipv6Addr::LOCALHOST)))?;
            if family == Family::V6 && v4 == OWN {
                append_name(&mut found.aliases, LOCALHOST)?;
            }
        }
    }
    if found.addresses.is_empty() { Err(Failure::NoName) } else { Ok(found) }
}

/// The name of the host that has `ip`, where that is this one or its gateway; with all addresses that
/// the name has.
///
/// # Errors
/// [`Failure::NoName`] for any other address.
#[cold]
pub fn by_address(ip: IpAddr) -> Result<Found, Failure> {
    let mut buffer = [0; 256];
    let mut found = Found::default();
    if ip.is_ipv6() && !addresses::has_ipv6() {
        return Err(Failure::NoName);
    }
    if ip == IpAddr::V4(OWN) {
        append_text(&mut found.canonical, host_name(&mut buffer))?;
    } else if ip.is_loopback() && (ip.is_ipv6() || ip == IpAddr::V4(Ipv4Addr::LOCALHOST)) {
        append_text(&mut found.canonical, LOCALHOST)?;
        if ip.is_ipv6() {
            append_name(&mut found.aliases, host_name(&mut buffer))?;
        }
    } else {
        let family = if ip.is_ipv4() { Family::V4 } else { Family::V6 };
        let has_it = |locals: &Locals| locals.iter().any(|local| local.ip == ip);
        let mut locals = own(family)?;
        let name = if has_it(&locals) {
            host_name(&mut buffer)
        } else {
            locals = gateways(family)?;
            if !has_it(&locals) {
                return Err(Failure::NoName);
            }
            GATEWAY
        };
        append_text(&mut found.canonical, name)?;
        add(&mut found, &locals)?;
        return Ok(found);
    }
    found.addresses.try_push(Address::new(ip))?;
    Ok(found)
}

/// `localhost`, `localhost.localdomain`, which older systems have in /etc/hosts, and names below them.
fn is_localhost(name: &[u8]) -> bool {
    const DOMAIN: &[u8] = b".localdomain";
    let ends_in = |name: &[u8], end: &[u8]| {
        name.last_chunk::<9>().is_some_and(|last| last.eq_ignore_ascii_case(end))
            && name.len().checked_sub(10).is_none_or(|at| name.get(at) == Some(&b'.'))
    };
    let before = name.len().checked_sub(DOMAIN.len()).and_then(|at| name.split_at_checked(at));
    let name = match before {
        Some((before, end)) if end.eq_ignore_ascii_case(DOMAIN) => before,
        _ => name,
    };
    ends_in(name, LOCALHOST)
}

/// This host's name; one that has none is `localhost`.
fn host_name(buffer: &mut [u8; 256]) -> &[u8] {
    match process::host_name(buffer) {
        b"" | b"(none)" => LOCALHOST,
        name => name,
    }
}

/// Puts an address where it belongs, unless it is of another family or there already.
fn insert(locals: &mut Locals, new: Local, family: Family) -> Result<(), NoMemory> {
    let is_wanted = family == Family::Any || (family == Family::V4) == new.ip.is_ipv4();
    let at = locals.iter().position(|other| other.rank >= new.rank).unwrap_or(locals.len());
    if is_wanted && locals.get(at).is_none_or(|other| other.rank != new.rank) {
        locals.try_reserve(1).map_err(|_| NoMemory)?;
        locals.insert(at, new);
    }
    Ok(())
}

/// This host's addresses that others may know.
fn own(family: Family) -> Result<Locals, NoMemory> {
    let (mut locals, mut result) = (Locals::new(), Ok(()));
    let listed = addresses::addresses(&mut |own| {
        if own.scope < addresses::SCOPE_HOST && !own.deprecated && result.is_ok() {
            let new = Local::new(own.ip, own.interface, own.scope, 0);
            result = insert(&mut locals, new, family);
        }
    });
    finish(locals, listed, result)
}

/// The next hops of this host's default routes.
fn gateways(family: Family) -> Result<Locals, NoMemory> {
    let (mut locals, mut result) = (Locals::new(), Ok(()));
    let listed = routes::gateways(&mut |gateway| {
        if result.is_ok() {
            let new = Local::new(gateway.ip, gateway.interface, 0, gateway.metric);
            result = insert(&mut locals, new, family);
        }
    });
    finish(locals, listed, result)
}

/// What was listed; nothing where the kernel would not say.
fn finish(
    locals: Locals,
    listed: Result<(), ListError>,
    result: Result<(), NoMemory>,
) -> Result<Locals, NoMemory> {
    result?;
    match listed {
        Ok(()) => Ok(locals),
        Err(ListError::Fault(_)) => Ok(Locals::new()),
        Err(ListError::NoMemory(no_memory)) => Err(no_memory),
    }
}

/// This host's addresses as its gateways see them: where a UDP socket to each would send from.
fn outbound(family: Family) -> Result<Locals, NoMemory> {
    let mut locals = Locals::new();
    for gateway in &gateways(family)? {
        if let Some(ip) = source_towards(gateway) {
            insert(&mut locals, Local::new(ip, gateway.interface, 0, 0), family)?;
        }
    }
    Ok(locals)
}

fn source_towards(gateway: &Local) -> Option<IpAddr> {
    // Any port will do, nothing is sent.
    const PORT: u16 = 53;
    let peer = match gateway.ip {
        IpAddr::V4(_) => SocketAddr::new(gateway.ip, PORT),
        IpAddr::V6(ip) => SocketAddrV6::new(ip, PORT, 0, gateway.interface).into(),
    };
    let socket = Socket::unconnected(gateway.ip.is_ipv6()).ok()?;
    // Where several interfaces lead to the address; kernels before 5.7 allow it to root alone.
    let _ = socket.bind_to(gateway.interface);
    let _ = socket.connect(&peer);
    socket.local_address().ok().filter(|ip| !ip.is_unspecified())
}

fn add(found: &mut Found, locals: &Locals) -> Result<(), NoMemory> {
    for local in locals {
        let scope = match local.ip {
            IpAddr::V6(ip) if is_link_local(ip) => local.interface,
            _ => 0,
        };
        found.addresses.try_push(Address { ip: local.ip, scope })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_and_names_below_it() {
        for (name, want) in [
            ("localhost", true),
            ("LOCALHOST", true),
            ("a.b.localhost", true),
            (".localhost", true),
            ("localhost.localdomain", true),
            ("a.localhost.LocalDomain", true),
            ("alocalhost", false),
            ("alocalhost.localdomain", false),
            ("localdomain", false),
            (".localdomain", false),
            ("localhost.localdomain.localdomain", false),
            ("", false),
        ] {
            assert_eq!(is_localhost(name.as_bytes()), want, "{name}");
        }
    }
}
