//! The addresses of this host's interfaces, as the kernel tells them (rtnetlink(7)).

use super::files;
use super::netlink::{self, ListError};
use core::net::IpAddr;

/// One address of one of this host's interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The address.
    pub ip: IpAddr,
    /// Length of its subnet's prefix, in bits.
    pub prefix_len: u8,
    /// Index of the interface.
    pub interface: u32,
    /// How far it reaches, by the kernel's numbers: 0 everywhere, 253 the link, 254 this host.
    pub scope: u8,
    /// Past its preferred lifetime (RFC 4862), or used while it is being checked for duplicates.
    pub deprecated: bool,
    /// Not used yet: it is being checked for duplicates.
    pub tentative: bool,
    /// Temporary (RFC 8981).
    pub temporary: bool,
    /// A Mobile IPv6 home address (RFC 6275).
    pub home: bool,
}

// Of linux/rtnetlink.h and if_addr.h: kernel ABI, the same on every architecture.
pub(crate) const NEW_LINK: u16 = 16;
pub(crate) const GET_LINK: u16 = 18;
pub(crate) const NEW_ADDRESS: u16 = 20;
pub(crate) const GET_ADDRESS: u16 = 22;
pub(crate) const ATTRIBUTE_ADDRESS: u16 = 1;
pub(crate) const ATTRIBUTE_LOCAL: u16 = 2;
pub(crate) const ATTRIBUTE_FLAGS: u16 = 8;
pub(crate) const CARRIER_CHANGES: u16 = 35;
pub(crate) const FLAG_TEMPORARY: u32 = 0x01;
pub(crate) const FLAG_HOME: u32 = 0x10;
pub(crate) const FLAG_TENTATIVE: u32 = 0x40;
pub(crate) const INET: u8 = 2;
pub(crate) const INET6: u8 = 10;
// Of net/if.h, likewise.
pub(crate) const IFF_UP: i32 = 0x1;
pub(crate) const IFF_LOOPBACK: i32 = 0x8;
pub(crate) const IFF_POINT_TO_POINT: i32 = 0x10;
pub(crate) const IFF_MULTICAST: i32 = 0x1000;
/// The flags of an interface that are looked at.
const LINK_FLAGS: i32 = IFF_UP | IFF_MULTICAST | IFF_LOOPBACK | IFF_POINT_TO_POINT;
/// `RT_SCOPE_HOST`: addresses that are not known outside this host, and (above it) nowhere.
pub(crate) const SCOPE_HOST: u8 = 254;
/// `RT_SCOPE_LINK`: addresses that are not known beyond the link, and (above it) beyond this host.
pub(crate) const SCOPE_LINK: u8 = 253;
/// `IFA_F_DEPRECATED` and `IFA_F_OPTIMISTIC`.
pub(crate) const FLAGS_DEPRECATED: u32 = 0x20 | 0x04;

/// Tells `each` every address of this host, in the kernel's order: one netlink dump.
pub fn addresses(each: &mut dyn FnMut(InterfaceAddress)) -> Result<(), ListError> {
    netlink::dump(GET_ADDRESS, netlink::IFADDRMSG, &mut |kind, message| {
        if kind == NEW_ADDRESS
            && let Some(address) = read_address(message)
        {
            each(address);
        }
    })
}

/// Tells `each` the index of every interface that is up and takes multicast, loopback and
/// point-to-point links left out; with how often its link has come or gone, where the kernel counts (Linux
/// 3.15).
pub fn multicast(each: &mut dyn FnMut(u32, u32)) -> Result<(), ListError> {
    netlink::dump(GET_LINK, netlink::IFINFOMSG, &mut |kind, message| {
        // An ifinfomsg: family, type, index, flags, a mask.
        if kind == NEW_LINK
            && let Some((&[_, _, _, _, i0, i1, i2, i3, f0, f1, f2, f3, ..], rest)) =
                message.split_first_chunk::<{ netlink::IFINFOMSG }>()
            && i32::from_ne_bytes([f0, f1, f2, f3]) & LINK_FLAGS == IFF_UP | IFF_MULTICAST
        {
            let changes = netlink::attributes(rest).find(|(kind, _)| *kind == CARRIER_CHANGES);
            let changes = changes.and_then(|(_, value)| value.try_into().ok());
            let index = u32::from_ne_bytes([i0, i1, i2, i3]);
            each(index, changes.map_or(0, u32::from_ne_bytes));
        }
    })
}

/// True where the kernel has IPv6, and it is not switched off for the whole host.
pub fn has_ipv6() -> bool {
    let disabled = || files::read(c"/proc/sys/net/ipv6/conf/all/disable_ipv6");
    files::identity(c"/proc/net/if_inet6").is_ok()
        && !disabled().is_ok_and(|(text, _)| text.starts_with(b"1"))
}

/// Reads one `ifaddrmsg` with its attributes.
pub(super) fn read_address(message: &[u8]) -> Option<InterfaceAddress> {
    let (&[family, prefix_len, flags, scope, i0, i1, i2, i3], rest) =
        message.split_first_chunk()?;
    let mut flags = u32::from(flags);
    let (mut address, mut local) = (None, None);
    for (kind, value) in netlink::attributes(rest) {
        match kind {
            ATTRIBUTE_ADDRESS => address = read_ip(family, value),
            ATTRIBUTE_LOCAL => local = read_ip(family, value),
            ATTRIBUTE_FLAGS => flags = u32::from_ne_bytes(value.try_into().ok()?),
            _ => {}
        }
    }
    Some(InterfaceAddress {
        // On a point-to-point link ADDRESS is the peer's, LOCAL ours.
        ip: local.or(address)?,
        prefix_len,
        interface: u32::from_ne_bytes([i0, i1, i2, i3]),
        scope,
        deprecated: flags & FLAGS_DEPRECATED != 0,
        tentative: flags & FLAG_TENTATIVE != 0,
        temporary: flags & FLAG_TEMPORARY != 0,
        home: flags & FLAG_HOME != 0,
    })
}

pub(super) fn read_ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        INET => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        INET6 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An address of this interface's, on a subnet of 24 bits, with nothing special about it.
    pub(crate) fn own(ip: &str, interface: u32) -> InterfaceAddress {
        InterfaceAddress {
            ip: ip.parse().unwrap(),
            prefix_len: 24,
            interface,
            scope: 0,
            deprecated: false,
            tentative: false,
            temporary: false,
            home: false,
        }
    }

    #[test]
    fn the_loopback_interface_has_its_address() {
        let lo = crate::sys::interfaces::index(b"lo").unwrap();
        let mut found = false;
        addresses(&mut |a| found |= a.interface == lo && a.ip.is_loopback()).unwrap();
        assert!(found);
    }
}
