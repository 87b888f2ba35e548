//! What the program has in `_res`, or in the state that it calls with: the C file knows the structure
//! (resolv.h) and reads the parts that matter.

pub use super::plain_state::{INIT, MAX_SERVERS, Plain, SEARCH_ROOM};

use super::socket::decode;
use crate::sys::capacity;
use core::cell::UnsafeCell;

#[link(wasm_import_module = "rustdns_sys")]
unsafe extern "C" {
    /// 1 where the state has been filled, by us or by the program.
    fn state_is_filled() -> i32;
    /// Writes it: options, ndots, timeout, attempts, the number of servers, each in four octets;
    /// the servers in their form; the domains, each ended by NUL. How much it wrote.
    fn state_read(place: *mut u8, room: usize) -> usize;
}

/// Room for three servers and seven domains, which are names.
const ROOM: usize = 4096;

struct Place(UnsafeCell<[u8; ROOM]>);

// SAFETY: an instance has one thread.
unsafe impl Sync for Place {}

/// Where the domains lie while a call goes by them.
static PLACE: Place = Place(UnsafeCell::new([0; ROOM]));

/// True where the state has been filled, by us or by the program.
pub fn is_filled() -> bool {
    // SAFETY: no preconditions.
    unsafe { state_is_filled() != 0 }
}

/// What the state says; `None` where neither we nor the program have filled it. It is good until the
/// state is read again.
pub fn of_this_thread<'a>() -> Option<Plain<'a>> {
    if is_filled() { read() } else { None }
}

/// What the state says, filled or not.
pub fn read<'a>() -> Option<Plain<'a>> {
    let place = PLACE.0.get();
    // SAFETY: nobody else writes there; what an earlier call has read is not looked at any more, for
    // a call reads the state once.
    let octets: &'a [u8] = unsafe {
        let len = state_read(place.cast(), ROOM);
        (*place).get(..len)?
    };
    let (numbers, rest) = octets.split_first_chunk::<20>()?;
    let (numbers, _) = numbers.as_chunks();
    let &[bits, ndots, timeout, attempts, count] = numbers else { return None };
    let mut found = Plain {
        options: u32::from_le_bytes(bits),
        ndots: u32::from_le_bytes(ndots) as u8, // four bits of it
        timeout: u32::from_le_bytes(timeout),
        attempts: u32::from_le_bytes(attempts),
        ..Plain::default()
    };
    let count = u32::from_le_bytes(count) as usize;
    let (servers, domains) = rest.split_at_checked(count.checked_mul(24)?)?;
    let (servers, _) = servers.as_chunks();
    for server in servers {
        // At most three: as many as there is room for.
        capacity::push(&mut found.servers, decode(server));
    }
    for domain in domains.split_inclusive(|&octet| octet == 0) {
        // At most seven: as many as there is room for.
        capacity::push(&mut found.search, domain.strip_suffix(b"\0").unwrap_or(domain));
    }
    Some(found)
}
