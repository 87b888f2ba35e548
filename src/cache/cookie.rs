//! DNS cookies (RFC 7873, RFC 9018): 64 bits more for a forger to guess. A query carries a cookie of
//! ours, which the answer has to repeat; and the server's, once it has given one, by which it knows us.

use crate::sys::lock::Mutex;
use core::fmt;
use core::net::IpAddr;

/// The octets of our own part (RFC 7873 section 4).
pub const CLIENT: usize = 8;
/// The most octets of both parts.
pub const MAX: usize = CLIENT + 32;

/// What one query carries: our part, and behind it the server's where it is known.
#[derive(Clone, Copy)]
pub struct Cookie {
    octets: [u8; MAX],
    len: usize,
}

impl Cookie {
    /// Our part alone.
    fn new(client: [u8; CLIENT]) -> Cookie {
        let mut octets = [0; MAX];
        for (place, octet) in octets.iter_mut().zip(client) {
            *place = octet;
        }
        Cookie { octets, len: CLIENT }
    }

    /// Reads the option's data; `None` where its length is none that it may have.
    fn read(data: &[u8]) -> Option<Cookie> {
        if data.len() != CLIENT && !(2 * CLIENT..=MAX).contains(&data.len()) {
            return None;
        }
        let mut octets = [0; MAX];
        octets.get_mut(..data.len())?.copy_from_slice(data);
        Some(Cookie { octets, len: data.len() })
    }

    /// The option's data.
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }

    fn client(&self) -> &[u8] {
        self.octets.get(..CLIENT).unwrap_or_default()
    }

    /// True where the server's part is in it.
    pub fn has_server(&self) -> bool {
        self.len > CLIENT
    }

    /// The answer's cookie, of this data, where it is one to a query that carried `self`: its first part
    /// is ours (RFC 7873 section 5.3).
    pub fn returned(&self, data: &[u8]) -> Option<Cookie> {
        Cookie::read(data).filter(|cookie| cookie.client() == self.client())
    }
}

/// Cookies are secrets: not in a trace.
impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookie")
    }
}

/// The cookie for one server. It is as old as what else is known of the server: a child's is new, and so
/// is that of a new configuration.
#[derive(Debug, Default)]
pub struct Jar(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    cookie: Cookie,
    /// The address that it was sent from: another one gets another cookie, so that nobody can tell by
    /// it that the two are one host (RFC 9018 section 3).
    own: IpAddr,
}

impl Jar {
    /// The cookie for a query from `own`; a new one, of what `random` gives, where there is none yet.
    /// `None` without random numbers, and where other threads keep the jar busy.
    pub fn cookie(
        &self,
        own: IpAddr,
        random: impl FnOnce() -> Option<[u8; CLIENT]>,
    ) -> Option<Cookie> {
        let mut kept = self.0.lock()?;
        match &*kept {
            Some(kept) if kept.own == own => Some(kept.cookie),
            _ => {
                let cookie = Cookie::new(random()?);
                *kept = Some(Kept { cookie, own });
                Some(cookie)
            }
        }
    }

    /// Keeps what an answer has returned, unless our part has changed since.
    pub fn learn(&self, returned: &Cookie) {
        if let Some(mut kept) = self.0.lock()
            && let Some(kept) = &mut *kept
            && returned.has_server()
            && kept.cookie.client() == returned.client()
        {
            kept.cookie = *returned;
        }
    }

    /// True where the server has given its part: answers without a cookie are not to be expected.
    pub fn has_server(&self) -> bool {
        self.0.lock().is_some_and(|kept| kept.as_ref().is_some_and(|k| k.cookie.has_server()))
    }

    /// Forgets all: the server does not do cookies any more.
    pub fn forget(&self) {
        if let Some(mut kept) = self.0.lock() {
            *kept = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cache::cookie::*;

    const OWN: IpAddr = IpAddr::V4(core::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_server_has_one_cookie_for_each_address_of_ours() {
        let jar = Jar::default();
        let first = jar.cookie(OWN, || Some([1; 8])).unwrap();
        assert_eq!(first.octets(), [1; 8]);
        jar.learn(&first.returned(&[&[1; 8][..], &[2; 16]].concat()).unwrap());
        let second = jar.cookie(OWN, || panic!("there is one")).unwrap();
        assert_eq!(second.octets(), [&[1; 8][..], &[2; 16]].concat());
        let other = jar.cookie([192, 0, 2, 1].into(), || Some([3; 8])).unwrap();
        assert_eq!(other.octets(), [3; 8], "nothing of the other address");
        jar.learn(&second);
        assert!(!jar.has_server(), "an answer to the other address comes too late");
        assert!(Jar::default().cookie(OWN, || None).is_none(), "no random numbers");
    }

    #[test]
    fn what_an_answer_may_return() {
        let sent = Cookie::new([1; 8]);
        for (data, is_ours) in [
            (&[1; 8][..], true),
            (&[1; 16], true),
            (&[1; 40], true),
            (&[], false),
            (&[1; 7], false),
            (&[1; 9], false),
            (&[1; 15], false),
            (&[1; 41], false),
            (&[1, 1, 1, 1, 1, 1, 1, 2], false),
        ] {
            assert_eq!(sent.returned(data).is_some(), is_ours, "{data:?}");
        }
    }
}
