//! `foreign libc`: a name that none of our services knew goes to the next library.

use super::reply::decode;
use crate::lookup::query::Family;
use crate::mem::TryPush;
use crate::source::{Failure, Found, append_text};

#[link(wasm_import_module = "rustdns_sys")]
unsafe extern "C" {
    /// Asks for a name's addresses of a family (0: both). They are written to the place, as many as
    /// fit, and behind them the canonical name; the addresses' number comes back with the name's
    /// length in the upper half, or a fault: -1 no name, -2 again, -3 no memory.
    fn foreign_look_up(
        node: *const u8,
        len: usize,
        family: u32,
        place: *mut u8,
        room: usize,
    ) -> i32;
}

/// Beside torsocks: that has a way back for the names of the functions that a program calls, not for ours.
///
/// # Errors
/// [`Failure::NoName`], always.
pub fn look_up_address(_ip: core::net::IpAddr) -> Result<Found, Failure> {
    Err(Failure::NoName)
}

/// Room for 64 addresses and a name.
const ROOM: usize = 64 * 24 + 1025;

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
    let mut place = [0; ROOM];
    // SAFETY: both are valid for their lengths.
    let result = unsafe {
        foreign_look_up(node.as_ptr(), node.len(), family, place.as_mut_ptr(), place.len())
    };
    let Ok(result) = usize::try_from(result) else {
        return Err(match result {
            -2 => Failure::Again,
            -3 => Failure::Memory,
            _ => Failure::NoName,
        });
    };
    let (count, name_len) = (result & 0xffff, result >> 16);
    let (addresses, rest) = place.split_at_checked(count * 24).ok_or(Failure::NoName)?;
    let mut found = Found::default();
    let (addresses, _) = addresses.as_chunks();
    for address in addresses {
        found.addresses.try_push(decode(address).0)?;
    }
    append_text(&mut found.canonical, rest.get(..name_len).unwrap_or_default())?;
    Ok(found)
}
