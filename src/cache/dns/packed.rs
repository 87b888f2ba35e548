//! Addresses in as few octets as they need: most lists are of one family, and without zones.

use crate::base::address::Address;
use core::net::IpAddr;
use smallvec::{Array, SmallVec};

/// How the addresses of a list are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// IPv4: four octets each.
    V4,
    /// IPv6 without a zone: sixteen.
    V6,
    /// Any: the family, sixteen octets, of which IPv4 takes the first four, and the zone.
    Any,
}

/// What begins an IPv4 address among [`Form::Any`]; one of IPv6 begins with another octet.
const IS_V4: u8 = 4;
const IS_V6: u8 = 6;

impl Form {
    pub(super) fn of(list: &[Address]) -> Form {
        if list.iter().all(|address| address.scope == 0 && address.is_ipv4()) {
            Form::V4
        } else if list.iter().all(|address| address.scope == 0 && !address.is_ipv4()) {
            Form::V6
        } else {
            Form::Any
        }
    }

    /// Octets of an address.
    pub(super) fn width(self) -> usize {
        match self {
            Form::V4 => 4,
            Form::V6 => 16,
            Form::Any => 21,
        }
    }

    /// Appends an address of a list of this form; `out` has the room.
    pub(super) fn write<A: Array<Item = u8>>(self, address: &Address, out: &mut SmallVec<A>) {
        if self == Form::Any {
            out.push(if address.is_ipv4() { IS_V4 } else { IS_V6 });
        }
        match address.ip {
            IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
            IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
        }
        if self == Form::Any {
            if address.is_ipv4() {
                out.extend_from_slice(&[0; 12]);
            }
            out.extend_from_slice(&address.scope.to_ne_bytes());
        }
    }

    fn read(self, octets: &[u8]) -> Option<Address> {
        Some(match self {
            Form::V4 => Address::new(octets.first_chunk::<4>().copied()?.into()),
            Form::V6 => Address::new(octets.first_chunk::<16>().copied()?.into()),
            Form::Any => {
                let (&family, rest) = octets.split_first()?;
                let form = if family == IS_V4 { Form::V4 } else { Form::V6 };
                let scope = u32::from_ne_bytes(rest.last_chunk().copied()?);
                Address { scope, ..form.read(rest)? }
            }
        })
    }
}

/// Addresses as the cache holds them.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a> {
    pub(super) form: Form,
    pub(super) octets: &'a [u8],
}

impl Packed<'_> {
    /// The addresses.
    pub fn iter(&self) -> impl Iterator<Item = Address> {
        let form = self.form;
        self.octets.chunks_exact(form.width()).filter_map(move |octets| form.read(octets))
    }
}

#[cfg(test)]
mod tests {
    use crate::cache::dns::packed::*;

    #[test]
    fn what_is_written_is_read_again() {
        let address = |text: &str, scope| Address { ip: text.parse().unwrap(), scope };
        let (v4, v6) = (address("192.0.2.1", 0), address("2001:db8::1", 0));
        let zoned = address("fe80::1", 7);
        for (list, form) in [
            (&[][..], Form::V4),
            (&[v4, address("198.51.100.255", 0)], Form::V4),
            (&[v6, address("::ffff:192.0.2.1", 0)], Form::V6),
            (&[v6, zoned], Form::Any),
            (&[v4, zoned, v6], Form::Any),
        ] {
            let mut octets = SmallVec::<[u8; 64]>::new();
            list.iter().for_each(|address| form.write(address, &mut octets));
            assert_eq!((Form::of(list), octets.len()), (form, list.len() * form.width()));
            let packed = Packed { form, octets: &octets };
            assert_eq!(packed.iter().collect::<Vec<_>>(), list);
        }
    }
}
