//! From socket address to names as the caller wants them: what `getnameinfo` makes of its flags.

use crate::base::address::{Address, is_link_local};
use crate::base::error::Error;
use crate::base::text::{NameText, Out, append_text};
use crate::context::call::Session;
use crate::resolve::{locale, reverse};
use crate::sys::mem::NoMemory;
use crate::sys::{interfaces, process};
use core::fmt::Write;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A socket address that a name is asked for.
pub enum SocketName<'a> {
    /// `AF_INET` or `AF_INET6`, with the port.
    Inet(Address, u16),
    /// `AF_LOCAL`, with the path.
    Local(&'a [u8]),
}

/// `NI_*`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags {
    /// `NI_NUMERICHOST`: no host's name, its address.
    pub numeric_host: bool,
    /// `NI_NUMERICSERV`: no service's name, its port.
    pub numeric_service: bool,
    /// `NI_NOFQDN`: without the domain that this host is in.
    pub no_fqdn: bool,
    /// `NI_NAMEREQD`: a name, or an error.
    pub name_required: bool,
    /// `NI_DGRAM`: the service of UDP.
    pub datagram: bool,
    /// `NI_IDN`: A-labels as characters of the locale.
    pub idn: bool,
    /// `NI_NUMERICSCOPE`: no interface's name, its index.
    pub numeric_scope: bool,
}

/// The name of the socket's host; where nobody knows one, its address as text.
pub fn host_text(
    session: &Session,
    name: &SocketName<'_>,
    flags: Flags,
) -> Result<NameText, Error> {
    let address = match name {
        SocketName::Inet(address, _) => *address,
        SocketName::Local(_) => return own_name(flags),
    };
    if !flags.numeric_host {
        match reverse::host_name(session, address) {
            Ok(name) => return finish_name(session, name, flags),
            Err(Error::NoName) => {}
            Err(error) => return Err(error),
        }
    }
    if flags.name_required { Err(Error::NoName) } else { numeric(address, flags) }
}

/// A found name as the flags want it.
fn finish_name(session: &Session, mut name: NameText, flags: Flags) -> Result<NameText, Error> {
    if flags.no_fqdn
        && let Some(domain) = reverse::local_domain(session)
    {
        let at = name.windows(domain.len().max(1)).position(|part| part == &domain[..]);
        if let Some(dot) = at.and_then(|at| at.checked_sub(1))
            && name.get(dot) == Some(&b'.')
        {
            name.truncate(dot);
        }
    }
    if flags.idn { locale::to_locale(name) } else { Ok(name) }
}

/// A local socket is on this host.
fn own_name(flags: Flags) -> Result<NameText, Error> {
    let mut text = NameText::new();
    let mut buffer = [0; 256];
    let host = process::host_name(&mut buffer);
    if !flags.numeric_host && !host.is_empty() {
        append_text(&mut text, host)?;
    } else if flags.name_required {
        return Err(Error::NoName);
    } else {
        append_text(&mut text, b"localhost")?;
    }
    Ok(text)
}

/// The address as text, with its zone (RFC 4007 section 11): by name where the address is link-local
/// and the interface is there.
fn numeric(address: Address, flags: Flags) -> Result<NameText, Error> {
    let mut text = Out(NameText::new());
    let written = match address.ip {
        IpAddr::V6(ip) if is_compatible(ip) => {
            write!(text, "::{}", Ipv4Addr::from_bits(ip.to_bits() as u32))
        }
        ip => write!(text, "{ip}"),
    };
    written.map_err(|_| NoMemory)?;
    if let IpAddr::V6(ip) = address.ip
        && address.scope != 0
    {
        let mut buffer = [0; 16];
        let [first, ..] = ip.segments();
        // libc has the number behind interface-local addresses.
        let is_interface_local = first & 0xff0f == 0xff01;
        let by_name = is_link_local(ip) && !is_interface_local && !flags.numeric_scope;
        match by_name.then(|| interfaces::name(address.scope, &mut buffer)).flatten() {
            Some(name) => {
                append_text(&mut text.0, b"%")?;
                append_text(&mut text.0, name)?;
            }
            None => write!(text, "%{}", address.scope).map_err(|_| NoMemory)?,
        }
    }
    Ok(text.0)
}

/// True for an IPv4-compatible address (RFC 4291 section 2.5.5.1), of which glibc's `inet_ntop(3)`
/// writes the last four octets as IPv4; musl's does not.
fn is_compatible(ip: Ipv6Addr) -> bool {
    !cfg!(target_env = "musl") && (0x1_0000..=0xffff_ffff).contains(&ip.to_bits())
}

/// The name of the socket's service; where there is none, its port as text. A local socket's is its path.
pub fn service_text(
    session: &Session,
    name: &SocketName<'_>,
    flags: Flags,
) -> Result<NameText, Error> {
    let mut text = Out(NameText::new());
    match name {
        SocketName::Local(path) => append_text(&mut text.0, path)?,
        SocketName::Inet(_, port) => {
            let protocol: &[u8] = if flags.datagram { b"udp" } else { b"tcp" };
            let services = session.services()?;
            match services.name(*port, Some(protocol)) {
                Some(name) if !flags.numeric_service => append_text(&mut text.0, name)?,
                _ => write!(text, "{port}").map_err(|_| NoMemory)?,
            }
        }
    }
    Ok(text.0)
}
