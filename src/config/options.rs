//! The options of resolv.conf(5) and `RES_OPTIONS`.

use super::is_space;
use super::note::Notes;
use super::resolv::words;
use crate::sys::mem::NoMemory;
use core::fmt;

/// `RES_MAXNDOTS`, and the cap of `timeout` and `attempts`.
const MAX_NDOTS: i32 = 15;
const MAX_TIMEOUT: i32 = 30;
const MAX_ATTEMPTS: i32 = 5;

/// The options line and `RES_OPTIONS`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// A name with at least so many dots is tried as it is first.
    pub ndots: u8,
    /// Seconds that the first server has for an answer; 0 counts as 1, but is shown in `_res` as 0.
    pub timeout: u32,
    /// How often the servers are asked.
    pub attempts: u32,
    /// Each lookup begins with another server.
    pub rotate: bool,
    /// TCP only.
    pub use_vc: bool,
    /// EDNS (RFC 6891).
    pub edns0: bool,
    /// The servers' AD bit is believed, and asked for.
    pub trust_ad: bool,
    /// AAAA is never asked for.
    pub no_aaaa: bool,
    /// A name without dots is not asked for as it is.
    pub no_tld_query: bool,
    /// A and AAAA are asked for one after the other.
    pub single_request: bool,
    /// The same, on a socket each.
    pub single_request_reopen: bool,
    /// RD is not set in queries. The rest, down from here, only programs can set, in `_res`.
    pub no_recursion: bool,
    /// A truncated answer is taken as it is.
    pub ignore_truncation: bool,
    /// Names without dots are not searched for (`RES_DEFNAMES` is off).
    pub no_default_names: bool,
    /// Names with dots are not searched for, others in the first domain only (`RES_DNSRCH` is off).
    pub no_search: bool,
    /// Signatures are asked for (DO, RFC 3225).
    pub dnssec: bool,
    /// `HOSTALIASES` is not looked into.
    pub no_aliases: bool,
}

/// As resolv.conf has them: the numbers, and what is not as by default.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ndots:{} timeout:{} attempts:{}", self.ndots, self.timeout, self.attempts)?;
        [
            (self.rotate, "rotate"),
            (self.use_vc, "use-vc"),
            (self.edns0, "edns0"),
            (self.trust_ad, "trust-ad"),
            (self.no_aaaa, "no-aaaa"),
            (self.no_tld_query, "no-tld-query"),
            (self.single_request, "single-request"),
            (self.single_request_reopen, "single-request-reopen"),
            (self.no_recursion, "no RES_RECURSE"),
            (self.ignore_truncation, "RES_IGNTC"),
            (self.no_default_names, "no RES_DEFNAMES"),
            (self.no_search, "no RES_DNSRCH"),
            (self.dnssec, "RES_USE_DNSSEC"),
            (self.no_aliases, "RES_NOALIASES"),
        ]
        .into_iter()
        .filter(|(is_set, _)| *is_set)
        .try_for_each(|(_, word)| write!(f, " {word}"))
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            ndots: 1,
            timeout: 5,
            attempts: 2,
            rotate: false,
            use_vc: false,
            edns0: false,
            trust_ad: false,
            no_aaaa: false,
            no_tld_query: false,
            single_request: false,
            single_request_reopen: false,
            no_recursion: false,
            ignore_truncation: false,
            no_default_names: false,
            no_search: false,
            dnssec: false,
            no_aliases: false,
        }
    }
}

impl Options {
    /// Applies the words of an options line (0: of the environment), and notes what it does not know.
    /// libc compares only as much as the option's own name has: `rotated` is `rotate`.
    pub(super) fn set(
        &mut self,
        options: &[u8],
        line: u32,
        notes: &mut Notes,
    ) -> Result<(), NoMemory> {
        for word in words(options) {
            // `-edns0` takes back what stands before it, since glibc 2.41.
            let (word, on) = word.strip_prefix(b"-").map_or((word, true), |name| (name, false));
            let word = if word.starts_with(b"no_tld_query") { b"no-tld-query" } else { word };
            let flag = [
                (&b"rotate"[..], &mut self.rotate),
                (b"edns0", &mut self.edns0),
                (b"single-request-reopen", &mut self.single_request_reopen),
                (b"single-request", &mut self.single_request),
                (b"no-tld-query", &mut self.no_tld_query),
                (b"use-vc", &mut self.use_vc),
                (b"trust-ad", &mut self.trust_ad),
                (b"no-aaaa", &mut self.no_aaaa),
            ];
            let number = |name: &[u8]| word.strip_prefix(name).filter(|_| on);
            if let Some((_, flag)) = flag.into_iter().find(|(name, _)| word.starts_with(name)) {
                *flag = on;
            } else if let Some(value) = number(b"ndots:") {
                // Four bits without a sign: of a negative number they are the lowest.
                self.ndots = (leading_number(value).min(MAX_NDOTS) & 0xf) as u8;
            } else if let Some(value) = number(b"timeout:") {
                self.timeout = leading_number(value).clamp(0, MAX_TIMEOUT) as u32;
            } else if let Some(value) = number(b"attempts:") {
                self.attempts = leading_number(value).clamp(1, MAX_ATTEMPTS) as u32;
            } else {
                let known: [&[u8]; 7] = [
                    b"debug",
                    b"inet6",
                    b"no-reload",
                    b"ip6-bytestring",
                    b"ip6-dotint",
                    b"no-ip6-dotint",
                    b"no-check-names",
                ];
                let what = if known.iter().any(|name| word.starts_with(name)) {
                    "option without effect"
                } else {
                    "unknown option, ignored"
                };
                notes.add(line, what, word)?;
            }
        }
        Ok(())
    }
}

/// `atoi(3)`: the digits that the text begins with, white space and a sign before them; 0 without. The
/// lower 32 bits count.
fn leading_number(text: &[u8]) -> i32 {
    let start = text.iter().position(|&b| !is_space(b)).unwrap_or(text.len());
    let text = text.get(start..).unwrap_or_default();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let value = digits.iter().take_while(|b| b.is_ascii_digit()).fold(0i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    (if negative { -value } else { value }) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::resolv::{ResolvConf, parse};

    fn parsed(text: &str) -> ResolvConf {
        parse(Some(text.as_bytes()), b"", &|_| None).unwrap()
    }

    #[test]
    fn options() {
        let default = Options::default();
        for (text, want) in [
            (
                "options ndots:5 timeout:1 attempts:3",
                Options { ndots: 5, timeout: 1, attempts: 3, ..default.clone() },
            ),
            (
                "options ndots:99 timeout:99 attempts:99",
                Options { ndots: 15, timeout: 30, attempts: 5, ..default.clone() },
            ),
            (
                "options ndots:-1 timeout:0 attempts:0",
                Options { ndots: 15, timeout: 0, attempts: 1, ..default.clone() },
            ),
            ("options ndots:x", Options { ndots: 0, ..default.clone() }),
            ("options ndots:\u{b}+3x", Options { ndots: 3, ..default.clone() }),
            (
                "options ndots:-3 timeout:4294967298",
                Options { ndots: 13, timeout: 2, ..default.clone() },
            ),
            ("options single-request", Options { single_request: true, ..default.clone() }),
            (
                "options single-request-reopen",
                Options { single_request_reopen: true, ..default.clone() },
            ),
            (
                "options rotate\noptions use-vc edns0",
                Options { rotate: true, use_vc: true, edns0: true, ..default.clone() },
            ),
            (
                "options trust-ad no-aaaa no-tld-query",
                Options { trust_ad: true, no_aaaa: true, no_tld_query: true, ..default.clone() },
            ),
            ("options inet6 debug nonsense", default.clone()),
        ] {
            assert_eq!(parsed(text).options, want, "{text}");
        }
        let mut conf = parsed("options ndots:5");
        conf.apply_environment(None, Some(b"ndots:2 rotate")).unwrap();
        assert_eq!(conf.options, Options { ndots: 2, rotate: true, ..default });
    }
}
