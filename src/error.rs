//! Why a lookup has no answer. The numbers that C callers know (`EAI_*`, `h_errno`, `nss_status`)
//! are made from these in `abi`, in one table each.

use crate::mem::NoMemory;

/// Why a call to `getaddrinfo`, `getnameinfo` or one of their relatives failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Neither node nor service was given, the name does not exist, or it is no name: `EAI_NONAME`.
    NoName,
    /// The name exists but has no address of the family asked for: `EAI_NODATA`.
    NoData,
    /// The numeric address is of another family than asked for: `EAI_ADDRFAMILY`.
    AddrFamily,
    /// No server answered in time, or every one that did had trouble: `EAI_AGAIN`.
    Again,
    /// What the servers answer is not what the zone has signed: `EAI_FAIL`.
    Fail,
    /// `ai_family` is not supported: `EAI_FAMILY`.
    Family,
    /// `ai_socktype` is not supported: `EAI_SOCKTYPE`.
    SockType,
    /// The service is unknown for this socket type: `EAI_SERVICE`.
    Service,
    /// `ai_flags` has unknown bits or contradicts itself: `EAI_BADFLAGS`.
    BadFlags,
    /// Memory is exhausted: `EAI_MEMORY`.
    Memory,
    /// A caller's buffer is too small: `EAI_OVERFLOW`.
    Overflow,
    /// The name can't be converted to or from IDNA form: `EAI_IDN_ENCODE`.
    IdnEncode,
    /// A system call failed with this `errno`: `EAI_SYSTEM`.
    System(i32),
}

impl From<NoMemory> for Error {
    fn from(_: NoMemory) -> Error {
        Error::Memory
    }
}
