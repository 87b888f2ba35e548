//! Queries as `res_mkquery(3)` writes them, octet by octet into the caller's buffer.

use crate::base::name::{Name, NameError};
use crate::base::record_type;
use crate::config::resolv::Options;
use crate::source::dns::edns::PAYLOAD;
use crate::source::dns::message::Message;
use crate::sys::process;

/// The header's length.
pub const HEADER: usize = 12;
/// Room for every query of ours: header, the longest name, type and class, the OPT record.
pub const MAX: usize = HEADER + 255 + 4 + OPT;
const OPT: usize = 11;

/// The opcode of a standard query (RFC 1035 section 4.1.1).
pub const QUERY: i32 = 0;
/// The opcode of NOTIFY (RFC 1996).
pub const NOTIFY: i32 = 4;

/// The most that is said to be taken over UDP, and the least (RFC 6891 section 6.2.3).
const MOST_PAYLOAD: usize = PAYLOAD as usize;
const LEAST_PAYLOAD: usize = 512;

/// What a query asks, in the numbers of C callers.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// [`QUERY`] or [`NOTIFY`]; others are not written.
    pub op: i32,
    /// The class.
    pub class: i32,
    /// The type.
    pub qtype: i32,
}

/// Why a query isn't written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// The form has a number that no query has, or the kernel gives no random number for the id.
    Invalid,
    /// The name is none, or `out` too short for it.
    NoRoom,
}

/// Writes a query for the name; returns its length.
pub fn write(
    name: Result<Name, NameError>,
    form: Form,
    options: &Options,
    out: &mut [u8],
) -> Result<usize, Unwritten> {
    let number = |number: i32| u16::try_from(number).map_err(|_| Unwritten::Invalid);
    let (class, qtype) = (number(form.class)?.to_be_bytes(), number(form.qtype)?.to_be_bytes());
    if form.op != QUERY && form.op != NOTIFY {
        return Err(Unwritten::Invalid);
    }
    let mut id = [0; 2];
    if out.len() < HEADER + qtype.len() + class.len() || !process::random(&mut id) {
        return Err(Unwritten::Invalid);
    }
    let name = name.map_err(|_| Unwritten::NoRoom)?;
    let flags = [
        (form.op as u8) << 3 | u8::from(!options.no_recursion),
        if options.trust_ad { 0x20 } else { 0 },
    ];
    let counts = [0, 1, 0, 0, 0, 0, 0, 0];
    let mut length = 0;
    for part in [&id[..], &flags, &counts, name.wire(), &qtype, &class] {
        let end = length + part.len();
        out.get_mut(length..end).ok_or(Unwritten::NoRoom)?.copy_from_slice(part);
        length = end;
    }
    Ok(length)
}

/// Appends the OPT record (RFC 6891 section 6.1.2) to a query of `length` octets where the options want
/// one, and says that UDP answers as long as the caller's buffer are taken; returns the new length.
pub fn add_opt(query: &mut [u8; MAX], length: usize, room: usize, options: &Options) -> usize {
    if !options.edns0 && !options.dnssec {
        return length;
    }
    let [kind0, kind1] = record_type::OPT.to_be_bytes();
    let [payload0, payload1] = (room.clamp(LEAST_PAYLOAD, MOST_PAYLOAD) as u16).to_be_bytes();
    // DO: signatures, please (RFC 3225).
    let dnssec_ok = if options.dnssec { 0x80 } else { 0 };
    let opt: [u8; OPT] = [0, kind0, kind1, payload0, payload1, 0, 0, dnssec_ok, 0, 0, 0];
    let Some(place) = query.get_mut(length..length + OPT) else { return length };
    place.copy_from_slice(&opt);
    if let Some(additional) = query.get_mut(HEADER - 1) {
        *additional = 1;
    }
    length + OPT
}

/// The question about A that is sent in place of one about AAAA under `no-aaaa` (resolv.conf(5)), so
/// that it is known whether the name exists; without EDNS. `None` for any other message.
pub fn about_a<'q>(query: &[u8], out: &'q mut [u8; MAX]) -> Option<&'q [u8]> {
    let [_, _, flags, rcode, counts @ .., _, _] = query.first_chunk::<HEADER>()?;
    // A standard query with one question, and records at most in the additional section.
    if flags & 0xf8 != 0 || rcode & 0x0f != 0 || *counts != [0, 1, 0, 0, 0, 0] {
        return None;
    }
    let question = Message::parse(query)?.question_part();
    let (name, kind) = question.split_last_chunk::<4>()?;
    let [aaaa0, aaaa1] = record_type::AAAA.to_be_bytes();
    if *kind != [aaaa0, aaaa1, 0, 1] {
        return None;
    }
    let [a0, a1] = record_type::A.to_be_bytes();
    let out = out.get_mut(..question.len())?;
    let (out_name, out_kind) = out.split_at_mut_checked(name.len())?;
    out_name.copy_from_slice(name);
    out_kind.copy_from_slice(&[a0, a1, 0, 1]);
    out_name.get_mut(HEADER - 2..HEADER)?.fill(0);
    Some(out)
}
