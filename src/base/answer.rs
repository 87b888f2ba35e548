//! What answers say: addresses and names.

use super::address::Address;
use super::name::Name;
use super::text::NameText;
use smallvec::SmallVec;

/// Addresses in the order of the answer. Most names have few: these need no allocation.
pub type Addresses = SmallVec<[Address; 8]>;

/// What an answer with a response code of NOERROR or NXDOMAIN says.
pub enum Answer<T> {
    /// It has what was asked for.
    Found(T),
    /// The name exists, and has no record of the type (NODATA, RFC 2308 section 2.2).
    NoData,
    /// The name does not exist (NXDOMAIN).
    NoName,
    /// There are records in it, but none that answer the question: NODATA too, where they are the aliases
    /// that lead to a name without such records.
    Unrelated,
}

impl<T> Answer<T> {
    /// True where it has what was asked for.
    pub fn is_found(&self) -> bool {
        matches!(self, Answer::Found(_))
    }
}

/// The addresses of a name.
pub struct AddressSet {
    /// In the order of the answer; at least one.
    pub addresses: Addresses,
    /// The name at the end of the aliases that is a host name; the question's own without any.
    pub canonical: Name,
    /// The host names that led to it, the question's own first, each ended by NUL.
    pub aliases: NameText,
}

/// The addresses of a node.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order of the source; at least one.
    pub addresses: Addresses,
    /// The canonical name.
    pub canonical: NameText,
    /// How many seconds this stays true, where the source says so.
    pub ttl: Option<u32>,
    /// Its other names, each ended by NUL.
    pub aliases: NameText,
}
