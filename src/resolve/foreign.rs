//! `foreign libc`: a name that none of our services knew, where nsswitch.conf also lists a service
//! that isn't ours, goes to the next `getaddrinfo` in link order. Where torsocks is in the process, every name
//! that needs the network goes to torsocks.

use crate::base::address::{Address, inet_aton};
use crate::base::answer::Found;
use crate::base::error::Failure;
use crate::base::text::append_text;
use crate::rules::query::Family;
use crate::sys::mem::{NoMemory, TryPush};
use crate::sys::next_library::{self, Refusal, Told};
use core::net::IpAddr;

/// Asks the next library for `node`.
///
/// # Errors
/// [`Failure::NoName`] where there is no next library, or it doesn't know the name.
pub fn look_up(node: &[u8], family: Family) -> Result<Found, Failure> {
    let family = match family {
        Family::Any => 0,
        Family::V4 => 4,
        Family::V6 => 6,
    };
    let mut found = Found::default();
    next_library::look_up(node, family, &mut |told| add(&mut found, told)).map_err(failure)?;
    // torsocks asks libc for the address that it has found.
    if inet_aton(&found.canonical).is_some() {
        found.canonical.clear();
        append_text(&mut found.canonical, node)?;
    }
    Ok(found)
}

/// Asks torsocks for the host that has `ip`, which it knows for IPv4.
///
/// # Errors
/// [`Failure::NoName`] where it has no function for that, or doesn't know the address.
pub fn look_up_address(ip: IpAddr) -> Result<Found, Failure> {
    let IpAddr::V4(v4) = ip else { return Err(Failure::NoName) };
    let mut found = Found::default();
    next_library::look_up_address(v4, &mut |told| add(&mut found, told)).map_err(failure)?;
    found.addresses.try_push(Address::new(ip))?;
    Ok(found)
}

/// Adds what is told.
pub fn add(found: &mut Found, told: Told<'_>) -> Result<(), NoMemory> {
    match told {
        Told::Address(ip, scope) => found.addresses.try_push(Address { ip, scope }),
        Told::Name(name) => append_text(&mut found.canonical, name),
    }
}

fn failure(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Again => Failure::Again,
        Refusal::NoMemory => Failure::Memory,
        Refusal::NoName | Refusal::Code(_) => Failure::NoName,
    }
}
