//! Why a lookup has no answer. The numbers that C callers know (`EAI_*`, `h_errno`, `nss_status`)
//! are made from these in `abi`, in one table each.

use super::rcode::RcodeName;
use crate::sys::Fault;
use crate::sys::mem::NoMemory;
use core::fmt;

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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::NoName => "no such name",
            Error::NoData => "the name has no such address",
            Error::AddrFamily => "an address of the other family",
            Error::Again => "no server gave an answer",
            Error::Fail => "the servers' records are not what the zone has signed",
            Error::Family => "no such address family",
            Error::SockType => "no such socket type",
            Error::Service => "no such service for this socket type",
            Error::BadFlags => "no such flags",
            Error::Memory => "memory is exhausted",
            Error::Overflow => "the caller's buffer is too small",
            Error::IdnEncode => "the name has no form in IDNA",
            Error::System(errno) => return write!(f, "a system call failed (errno {errno})"),
        })
    }
}

impl From<NoMemory> for Error {
    fn from(_: NoMemory) -> Error {
        Error::Memory
    }
}

/// Why a source has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It doesn't know the name.
    NoName,
    /// It knows the name, but no address of the family asked for.
    NoData,
    /// Its servers had trouble that may pass.
    Again,
    /// It says itself that it may know later.
    Later,
    /// It can't be asked: not there, not ours, switched off.
    Unavailable,
    /// Its server sent records of which none answers the question.
    Unrelated,
    /// Its server could make nothing of the question, or the name can't be asked for.
    Refused,
    /// What its servers sent is not what the zone has signed (`dnssec validate`).
    Bogus,
    /// There is no service that could be asked; the `errno` that goes with it.
    NoService(i32),
    /// Memory is exhausted.
    Memory,
    /// A system call failed with this `errno`.
    System(i32),
}

impl Failure {
    /// What the caller is told if nothing else knows the name either.
    pub fn error(self) -> Error {
        match self {
            Failure::NoName | Failure::Unavailable | Failure::Unrelated | Failure::Refused => {
                Error::NoName
            }
            Failure::NoData => Error::NoData,
            Failure::Again | Failure::Later => Error::Again,
            Failure::Bogus => Error::Fail,
            Failure::Memory => Error::Memory,
            Failure::NoService(errno) | Failure::System(errno) => Error::System(errno),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::NoName | Failure::NoData | Failure::Again | Failure::Memory => {
                return self.error().fmt(f);
            }
            Failure::Later => "its servers have trouble that may pass",
            Failure::Unavailable => "can't be asked",
            Failure::Unrelated => "the server's records answer something else",
            Failure::Refused => "the server could make nothing of it",
            Failure::Bogus => "the server's records are not what the zone has signed",
            Failure::NoService(_) => "nobody to ask",
            Failure::System(_) => "a system call failed",
        })
    }
}

impl From<NoMemory> for Failure {
    fn from(_: NoMemory) -> Failure {
        Failure::Memory
    }
}

/// Why there is no answer, as `h_errno` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// `NETDB_INTERNAL`: see `errno`.
    Internal,
    /// `HOST_NOT_FOUND`.
    NotFound,
    /// `TRY_AGAIN`.
    TryAgain,
    /// `NO_RECOVERY`.
    NoRecovery,
    /// `NO_DATA`.
    NoData,
}

impl HostError {
    /// Its number in netdb.h, the same in every Unix.
    pub const fn number(self) -> i32 {
        match self {
            HostError::Internal => -1,
            HostError::NotFound => 1,
            HostError::TryAgain => 2,
            HostError::NoRecovery => 3,
            HostError::NoData => 4,
        }
    }
}

/// Why a server gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It didn't answer in time.
    Silent,
    /// Its host refuses, or can't be reached.
    Unreachable,
    /// It answered with this response code: SERVFAIL, REFUSED, NOTIMP, FORMERR or a rarer one.
    Rcode(u8),
    /// It answered with nothing, not even a referral that we could use.
    Lame,
    /// It closed the connection, or what it sent was cut.
    Broken,
    /// What it answered is not what the zone has signed.
    Bogus,
    /// This process can't ask: the system call's fault.
    Local(Fault),
    /// The thread that asks was cancelled: nothing is known of any server.
    Cancelled,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trouble::Silent => "no answer in time",
            Trouble::Unreachable => "unreachable",
            Trouble::Rcode(code) => return RcodeName(*code).fmt(f),
            Trouble::Lame => "neither an answer nor a referral",
            Trouble::Broken => "the connection or the answer was cut off",
            Trouble::Bogus => "not what the zone has signed",
            Trouble::Local(fault) => {
                return write!(f, "a system call failed (errno {})", fault.errno());
            }
            Trouble::Cancelled => "the thread was cancelled",
        })
    }
}
