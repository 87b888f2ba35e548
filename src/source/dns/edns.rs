//! EDNS (RFC 6891): the OPT record of queries and answers.

use super::message::Message;
use crate::base::record_type;
use crate::cache::cookie::Cookie;

/// The UDP payload that we say we take, as libc does: what passes without fragments nearly everywhere
/// (RFC 9715 has 1232 at most).
pub const PAYLOAD: u16 = 1200;
/// DO: signatures, please (RFC 3225).
const DNSSEC_OK: u8 = 0x80;
/// The option that has a cookie (RFC 7873 section 4).
const COOKIE: u16 = 10;
/// The longest OPT record of a query: with a cookie.
pub(super) const MAX_OPT: usize = 11 + 4 + crate::cache::cookie::MAX;

/// BADVERS (RFC 6891 section 9): the server does not speak our version of EDNS.
const BADVERS: u16 = 16;
/// BADCOOKIE (RFC 7873 section 8): the four bits of the header are its lower ones.
const BADCOOKIE: u16 = 23;

/// Tells `put` the octets of a query's OPT record.
pub(super) fn write_opt(dnssec: bool, cookie: Option<&Cookie>, put: &mut dyn FnMut(&[u8])) {
    let [p0, p1] = PAYLOAD.to_be_bytes();
    let data = cookie.map_or(&[][..], Cookie::octets);
    // At most MAX_OPT.
    let option = if data.is_empty() { 0 } else { 4 + data.len() as u8 };
    let dnssec_ok = if dnssec { DNSSEC_OK } else { 0 };
    put(&[0, 0, record_type::OPT as u8, p0, p1, 0, 0, dnssec_ok, 0, 0, option]);
    if !data.is_empty() {
        put(&[0, COOKIE as u8, 0, data.len() as u8]);
        put(data);
    }
}

/// What an answer's OPT record says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Edns<'a> {
    /// The response code with the bits that the header has no room for; the header's alone without EDNS.
    rcode: u16,
    /// The data of the cookie option.
    pub(super) cookie: Option<&'a [u8]>,
}

impl<'a> Edns<'a> {
    pub(super) fn of(message: &Message<'a>) -> Edns<'a> {
        let header = u16::from(message.rcode());
        if message.additional_count() == 0 {
            return Edns { rcode: header, cookie: None };
        }
        let opt = message.additional().find(|record| record.record_type == record_type::OPT);
        let Some(opt) = opt else { return Edns { rcode: header, cookie: None } };
        let mut rest = opt.data;
        let mut cookie = None;
        while let Some((&[c0, c1, l0, l1], after)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            let Some((data, after)) = after.split_at_checked(length) else { break };
            if u16::from_be_bytes([c0, c1]) == COOKIE {
                cookie = cookie.or(Some(data));
            }
            rest = after;
        }
        let [upper, ..] = opt.ttl_as_sent.to_be_bytes();
        Edns { rcode: u16::from(upper) << 4 | header, cookie }
    }

    /// The server speaks another version of EDNS than ours, which is the first one.
    pub(super) fn is_bad_version(&self) -> bool {
        self.rcode == BADVERS
    }

    /// A response code that the header has no room for: what stands there is only its end.
    pub(super) fn extended_rcode(&self) -> Option<u8> {
        (self.rcode > 0xf).then(|| u8::try_from(self.rcode).unwrap_or(u8::MAX))
    }

    /// The server wants its cookie, or another one.
    pub(super) fn is_bad_cookie(&self) -> bool {
        self.rcode == BADCOOKIE
    }
}
