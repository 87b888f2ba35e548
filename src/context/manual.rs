//! Configuration that a program has set by hand, in `_res` or a state of its own (resolver(3)).

use crate::cache::health::Health;
use crate::config::resolv::{MAX_SERVERS, Options, ResolvConf};
use crate::context::state::Upstream;
use crate::sys::mem::{NoMemory, TryPush, copy};
use crate::sys::res_state::{Plain, SEARCH_ROOM};
use core::hash::{Hash, Hasher};
use core::net::SocketAddr;
use smallvec::SmallVec;

/// What a state says.
#[derive(Debug, Default)]
pub struct Manual<'a> {
    /// Its options, `ndots`, `retrans` and `retry`.
    pub options: Options,
    /// Its servers.
    pub servers: SmallVec<[SocketAddr; MAX_SERVERS]>,
    /// Its search list.
    pub search: SmallVec<[&'a [u8]; SEARCH_ROOM]>,
}

impl<'a> Manual<'a> {
    /// What a state says that has been filled, by us or by the program.
    pub fn of(plain: Plain<'a>) -> Manual<'a> {
        let Plain { servers, search, ndots, timeout, attempts, .. } = plain;
        let options = Options { ndots, timeout, attempts, ..option::read(plain.options) };
        Manual { options, servers, search }
    }

    /// By what a state is known to be as we filled it.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(Some(&self.options), self.servers.iter(), self.search.iter().copied())
    }

    /// By what its servers and search list are.
    pub fn fingerprint_of_places(&self) -> u64 {
        fingerprint(None, self.servers.iter(), self.search.iter().copied())
    }

    /// A configuration made of it, for which nothing is kept. Servers and search list are `places`'s
    /// where it is given: a state has no room for all that resolv.conf may name.
    pub fn upstream(&self, places: Option<&Upstream>) -> Result<Upstream, NoMemory> {
        let mut servers = Vec::new();
        let mut conf = ResolvConf { options: self.options.clone(), ..ResolvConf::default() };
        let mut serve = |server| servers.try_push((server, Health::default()));
        if let Some(places) = places {
            places.servers.iter().try_for_each(|(server, _)| serve(*server))?;
            places.conf.search.iter().try_for_each(|domain| conf.search.try_push(copy(domain)?))?;
        } else {
            self.servers.iter().try_for_each(|server| serve(*server))?;
            self.search.iter().try_for_each(|domain| conf.search.try_push(copy(domain)?))?;
        }
        Upstream::by_hand(conf, servers)
    }
}

/// The fingerprints of a state filled from a configuration and servers: of all, and of its places.
pub fn fingerprints<'a>(
    conf: &'a ResolvConf,
    servers: impl Iterator<Item = &'a SocketAddr> + Clone,
) -> [u64; 2] {
    [Some(&conf.options), None].map(|options| {
        fingerprint(options, servers.clone().take(MAX_SERVERS), shown_domains(&conf.search))
    })
}

fn fingerprint<'a>(
    options: Option<&Options>,
    servers: impl Iterator<Item = &'a SocketAddr>,
    search: impl Iterator<Item = &'a [u8]>,
) -> u64 {
    /// What the octets behind it are, so that none of one kind pass for another.
    #[derive(Hash)]
    enum Part<'a> {
        Options(Option<&'a Options>),
        Server(&'a SocketAddr),
        Domain(&'a [u8]),
    }
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    Part::Options(options).hash(&mut hash);
    servers.for_each(|server| Part::Server(server).hash(&mut hash));
    search.for_each(|domain| Part::Domain(domain).hash(&mut hash));
    hash.finish()
}

/// FNV-1a: nobody gains by a collision in his own process.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.0 = (self.0 ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// As many domains of a search list as a state has room for: six, and 256 octets with their NULs.
pub fn shown_domains(domains: &[Box<[u8]>]) -> impl Iterator<Item = &[u8]> {
    let mut used = 0;
    domains.iter().take(6).map(|domain| &**domain).take_while(move |domain| {
        used += domain.len() + 1;
        used <= 256
    })
}

/// The bits of `_res.options` (resolv.h).
pub mod option {
    use crate::config::resolv::Options;

    pub use crate::sys::res_state::INIT;

    pub(crate) const USEVC: u32 = 8;
    pub(crate) const IGNTC: u32 = 0x20;
    pub(crate) const RECURSE: u32 = 0x40;
    pub(crate) const DEFNAMES: u32 = 0x80;
    pub(crate) const DNSRCH: u32 = 0x200;
    pub(crate) const NOALIASES: u32 = 0x1000;
    pub(crate) const ROTATE: u32 = 0x4000;
    pub(crate) const USE_EDNS0: u32 = 0x10_0000;
    pub(crate) const SNGLKUP: u32 = 0x20_0000;
    pub(crate) const SNGLKUPREOP: u32 = 0x40_0000;
    pub(crate) const USE_DNSSEC: u32 = 0x80_0000;
    pub(crate) const NOTLDQUERY: u32 = 0x100_0000;
    pub(crate) const TRUSTAD: u32 = 0x400_0000;
    pub(crate) const NOAAAA: u32 = 0x800_0000;

    /// The options that `bits` say; those that are numbers elsewhere are left at their defaults.
    pub fn read(bits: u32) -> Options {
        let is = |bit: u32| bits & bit != 0;
        Options {
            rotate: is(ROTATE),
            use_vc: is(USEVC),
            edns0: is(USE_EDNS0),
            dnssec: is(USE_DNSSEC),
            trust_ad: is(TRUSTAD),
            no_aaaa: is(NOAAAA),
            no_tld_query: is(NOTLDQUERY),
            single_request: is(SNGLKUP),
            single_request_reopen: is(SNGLKUPREOP),
            no_recursion: !is(RECURSE),
            ignore_truncation: is(IGNTC),
            no_default_names: !is(DEFNAMES),
            no_search: !is(DNSRCH),
            no_aliases: is(NOALIASES),
            ..Options::default()
        }
    }

    /// The bits that say these options.
    pub fn write(options: &Options) -> u32 {
        [
            (options.rotate, ROTATE),
            (options.use_vc, USEVC),
            (options.edns0, USE_EDNS0),
            (options.dnssec, USE_DNSSEC),
            (options.trust_ad, TRUSTAD),
            (options.no_aaaa, NOAAAA),
            (options.no_tld_query, NOTLDQUERY),
            (options.single_request, SNGLKUP),
            (options.single_request_reopen, SNGLKUPREOP),
            (!options.no_recursion, RECURSE),
            (options.ignore_truncation, IGNTC),
            (!options.no_default_names, DEFNAMES),
            (!options.no_search, DNSRCH),
            (options.no_aliases, NOALIASES),
        ]
        .iter()
        .filter(|(is_set, _)| *is_set)
        .fold(0, |bits, (_, bit)| bits | bit)
    }
}

#[cfg(test)]
mod tests {
    use crate::context::manual::*;

    #[test]
    fn options_survive_the_bits() {
        for bit in 0..32 {
            let options = option::read(1 << bit);
            assert_eq!(option::read(option::write(&options)), options, "bit {bit}");
        }
        // RES_DEFAULT
        assert_eq!(option::write(&Options::default()), 0x2c0);
    }

    #[test]
    fn every_part_counts_in_the_fingerprint() {
        let base = || Manual {
            options: Options::default(),
            servers: SmallVec::from_slice(&["192.0.2.1:53".parse().unwrap()]),
            search: SmallVec::from_slice(&[&b"a"[..], b"b"]),
        };
        let changes: [fn(&mut Manual<'_>); 12] = [
            |_| {},
            |m| m.servers = SmallVec::from_slice(&["[::ffff:192.0.2.1]:53".parse().unwrap()]),
            |m| m.servers = SmallVec::from_slice(&["[::192.0.2.1]:53".parse().unwrap()]),
            |m| m.servers = SmallVec::from_slice(&["[fe80::1%1]:53".parse().unwrap()]),
            |m| m.servers = SmallVec::from_slice(&["[fe80::1%2]:53".parse().unwrap()]),
            |m| m.options.use_vc = true,
            |m| m.options.ndots = 2,
            |m| m.options.timeout = 1,
            |m| m.servers = SmallVec::from_slice(&["192.0.2.1:54".parse().unwrap()]),
            |m| m.servers.clear(),
            |m| m.search.truncate(1),
            |m| m.search = SmallVec::from_slice(&[&b"ab"[..]]),
        ];
        let mut seen = Vec::new();
        for change in changes {
            let mut manual = base();
            change(&mut manual);
            seen.push(manual.fingerprint());
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), changes.len());
    }
}
