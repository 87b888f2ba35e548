//! rustdns.conf(5) and `RUSTDNS_*`: one table of settings, from which all that names them is made.

mod table;

pub use self::table::{Setting, TABLE};
use super::note::Notes;
use super::upstream::{self, Servers};
use crate::base::address::ZoneNames;
use crate::sys::encrypted::Needs;
use crate::sys::mem::{NoMemory, c_string, copy};
use core::ffi::CStr;
use core::net::SocketAddr;
use core::time::Duration;
use std::ffi::CString;

/// The keys of [`TABLE`] and their environment variables, apart: what only people read of the table is in
/// no library then.
#[allow(clippy::indexing_slicing, reason = "computed by the compiler")]
pub static VARIABLES: [(&str, &CStr); TABLE.len()] = {
    let mut variables = [("", c""); TABLE.len()];
    let mut at = 0;
    while at < TABLE.len() {
        variables[at] = (TABLE[at].key, TABLE[at].environment);
        at += 1;
    }
    variables
};

/// Entries that are kept by default. A full cache of two addresses a name takes about 350 octets an
/// entry, so 1.4 MiB.
const CACHE_ENTRIES: usize = 4096;
/// Longer than a server that is alive takes for all but few names.
const HEDGE: Duration = Duration::from_secs(1);
/// More would be no cache but a leak.
const MAX_CACHE_ENTRIES: usize = 1 << 20;

/// What is made of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dnssec {
    /// Nothing.
    Off,
    /// The server's word for them counts.
    TrustAd,
    /// They are checked.
    Validate,
}

/// Whether queries carry cookies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cookies {
    /// Those that have EDNS for another reason.
    #[default]
    Auto,
    /// All: they have EDNS for it.
    On,
    /// None.
    Off,
}

/// Where lines go.
#[derive(Debug)]
pub enum Sink {
    /// Standard error.
    Stderr,
    /// Appended to a file.
    File(CString),
    /// The system's log.
    Syslog,
}

/// The settings, read.
#[derive(Debug)]
pub struct Settings {
    /// Name servers instead of resolv.conf's.
    pub upstream: Servers,
    /// `upstream-fallback plain`.
    pub fallback_plain: bool,
    /// The file of certificate authorities; `None`: the system's.
    pub authorities: Option<Box<[u8]>>,
    /// What is made of signatures.
    pub dnssec: Dnssec,
    /// The file of trust anchors; `None`: the installed one.
    pub anchors: Option<Box<[u8]>>,
    /// Answers that are kept; 0: none.
    pub cache_entries: usize,
    /// Seconds that an answer is kept at the most.
    pub cache_max_ttl: u32,
    /// The same for negative ones.
    pub cache_negative_ttl: u32,
    /// Seconds that an answer may be given after its time.
    pub serve_stale: u32,
    /// `foreign libc`.
    pub foreign_libc: bool,
    /// `case-randomization on`.
    pub random_case: bool,
    /// Whether queries carry cookies.
    pub cookies: Cookies,
    /// After how long the next name server is asked beside a silent one that is not known to be alive;
    /// `None`: after resolv.conf's `timeout`.
    pub hedge: Option<Duration>,
    /// Level of the debug trace.
    pub debug: u8,
    /// Where it goes.
    pub log: Sink,
    /// `debug-format json`.
    pub json: bool,
    /// The counters lie where other processes may read them.
    pub stats: bool,
    /// The folder before configuration paths.
    pub root: Option<Box<[u8]>>,
    /// `mode test-only`.
    pub test_only: bool,
    /// torsocks is in the process: nobody is asked but it. No line sets this.
    pub stands_aside: bool,
    /// What was not understood. Line 0: from the environment.
    pub notes: Notes,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            upstream: Servers::default(),
            fallback_plain: false,
            authorities: None,
            dnssec: Dnssec::Off,
            anchors: None,
            cache_entries: CACHE_ENTRIES,
            cache_max_ttl: 86400,
            cache_negative_ttl: 30,
            serve_stale: 0,
            foreign_libc: false,
            random_case: false,
            cookies: Cookies::Auto,
            hedge: Some(HEDGE),
            debug: 0,
            log: Sink::Stderr,
            json: false,
            stats: false,
            root: None,
            test_only: false,
            stands_aside: false,
            notes: Notes::default(),
        }
    }
}

/// Reads rustdns.conf: a key and its value a line; `#` after a blank, or first, begins a comment.
pub fn parse(text: &[u8], zones: ZoneNames<'_>) -> Result<Settings, NoMemory> {
    let mut settings = Settings::default();
    for (number, key, value) in lines(text) {
        settings.set(key, value, number, zones)?;
    }
    Ok(settings)
}

/// The lines of rustdns.conf that say something: number (from 1), key, value.
pub fn lines(text: &[u8]) -> impl Iterator<Item = (u32, &[u8], &[u8])> {
    (1u32..).zip(text.split(|&b| b == b'\n')).filter_map(|(number, line)| {
        let line = without_comment(line).trim_ascii();
        let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
        let (key, value) = line.split_at_checked(end)?;
        (!key.is_empty()).then_some((number, key, value.trim_ascii()))
    })
}

/// A name may follow an address behind `#`: only one that begins a word begins a comment.
fn without_comment(line: &[u8]) -> &[u8] {
    let begins = |at: &usize| {
        line.get(*at) == Some(&b'#')
            && at.checked_sub(1).and_then(|at| line.get(at)).is_none_or(u8::is_ascii_whitespace)
    };
    (0..line.len()).find(begins).and_then(|at| line.get(..at)).unwrap_or(line)
}

impl Settings {
    /// Sets one key, from this line of the file or (line 0) the environment. A key or a value that
    /// is not understood is noted, and the setting stays as it was; but one of `upstream` that was meant
    /// to be private leaves no server.
    pub fn set(
        &mut self,
        key: &[u8],
        value: &[u8],
        line: u32,
        zones: ZoneNames<'_>,
    ) -> Result<(), NoMemory> {
        let set = match key {
            b"upstream" => match upstream::list(value, zones)? {
                None if upstream::is_private(value) => {
                    self.upstream = Servers { is_unread: true, ..Servers::default() };
                    let what = "value not understood, no name server is asked";
                    return self.notes.add_pair(line, what, key, value);
                }
                servers => assign(&mut self.upstream, servers),
            },
            b"upstream-fallback" => {
                assign(&mut self.fallback_plain, one_of(value, (b"off", b"plain")))
            }
            b"upstream-ca" => assign(&mut self.authorities, file_or(value, b"system")?),
            b"dnssec" => assign(&mut self.dnssec, use_of_signatures(value)),
            b"trust-anchor" => assign(&mut self.anchors, file_or(value, b"installed")?),
            b"cache" => assign(&mut self.cache_entries, entries(value)),
            b"cache-max-ttl" => assign(&mut self.cache_max_ttl, number(value)),
            b"cache-negative-ttl" => assign(&mut self.cache_negative_ttl, number(value)),
            b"serve-stale" => assign(&mut self.serve_stale, number(value)),
            b"foreign" => assign(&mut self.foreign_libc, one_of(value, (b"skip", b"libc"))),
            b"case-randomization" => assign(&mut self.random_case, one_of(value, (b"off", b"on"))),
            b"hedge" => assign(&mut self.hedge, hedge(value)),
            b"cookies" => assign(&mut self.cookies, use_of_cookies(value)),
            b"debug" => assign(&mut self.debug, number(value).filter(|level| *level <= 2)),
            b"log" => assign(&mut self.log, sink(value)?),
            b"debug-format" => assign(&mut self.json, one_of(value, (b"text", b"json"))),
            b"stats" => assign(&mut self.stats, one_of(value, (b"off", b"on"))),
            b"root" => match value {
                [b'/', ..] => assign(&mut self.root, Some(Some(copy(value)?))),
                _ => false,
            },
            b"mode" => assign(&mut self.test_only, one_of(value, (b"normal", b"test-only"))),
            _ => return self.notes.add(line, "unknown setting, ignored", key),
        };
        if set {
            return Ok(());
        }
        self.notes.add_pair(line, "value not understood, ignored", key, value)
    }

    /// True where names that nobody else knows go to the next library. What that one asks, nobody keeps
    /// on loopback.
    pub fn asks_libc(&self) -> bool {
        (self.foreign_libc || self.stands_aside) && !self.test_only
    }

    /// True where nothing may leave this host by us: no daemon is asked that would ask others, and no
    /// neighbour.
    pub fn stays_inside(&self) -> bool {
        self.test_only || self.stands_aside
    }

    /// What is needed of librustdns-encrypted.so; `None` where it is not needed.
    pub fn needs(&self) -> Option<Needs<'_>> {
        let needs = Needs {
            authorities: (!self.upstream.encrypted.is_empty())
                .then(|| self.authorities.as_deref().unwrap_or_default()),
            anchors: (self.dnssec == Dnssec::Validate)
                .then(|| self.anchors.as_deref().unwrap_or_default()),
        };
        (needs.authorities.is_some() || needs.anchors.is_some()).then_some(needs)
    }

    /// True where resolv.conf's servers are asked: no others are set, or there were to be encrypted ones,
    /// behind which `upstream-fallback plain` has them.
    pub fn asks_file(&self) -> bool {
        let Servers { addresses, encrypted, is_unread, .. } = &self.upstream;
        if *is_unread || !encrypted.is_empty() { self.fallback_plain } else { addresses.is_empty() }
    }

    /// False for a server that `mode test-only` keeps us from, and beside torsocks for all: one on loopback
    /// asks others.
    pub fn may_ask(&self, server: &SocketAddr) -> bool {
        !self.stands_aside && (!self.test_only || server.ip().is_loopback())
    }
}

fn assign<T>(place: &mut T, value: Option<T>) -> bool {
    match value {
        Some(value) => {
            *place = value;
            true
        }
        None => false,
    }
}

/// False for the first word, true for the second.
fn one_of<const A: usize, const B: usize>(
    value: &[u8],
    words: (&[u8; A], &[u8; B]),
) -> Option<bool> {
    if value == words.0 { Some(false) } else { (value == words.1).then_some(true) }
}

fn use_of_cookies(value: &[u8]) -> Option<Cookies> {
    match value {
        b"auto" => Some(Cookies::Auto),
        b"on" => Some(Cookies::On),
        b"off" => Some(Cookies::Off),
        _ => None,
    }
}

fn number<T: core::str::FromStr>(value: &[u8]) -> Option<T> {
    core::str::from_utf8(value).ok()?.parse().ok()
}

fn entries(value: &[u8]) -> Option<usize> {
    match value {
        b"off" => Some(0),
        b"on" => Some(CACHE_ENTRIES),
        _ => number(value).filter(|entries| *entries <= MAX_CACHE_ENTRIES),
    }
}

fn hedge(value: &[u8]) -> Option<Option<Duration>> {
    match value {
        b"off" => Some(None),
        _ => number(value).map(|millis: u32| Some(Duration::from_millis(millis.into()))),
    }
}

fn sink(value: &[u8]) -> Result<Option<Sink>, NoMemory> {
    Ok(match value {
        b"stderr" => Some(Sink::Stderr),
        b"syslog" => Some(Sink::Syslog),
        [b'/', ..] => c_string(&[value])?.map(Sink::File),
        _ => None,
    })
}

/// An absolute path; `None` for the word that stands for the default.
fn file_or(value: &[u8], default: &[u8]) -> Result<Option<Option<Box<[u8]>>>, NoMemory> {
    Ok(match value {
        _ if value == default => Some(None),
        [b'/', ..] => Some(Some(copy(value)?)),
        _ => None,
    })
}

fn use_of_signatures(value: &[u8]) -> Option<Dnssec> {
    match value {
        b"off" => Some(Dnssec::Off),
        b"trust-ad" => Some(Dnssec::TrustAd),
        b"validate" => Some(Dnssec::Validate),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_ZONES: ZoneNames<'_> = &|_| None;

    #[test]
    fn every_setting_of_the_table_can_be_set_and_nothing_else() {
        let text = "upstream 192.0.2.1 [::1]:5353 127.0.0.1:54\ncache 100\ncache-max-ttl 60\n\
            cache-negative-ttl 5 # short\nforeign libc\ncase-randomization on\ncookies on\ndebug 2\nlog /tmp/x\n\
             root /srv\nmode test-only\nnonsense 1\ndebug 9\nlog relative\nupstream tls://dns.test\n\
             hedge 300\nserve-stale 3600\ndebug-format json\nstats on\n\
             upstream-fallback plain\nupstream-ca /ca.pem\ndnssec validate\ntrust-anchor /anchors.xml\n\
             upstream 192.0.2.1 tls://[::1]#dns.test # private\n#mode normal\nmode#x normal\n";
        let settings = parse(text.as_bytes(), NO_ZONES).unwrap();
        let upstream: Vec<_> =
            settings.upstream.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(upstream, ["192.0.2.1:53", "[::1]:853"]);
        let [encrypted] = &settings.upstream.encrypted[..] else { panic!() };
        assert_eq!(&*encrypted.text, b"tls://[::1]#dns.test");
        assert!(settings.fallback_plain && settings.dnssec == Dnssec::Validate);
        assert_eq!(settings.authorities.as_deref(), Some(&b"/ca.pem"[..]));
        assert_eq!(settings.anchors.as_deref(), Some(&b"/anchors.xml"[..]));
        assert_eq!((settings.cache_entries, settings.cache_max_ttl), (100, 60));
        assert_eq!((settings.cache_negative_ttl, settings.debug), (5, 2));
        assert!(settings.foreign_libc && settings.random_case && settings.test_only);
        assert_eq!(settings.root.as_deref(), Some(&b"/srv"[..]));
        assert!(matches!(&settings.log, Sink::File(path) if path.as_c_str() == c"/tmp/x"));
        let noted: Vec<_> = settings.notes.iter().map(|note| note.line).collect();
        assert_eq!(noted, [12, 13, 14, 15, 26]);
        assert_eq!(settings.hedge, Some(Duration::from_millis(300)));
        for (value, hedge) in [("off", None), ("0", Some(Duration::ZERO)), ("1s", Some(HEDGE))] {
            let settings = parse(format!("hedge {value}").as_bytes(), NO_ZONES).unwrap();
            assert_eq!(settings.hedge, hedge, "{value}");
        }
        assert_eq!(settings.cookies, Cookies::On);
        assert!(settings.serve_stale == 3600 && settings.json && !settings.asks_libc());
        assert!(settings.stats);
        for setting in TABLE {
            let mut fresh = Settings::default();
            fresh.set(setting.key.as_bytes(), b"\0", 1, NO_ZONES).unwrap();
            let what = fresh.notes.iter().next().unwrap().what;
            assert_eq!(what, "value not understood, ignored", "{}", setting.key);
            let variable = setting.key.to_ascii_uppercase().replace('-', "_");
            assert_eq!(setting.environment.to_str().unwrap(), format!("RUSTDNS_{variable}"));
        }
    }
}
