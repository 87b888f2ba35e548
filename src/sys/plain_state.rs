//! What a resolver state (`_res`, resolver(3)) says, in plain numbers.

use core::net::SocketAddr;
use smallvec::SmallVec;

/// How many servers a state has room for (`MAXNS`).
pub const MAX_SERVERS: usize = 3;
/// How many domains it has pointers for: `MAXDNSRCH`, and one for the null pointer at the end.
pub const SEARCH_ROOM: usize = 7;
/// `RES_INIT`: the state has been filled.
pub const INIT: u32 = 1;

/// What a state says.
#[derive(Debug, Default)]
pub struct Plain<'a> {
    /// Its options, `RES_*` of resolv.h.
    pub options: u32,
    /// `ndots`.
    pub ndots: u8,
    /// `retrans`, in seconds.
    pub timeout: u32,
    /// `retry`.
    pub attempts: u32,
    /// Its servers.
    pub servers: SmallVec<[SocketAddr; MAX_SERVERS]>,
    /// Its search list.
    pub search: SmallVec<[&'a [u8]; SEARCH_ROOM]>,
}
