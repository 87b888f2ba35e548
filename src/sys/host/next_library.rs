//! The next library's `getaddrinfo`, by the C file.

pub use super::told::{Refusal, Tell, Told};

use super::socket::decode;
use crate::sys::host::calls;
use core::net::{Ipv4Addr, SocketAddr};

/// Room for 64 addresses and a name.
const ROOM: usize = 64 * ADDRESS + 1025;
/// 16 octets of address, scope, port, family (portable/addresses.c).
const ADDRESS: usize = 24;

/// Asks it for the addresses of `node`, of family 4 or 6, or 0 for both, and for the canonical name.
pub fn look_up(node: &[u8], family: u8, tell: Tell<'_>) -> Result<(), Refusal> {
    let mut place = [0; ROOM];
    let (text, len, room) = (node.as_ptr(), node.len(), place.len());
    // SAFETY: both are valid for their lengths.
    let result =
        unsafe { calls::foreign_look_up(text, len, family.into(), place.as_mut_ptr(), room) };
    let Ok(result) = usize::try_from(result) else {
        return Err(match result {
            -2 => Refusal::Again,
            -3 => Refusal::NoMemory,
            _ => Refusal::NoName,
        });
    };
    let (count, name_len) = (result & 0xffff, result >> 16);
    let (addresses, rest) = place.split_at_checked(count * ADDRESS).ok_or(Refusal::NoName)?;
    let (addresses, _) = addresses.as_chunks();
    for address in addresses {
        tell(match decode(address) {
            SocketAddr::V4(v4) => Told::Address((*v4.ip()).into(), 0),
            SocketAddr::V6(v6) => Told::Address((*v6.ip()).into(), v6.scope_id()),
        })?;
    }
    tell(Told::Name(rest.get(..name_len).unwrap_or_default()))?;
    Ok(())
}

/// Beside torsocks: that has a way back for the names of the functions that a program calls, not for ours.
pub fn look_up_address(_: Ipv4Addr, _: Tell<'_>) -> Result<(), Refusal> {
    Err(Refusal::NoName)
}
