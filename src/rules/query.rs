//! The question, free of libc's types: what `abi` makes of a C caller's arguments.

/// Which address families are wanted (`ai_family`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `AF_UNSPEC`: both.
    Any,
    /// `AF_INET`.
    V4,
    /// `AF_INET6`.
    V6,
}

/// `ai_socktype`. The numbers behind these differ between architectures (mips), so the
/// pipeline does not know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SockType {
    /// 0: any.
    Any,
    /// `SOCK_STREAM`.
    Stream,
    /// `SOCK_DGRAM`.
    Dgram,
    /// `SOCK_RAW`.
    Raw,
    /// `SOCK_SEQPACKET`.
    SeqPacket,
    /// `SOCK_DCCP`.
    Dccp,
    /// Any other number.
    Other,
}

/// What is asked of `getaddrinfo` besides node and service: `struct addrinfo *hints`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hints {
    /// `ai_flags`, one field each.
    pub flags: Flags,
    /// `ai_family`.
    pub family: Family,
    /// `ai_socktype`.
    pub socktype: SockType,
    /// `ai_protocol`: an `IPPROTO_*` number (IANA's, the same everywhere), 0 for any.
    pub protocol: i32,
}

/// `ai_flags`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `AI_PASSIVE`: without a node, the wildcard address instead of loopback.
    pub passive: bool,
    /// `AI_CANONNAME`: the canonical name on the first node.
    pub canonname: bool,
    /// `AI_NUMERICHOST`: the node is an address; never look it up.
    pub numeric_host: bool,
    /// `AI_NUMERICSERV`: the service is a number; never look it up.
    pub numeric_serv: bool,
    /// `AI_V4MAPPED`: IPv4 addresses as `::ffff:a.b.c.d` where IPv6 was asked for and is missing.
    pub v4_mapped: bool,
    /// `AI_ALL`: with `v4_mapped`, both kinds.
    pub all: bool,
    /// `AI_ADDRCONFIG`: only families for which this host has an address.
    pub addr_config: bool,
    /// `AI_IDN`: the node is in the locale's encoding; convert it to its IDNA form.
    pub idn: bool,
    /// `AI_CANONIDN`: convert the canonical name back.
    pub canon_idn: bool,
}
