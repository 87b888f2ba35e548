//! The process's state: its worlds, with all that was learned in each; counters; the environment. All of it
//! hangs on one pointer that a fork wipes, so a child begins with nothing of its parent's.

use crate::base::address::{ZoneNames, Zoned, zoned};
use crate::cache::health::Health;
use crate::cache::network::Network;
use crate::config::gai::Policy;
use crate::config::hosts::Hosts;
use crate::config::nsswitch::Database;
use crate::config::resolv::{self, ResolvConf};
use crate::config::services::Services;
use crate::config::settings::{Dnssec, Settings};
use crate::config::watch::{self, FRESH, Watched};
use crate::context::worlds::{World, Worlds};
use crate::context::{loading, manual};
use crate::observe::counters::Counters;
use crate::sys::environment::variable;
use crate::sys::files::Unreadable;
use crate::sys::fork_local::PerProcess;
use crate::sys::lock::Mutex;
use crate::sys::mem::{NoMemory, TryPush, c_string, copy};
use crate::sys::shared::Shared;
use crate::sys::time::Instant;
use crate::sys::{inherited, process, torsocks};
use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::ffi::CString;

static STATE: PerProcess<State> = PerProcess::new();

/// All that outlives a call: memory, nothing else.
pub struct State {
    /// What was learned, by network namespace and root.
    pub(crate) worlds: Worlds,
    variables: Mutex<Shared<Variables>>,
    /// As they were at first: for threads that find the others busy. The environment must not be read
    /// then, another thread may be in setenv(3).
    first_variables: Shared<Variables>,
    /// What was done.
    pub counters: Shared<Counters>,
    /// The number of the next version of resolv.conf.
    pub generation: AtomicU32,
    /// The first lookup has read what others may have to go by: `Session::read_ahead`.
    pub has_read_ahead: AtomicBool,
    seed: u64,
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

/// Environment variables, as far as they matter here. They are the process's, whichever root its threads
/// are in.
pub struct Variables {
    /// `RUSTDNS_*`, by the key of their settings.
    settings: Vec<(&'static str, Box<[u8]>)>,
    local_domain: Option<Box<[u8]>>,
    res_options: Option<Box<[u8]>>,
    host_aliases: Option<Box<[u8]>>,
}

/// What is read once, and again on a reload: environment variables and rustdns.conf.
pub struct Environment {
    /// The reload that it comes after: [`watch::epoch`].
    pub epoch: u32,
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
    pub conf: Shared<ResolvConf>,
    /// The servers that are asked, in order.
    pub servers: Vec<(SocketAddr, Health)>,
    /// Which version this is: answers are kept by it. `None`: a program has set it by hand.
    pub generation: Option<u32>,
    /// Servers whose zone has a name, as they are in `servers`.
    pub zones: Shared<Zones>,
    /// Where it has been used.
    pub network: Network,
}

/// Servers whose zones are looked up again from time to time: an interface that was made anew has another
/// index.
#[derive(Default)]
pub struct Zones {
    zoned: Vec<Zoned>,
    /// When they were looked up: [`Instant::millis`].
    at: AtomicU32,
}

impl Zones {
    /// Looks the zones up, as often as a file is looked at: true where one has another index now.
    pub fn have_moved(&self, now: Instant, names: ZoneNames<'_>) -> bool {
        if self.zoned.is_empty() || now.millis().wrapping_sub(self.at.load(Relaxed)) < FRESH {
            return false;
        }
        self.at.store(now.millis(), Relaxed);
        self.zoned.iter().any(|zoned| zoned.now(names) != zoned.server)
    }
}

/// This process's state.
pub fn state() -> Result<&'static State, NoMemory> {
    STATE.get(State::new)
}

impl State {
    fn new() -> Result<State, NoMemory> {
        let variables = Shared::new(Variables::read()?)?;
        let environment = Environment::read(&variables, true)?;
        let seed = process::seed();
        let entries = environment.settings.cache_entries;
        let counters = Shared::new(Counters::by(&environment.settings)?)?;
        let of_first = counters.clone();
        Ok(State {
            worlds: Worlds::new(|at| World::new(at, environment, entries, seed, of_first))?,
            counters,
            first_variables: variables.clone(),
            variables: Mutex::new(variables),
            generation: AtomicU32::new(0),
            has_read_ahead: AtomicBool::new(false),
            seed,
        })
    }

    /// The environment as it was last read, in the calling thread's world.
    pub fn environment(&'static self) -> Result<Shared<Environment>, NoMemory> {
        Ok(self.here(Instant::now())?.environment())
    }

    /// The environment variables as they were last read.
    pub fn variables(&self) -> Shared<Variables> {
        match self.variables.lock() {
            Some(variables) => variables.clone(),
            None => self.first_variables.clone(),
        }
    }

    /// Where places are chosen from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Reads environment and files anew, changed or not, and forgets all answers: `res_init(3)`. Here that
    /// is done at once, in other worlds when somebody is there next.
    pub fn reload(&'static self) -> Result<(), NoMemory> {
        let variables = Shared::new(Variables::read()?)?;
        let here = self.here(Instant::now())?;
        if let Some(mut current) = self.variables.lock() {
            *current = variables;
        }
        watch::advance();
        here.reload(self)
    }

    /// Forgets all answers, in every world.
    pub fn flush(&self) {
        self.worlds.flush();
    }

    /// Notes a version of resolv.conf.
    pub fn note_version(&self, upstream: &Upstream) {
        let Upstream { conf, servers, .. } = upstream;
        let ours = manual::fingerprints(conf, servers.iter().map(|(server, _)| server));
        // Where a setting has other servers than the file, libc itself may still have filled a `_res`.
        let libcs = manual::fingerprints(conf, conf.servers.iter());
        ours.into_iter().chain(libcs).for_each(inherited::add_version);
    }

    /// True where a `_res` with this fingerprint, in this respect, is as we filled it, now or before
    /// the file changed.
    pub fn knows_version(&self, fingerprint: u64) -> bool {
        inherited::has_version(fingerprint)
    }
}

impl Variables {
    fn read() -> Result<Variables, NoMemory> {
        Ok(Variables {
            settings: loading::variables()?,
            local_domain: variable(c"LOCALDOMAIN")?,
            res_options: variable(c"RES_OPTIONS")?,
            host_aliases: variable(c"HOSTALIASES")?,
        })
    }
}

impl Environment {
    /// Reads rustdns.conf; the first time in a process, or where that was asked for, the trace says so.
    pub(crate) fn read(variables: &Variables, is_first: bool) -> Result<Environment, NoMemory> {
        let epoch = watch::epoch();
        let (mut settings, unreadable) = loading::settings(&variables.settings)?;
        settings.stands_aside = torsocks::is_here();
        loading::open_what_is_needed(&settings);
        let paths = Paths::under(settings.root.as_deref().unwrap_or_default())?;
        let copied = |value: &Option<Box<[u8]>>| value.as_deref().map(copy).transpose();
        let host_aliases = match &variables.host_aliases {
            Some(path) => c_string(&[path])?,
            None => None,
        };
        let environment = Environment {
            epoch,
            paths,
            local_domain: copied(&variables.local_domain)?,
            res_options: copied(&variables.res_options)?,
            host_aliases,
            settings,
        };
        environment.say(is_first, unreadable);
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
    fn say(&self, is_first: bool, unreadable: Option<Unreadable>) {
        let trace = self.settings.trace();
        let version = env!("CARGO_PKG_VERSION");
        if is_first {
            trace.decision(format_args!("rustdns {version} answers for libc in this process"));
        } else {
            trace.decision(format_args!(
                "another network namespace or root: nothing is known there"
            ));
        }
        if self.settings.stands_aside {
            trace.decision(format_args!(
                "torsocks is in this process: no server is asked; names go to torsocks, or are not found"
            ));
        }
        if let Some(why) = unreadable {
            trace.decision(format_args!("/etc/rustdns.conf: no content ({why}), defaults apply"));
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
        names: ZoneNames<'_>,
    ) -> Result<Upstream, NoMemory> {
        let mut buffer = [0; 256];
        let mut conf = resolv::parse(text, process::host_name(&mut buffer), names)?;
        let settings = &environment.settings;
        conf.apply_environment(
            environment.local_domain.as_deref(),
            environment.res_options.as_deref(),
        )?;
        conf.options.trust_ad |= settings.dnssec != Dnssec::Off;
        let chosen = &settings.upstream.addresses;
        let file = if settings.asks_file() { &conf.servers[..] } else { &[] };
        let mut servers = Vec::new();
        let mut zones = Zones::default();
        for (list, known) in [(&chosen[..], &settings.upstream.zoned), (file, &conf.zoned)] {
            for &server in list {
                let zoned = zoned(known, &server).map(|zoned| zoned.renewed(names)).transpose()?;
                let server = zoned.as_ref().map_or(server, |zoned| SocketAddr::V6(zoned.server));
                if settings.may_ask(&server) {
                    servers.try_push((server, Health::default()))?;
                    zoned.map(|zoned| zones.zoned.try_push(zoned)).transpose()?;
                }
            }
        }
        Ok(Upstream {
            conf: Shared::new(conf)?,
            servers,
            generation: Some(generation),
            zones: Shared::new(zones)?,
            network: Network::default(),
        })
    }

    /// One that a program has set by hand: nothing is kept for it.
    pub fn by_hand(
        conf: ResolvConf,
        servers: Vec<(SocketAddr, Health)>,
    ) -> Result<Upstream, NoMemory> {
        Ok(Upstream {
            conf: Shared::new(conf)?,
            servers,
            generation: None,
            zones: Shared::new(Zones::default())?,
            network: Network::default(),
        })
    }

    /// The same configuration where nothing is known yet, of servers neither, in another network.
    pub fn moved(&self, generation: u32, network: Network) -> Result<Upstream, NoMemory> {
        let mut servers = Vec::new();
        let fresh = self.servers.iter().map(|(server, _)| (*server, Health::default()));
        fresh.into_iter().try_for_each(|server| servers.try_push(server))?;
        Ok(Upstream {
            conf: self.conf.clone(),
            servers,
            generation: Some(generation),
            zones: self.zones.clone(),
            network,
        })
    }
}

/// Tells the trace of a panic that was caught: a bug of ours, with its place.
pub fn trace_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let Ok(environment) = state().and_then(State::environment) else { return };
    environment.settings.trace().decision(format_args!("internal error, please report: {panic}"));
}
