//! Calls of the `gethostbyname` family, and of the NSS module. Their answers are hosts.

use super::calls::{family_of, octets};
use super::reply::{Reply, decode, failure};
use crate::base::answer::Found;
use crate::base::error::Failure;
use crate::config::nsswitch::Service;
use crate::context::call::Session;
use crate::resolve::{forward, host};
use crate::sys::mem::NoMemory;

fn returned(result: Result<Found, Failure>) -> i32 {
    result.and_then(|found| Ok(leave(&found)?)).map_or_else(failure, |()| 0)
}

fn leave(found: &Found) -> Result<(), NoMemory> {
    Reply::default().host(found)?.leave();
    Ok(())
}

/// A name that is a number: -1 where it is none.
///
/// # Safety
/// The name lies in the room.
#[unsafe(no_mangle)]
unsafe extern "C" fn host_by_number(name: *const u8, len: u32, family: u32) -> i32 {
    // SAFETY: by the function's contract.
    host::numeric(unsafe { octets(name, len) }, family_of(family)).map_or(-1, returned)
}

/// A host by one of its names.
///
/// # Safety
/// The name lies in the room.
#[unsafe(no_mangle)]
unsafe extern "C" fn host_by_name(name: *const u8, len: u32, family: u32) -> i32 {
    // SAFETY: by the function's contract.
    let name = unsafe { octets(name, len) };
    returned(session().and_then(|session| host::by_name(&session, name, family_of(family))))
}

/// A host by its address.
///
/// # Safety
/// The address lies in the room, in its form.
#[unsafe(no_mangle)]
unsafe extern "C" fn host_by_address(address: *const [u8; 24]) -> i32 {
    // SAFETY: by the function's contract.
    let (address, _) = decode(unsafe { &*address });
    returned(session().and_then(|session| host::by_address(&session, address.ip)))
}

/// What the DNS alone says of a name.
///
/// # Safety
/// The name lies in the room.
#[unsafe(no_mangle)]
unsafe extern "C" fn dns_by_name(name: *const u8, len: u32, family: u32) -> i32 {
    // SAFETY: by the function's contract.
    let name = unsafe { octets(name, len) };
    let ask = |session: Session| {
        session.counted(forward::ask(&session, &Service::Dns, name, family_of(family)))
    };
    returned(session().and_then(ask))
}

/// What the DNS alone says of an address.
///
/// # Safety
/// The address lies in the room, in its form.
#[unsafe(no_mangle)]
unsafe extern "C" fn dns_by_address(address: *const [u8; 24]) -> i32 {
    // SAFETY: by the function's contract.
    let (address, _) = decode(unsafe { &*address });
    let ask =
        |session: Session| session.counted(host::ask_address(&session, &Service::Dns, address.ip));
    returned(session().and_then(ask))
}

/// The next host of the hosts file. It is the next one again unless [`host_entry_taken`] is called.
#[unsafe(no_mangle)]
extern "C" fn host_entry() -> i32 {
    let result = session().and_then(|session| {
        let mut left = Ok(());
        let mut look = |found: &Found| -> Option<()> {
            left = leave(found);
            None
        };
        host::next_entry(&session, &mut look)?;
        Ok(left?)
    });
    result.map_or_else(failure, |()| 0)
}

/// Goes on behind the host.
#[unsafe(no_mangle)]
extern "C" fn host_entry_taken() {
    if let Ok(session) = Session::begin() {
        // It was there a moment ago.
        let _ = host::next_entry(&session, &mut |_| Some(()));
    }
}

/// Back to the beginning of the hosts file.
#[unsafe(no_mangle)]
extern "C" fn host_entry_rewind() {
    if let Ok(session) = Session::begin() {
        host::rewind(&session);
    }
}

fn session() -> Result<Session, Failure> {
    Ok(Session::begin()?)
}
