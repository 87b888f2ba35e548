//! The process's state: followed files, the cache, what is known of servers. All of it hangs on one
//! pointer that a fork wipes, so a child begins with nothing of its parent's.

use crate::address::ZoneNames;
use crate::cache::Cache;
use crate::config::gai::Policy;
use crate::config::hosts::Hosts;
use crate::config::nsswitch::Database;
use crate::config::resolv::{self, ResolvConf};
use crate::config::services::Services;
use crate::config::settings::{Dnssec, Settings};
use crate::config::watch::{self, Watched, lock};
use crate::counters::Counters;
use crate::hostent::Position;
use crate::loading;
use crate::mem::{NoMemory, TryPush};
use crate::recent::Recent;
use crate::resolver::manual;
use crate::source::c_string;
use crate::source::dns::health::Health;
use crate::source::dns::pending::Pending;
use crate::sys::encrypted::Place;
use crate::sys::environment::variable;
use crate::sys::files::Unreadable;
use crate::sys::lock::Mutex;
use crate::sys::process;
use crate::sys::shared::Shared;
use crate::sys::wiped::PerProcess;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::ffi::CString;

static STATE: PerProcess<State> = PerProcess::new();

/// All that outlives a call: memory, nothing else.
pub struct State {
    environment: Mutex<Shared<Environment>>,
    /// As it was at first: for threads that find the other busy. The environment must not be read
    /// then, another thread may be in setenv(3).
    first_environment: Shared<Environment>,
    /// Followed files.
    pub files: Files,
    /// Answers of the DNS.
    pub cache: Cache,
    /// What the kernel has said of this host's addresses a moment ago.
    pub recent: Recent,
    /// Questions that some thread is asking right now.
    pub pending: Pending,
    /// What was done.
    pub counters: Counters,
    /// The number of the next version of resolv.conf.
    pub generation: AtomicU32,
    /// What librustdns-encrypted.so keeps.
    pub encrypted: Place,
    /// Where `gethostent` is.
    pub position: Mutex<Position>,
    rotation: AtomicUsize,
    /// Fingerprints of the last versions of resolv.conf.
    versions: Versions,
}

/// The files that are followed.
pub struct Files {
    /// resolv.conf(5).
    pub resolv: Watched<Upstream>,
    /// hosts(5).
    pub hosts: Watched<Hosts>,
    /// nsswitch.conf(5).
    pub nsswitch: Watched<Database>,
    /// gai.conf(5).
    pub gai: Watched<Policy>,
    /// services(5).
    pub services: Watched<Services>,
}

/// What is read once, and again on a reload: environment variables and rustdns.conf.
pub struct Environment {
    /// rustdns.conf and `RUSTDNS_*`.
    pub settings: Settings,
    /// Where the files are.
    pub paths: Paths,
    /// `LOCALDOMAIN`.
    pub local_domain: Option<Box<[u8]>>,
    /// `RES_OPTIONS`.
    pub res_options: Option<Box<[u8]>>,
    /// The file that `HOSTALIASES` names.
    pub host_aliases: Option<CString>,
}

/// The configuration files, behind the setting `root`.
pub struct Paths {
    /// /etc/resolv.conf
    pub resolv: CString,
    /// /etc/hosts
    pub hosts: CString,
    /// /etc/nsswitch.conf
    pub nsswitch: CString,
    /// /etc/gai.conf
    pub gai: CString,
    /// /etc/services
    pub services: CString,
}

/// resolv.conf, and what is known of the servers in it.
pub struct Upstream {
    /// The file as parsed, environment applied.
    pub conf: ResolvConf,
    /// The servers that are asked, in order.
    pub servers: Vec<(SocketAddr, Health)>,
    /// Which version this is: answers are kept by it. `None`: a program has set it by hand.
    pub generation: Option<u32>,
}

/// This process's state.
pub fn state() -> Result<&'static State, NoMemory> {
    STATE.get(State::new)
}

/// At the process's exit: what others can see of it is taken away.
extern "C" fn withdraw() {
    if let Some(state) = STATE.made() {
        state.counters.withdraw();
    }
}

impl State {
    fn new() -> Result<State, NoMemory> {
        let environment = Shared::new(Environment::read()?)?;
        let mut seed = [0; 8];
        // Where the kernel gives no random numbers the DNS is not asked, and nothing is kept.
        process::random(&mut seed);
        let seed = u64::from_ne_bytes(seed);
        let entries = environment.settings.cache_entries;
        let counters = Counters::by(&environment.settings)?;
        if counters.are_public() {
            process::at_exit(withdraw);
        }
        Ok(State {
            cache: Cache::new(entries, seed),
            recent: Recent::new(entries, seed),
            counters,
            first_environment: environment.clone(),
            environment: Mutex::new(environment),
            files: Files {
                resolv: Watched::new(),
                hosts: Watched::new(),
                nsswitch: Watched::new(),
                gai: Watched::new(),
                services: Watched::new(),
            },
            pending: Pending::default(),
            generation: AtomicU32::new(0),
            encrypted: Place::default(),
            position: Mutex::new(Position::default()),
            rotation: AtomicUsize::new(0),
            versions: Versions::default(),
        })
    }

    /// The environment as it was last read.
    pub fn environment(&self) -> Result<Shared<Environment>, NoMemory> {
        match lock(&self.environment) {
            Some(environment) => Ok(environment.clone()),
            None => Ok(self.first_environment.clone()),
        }
    }

    /// Reads environment and files anew, changed or not, and forgets all answers: `res_init(3)`.
    pub fn reload(&self) -> Result<(), NoMemory> {
        let environment = Shared::new(Environment::read()?)?;
        if let Some(mut current) = lock(&self.environment) {
            *current = environment;
        }
        watch::advance();
        self.flush();
        Ok(())
    }

    /// Forgets all answers.
    pub fn flush(&self) {
        self.counters.cache_changed(&self.cache.flush());
        self.recent.flush();
    }

    /// Notes a version of resolv.conf.
    pub fn note_version(&self, upstream: &Upstream) {
        let Upstream { conf, servers, .. } = upstream;
        let ours = manual::fingerprints(conf, servers.iter().map(|(server, _)| server));
        // Where a setting has other servers than the file, libc itself may still have filled a `_res`.
        let libcs = manual::fingerprints(conf, conf.servers.iter());
        ours.into_iter().chain(libcs).for_each(|one| self.versions.add(one));
    }

    /// True where a `_res` with this fingerprint, in this respect, is as we filled it, now or before
    /// the file changed.
    pub fn knows_version(&self, fingerprint: u64) -> bool {
        self.versions.has(fingerprint)
    }

    /// Where `rotate` starts this time.
    pub fn rotation(&self) -> usize {
        self.rotation.fetch_add(1, Relaxed)
    }
}

/// The last fingerprints, in a ring. Zero is no fingerprint: one that came out as zero would only make
/// an unchanged `_res` be read again at each lookup.
#[derive(Default)]
struct Versions {
    /// In halves: not every machine has atomic numbers of 64 bits. Halves of two that are written at
    /// once match as seldom as the fingerprint of another `_res` does.
    ring: [[AtomicU32; 2]; 16],
    next: AtomicUsize,
}

impl Versions {
    fn add(&self, fingerprint: u64) {
        if !self.has(fingerprint) {
            let at = self.next.fetch_add(1, Relaxed) % self.ring.len();
            if let Some(place) = self.ring.get(at) {
                place
                    .iter()
                    .zip(halves(fingerprint))
                    .for_each(|(half, new)| half.store(new, Relaxed));
            }
        }
    }

    fn has(&self, fingerprint: u64) -> bool {
        let wanted = halves(fingerprint);
        let known =
            |place: &[AtomicU32; 2]| place.each_ref().map(|half| half.load(Relaxed)) == wanted;
        fingerprint != 0 && self.ring.iter().any(known)
    }
}

fn halves(number: u64) -> [u32; 2] {
    [(number >> 32) as u32, number as u32]
}

impl Environment {
    fn read() -> Result<Environment, NoMemory> {
        let (settings, unreadable) = loading::settings()?;
        loading::open_what_is_needed(&settings);
        let paths = Paths::under(settings.root.as_deref().unwrap_or_default())?;
        let environment = Environment {
            paths,
            local_domain: variable(c"LOCALDOMAIN")?,
            res_options: variable(c"RES_OPTIONS")?,
            host_aliases: Environment::host_aliases()?,
            settings,
        };
        environment.say(unreadable);
        Ok(environment)
    }

    /// `HOSTALIASES` as it is now.
    pub fn host_aliases() -> Result<Option<CString>, NoMemory> {
        match variable(c"HOSTALIASES")? {
            Some(path) => c_string(&[&path]),
            None => Ok(None),
        }
    }

    /// Says that we are here, and what was not understood.
    fn say(&self, unreadable: Option<Unreadable>) {
        let trace = self.settings.trace();
        let version = env!("CARGO_PKG_VERSION");
        trace.decision(format_args!("rustdns {version} answers for libc in this process"));
        if let Some(why) = unreadable {
            trace.decision(format_args!("/etc/rustdns.conf: no content ({why:?}), defaults apply"));
        }
        trace.notes(b"/etc/rustdns.conf", &self.settings.notes);
    }
}

impl Paths {
    fn under(root: &[u8]) -> Result<Paths, NoMemory> {
        // Neither the root (a C string before) nor the names have a NUL in them.
        let path = |name: &[u8]| Ok(c_string(&[root, name])?.unwrap_or_default());
        Ok(Paths {
            resolv: path(b"/etc/resolv.conf")?,
            hosts: path(b"/etc/hosts")?,
            nsswitch: path(b"/etc/nsswitch.conf")?,
            gai: path(b"/etc/gai.conf")?,
            services: path(b"/etc/services")?,
        })
    }
}

impl Upstream {
    /// resolv.conf's text (`None`: there is none), with the environment's say.
    pub fn new(
        text: Option<&[u8]>,
        environment: &Environment,
        generation: u32,
        zones: ZoneNames<'_>,
    ) -> Result<Upstream, NoMemory> {
        let mut buffer = [0; 256];
        let mut conf = resolv::parse(text, process::host_name(&mut buffer), zones)?;
        let settings = &environment.settings;
        conf.apply_environment(
            environment.local_domain.as_deref(),
            environment.res_options.as_deref(),
        )?;
        conf.options.trust_ad |= settings.dnssec != Dnssec::Off;
        let chosen = &settings.upstream.addresses;
        let file = if settings.asks_file() { &conf.servers[..] } else { &[] };
        let mut servers = Vec::new();
        for &server in chosen.iter().chain(file) {
            if settings.may_ask(&server) {
                servers.try_push((server, Health::default()))?;
            }
        }
        Ok(Upstream { conf, servers, generation: Some(generation) })
    }
}

/// Tells the trace of a panic that was caught: a bug of ours, with its place.
pub fn trace_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let Ok(environment) = state().and_then(State::environment) else { return };
    environment.settings.trace().decision(format_args!("internal error, please report: {panic}"));
}
