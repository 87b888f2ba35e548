//! What one call works with: the configuration as it was when the call began, file by file as they
//! are needed.

mod configuration;

use crate::base::text::{NameText, Text, append_text};
use crate::cache::dns::Cache;
use crate::cache::network::{self, Network};
use crate::cache::recent::Recent;
use crate::config::hosts;
use crate::config::nsswitch::Service;
use crate::config::settings::Settings;
use crate::config::watch::{self, FRESH};
use crate::context::inherited::RESOLV;
use crate::context::manual::Manual;
use crate::context::state::{Environment, State, Upstream, state};
use crate::context::worlds::{Here, Position, World};
use crate::observe::counters::Counters;
use crate::observe::trace::Trace;
use crate::sys::files::{self, Unreadable};
use crate::sys::lock::MutexGuard;
use crate::sys::mem::NoMemory;
use crate::sys::res_state::Plain;
use crate::sys::shared::Shared;
use crate::sys::time::Instant;
use crate::sys::udp::Udp;
use crate::sys::{calls, environment, interfaces, probes, res_state};
use core::cell::Cell;
use core::fmt;
use core::net::SocketAddr;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;

/// One call's view of the process's state.
pub struct Session {
    state: &'static State,
    /// What is known where the calling thread is.
    world: Here,
    /// What reload this call comes after, whatever happens meanwhile.
    epoch: u32,
    environment: Shared<Environment>,
    now: Instant,
    /// Until when nothing that this call goes by is due for another look.
    good_until: Cell<Instant>,
    /// The finished exchange's UDP socket, reused by the address sort.
    used: Cell<Option<Udp>>,
}

impl Session {
    /// Takes up this process's state, and makes it at the first call.
    pub fn begin() -> Result<Session, NoMemory> {
        let (state, now, epoch) = (state()?, Instant::now(), watch::epoch());
        Session::at(state, state.here(now)?, (now, epoch))
    }

    /// The view of a call that has begun `now`.
    /// `epoch`: [`watch::epoch`] as it was before the world was looked for: a reload in between means that files
    /// are read once more.
    pub fn at(
        state: &'static State,
        world: Here,
        (now, epoch): (Instant, u32),
    ) -> Result<Session, NoMemory> {
        let good_until = Cell::new(now.after(Duration::from_millis(FRESH.into())));
        let used = Cell::new(None);
        let environment = world.environment();
        Ok(Session { state, world, epoch, environment, now, good_until, used })
    }

    /// Until when a call that goes by the same files has the same answer, if its addresses last; `None`
    /// where calls are not alike: the trace is on, the program has a `_res` or aliases of its own.
    pub fn good_until(&self) -> Option<Instant> {
        let alike = !self.trace().is_on()
            && !calls::is_cancelled()
            && self.environment.host_aliases.is_none()
            && !self.asks_libc()
            && !res_state::is_filled();
        alike.then(|| self.good_until.get())
    }

    /// Where decisions are said.
    pub fn trace(&self) -> Trace<'_> {
        self.environment.settings.trace()
    }

    /// What is remembered of this host's addresses.
    pub fn recent(&self) -> &Recent {
        &self.world.recent
    }

    /// What is known where the calling thread is.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The place of a UDP socket that this call needs no more, for who takes it.
    pub fn used(&self) -> &Cell<Option<Udp>> {
        &self.used
    }

    /// Counts the lookup that this call is about, which has come to `result`.
    pub fn counted<T, E>(&self, result: Result<T, E>) -> Result<T, E> {
        self.count(result.is_ok());
        result
    }

    #[inline(never)]
    fn count(&self, is_answered: bool) {
        probes::lookup_end(is_answered);
        self.state.counters.lookup(Instant::now().since(self.now), is_answered);
    }

    /// When this call began.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// This process's counters.
    pub fn counters(&self) -> &Counters {
        &self.state.counters
    }

    /// Answers that are still true.
    pub fn cache(&self) -> &Cache {
        &self.world.cache
    }

    /// rustdns.conf and the environment.
    pub fn settings(&self) -> &Settings {
        &self.environment.settings
    }

    /// True for a service that would ask the network, where torsocks does that in our place.
    pub fn stands_aside(&self, service: &Service) -> bool {
        use Service::{Dns, Mdns, Resolve};
        self.settings().stands_aside && matches!(service, Dns | Mdns(_) | Resolve)
    }

    /// True where names that nobody else knows go to the next library (`foreign libc`).
    pub fn asks_libc(&self) -> bool {
        self.environment.settings.asks_libc()
    }

    /// Servers, search list and options: resolv.conf's, or those in the thread's `_res` where the
    /// program has changed it.
    pub fn upstream(&self) -> Result<Shared<Upstream>, NoMemory> {
        let configured = self.current_upstream()?;
        self.upstream_by(res_state::of_this_thread(), configured)
    }

    /// What `state` says, or `configured` where there is none, or that is what it was filled from.
    pub fn upstream_by(
        &self,
        state: Option<Plain<'_>>,
        configured: Shared<Upstream>,
    ) -> Result<Shared<Upstream>, NoMemory> {
        let Some(manual) = state.map(Manual::of) else { return Ok(configured) };
        if self.state.knows_version(manual.fingerprint()) {
            return Ok(configured);
        }
        self.trace().decision(format_args!(
            "_res: set by the program: {} servers, the first {}, {} search domains, options {}",
            manual.servers.len(),
            First(manual.servers.first()),
            manual.search.len(),
            manual.options
        ));
        let is_placed = self.state.knows_version(manual.fingerprint_of_places());
        let mut upstream = manual.upstream(is_placed.then_some(&*configured))?;
        upstream.servers.retain(|(server, _)| self.environment.settings.may_ask(server));
        Shared::new(upstream)
    }

    /// Reads everything anew: `res_init(3)`.
    pub fn reload(&self) -> Result<(), NoMemory> {
        self.state.reload()
    }

    /// Servers, search list and options of resolv.conf.
    pub fn configured_upstream(&self) -> Result<Shared<Upstream>, NoMemory> {
        let upstream = self.followed_upstream()?;
        if !upstream.zones.have_moved(self.now, &interfaces::index) {
            return Ok(upstream);
        }
        self.trace().decision(format_args!("an interface that a name server is on has come anew"));
        self.world.files.resolv.expire();
        self.followed_upstream()
    }

    fn followed_upstream(&self) -> Result<Shared<Upstream>, NoMemory> {
        let path = &self.environment.paths.resolv;
        self.file(&self.world.files.resolv, path, |octets| {
            let text = self.kept(&RESOLV, path, octets)?;
            let generation = self.state.generation.fetch_add(1, Relaxed);
            let upstream =
                Upstream::new(text.as_deref(), &self.environment, generation, &interfaces::index)?;
            self.state.note_version(&upstream);
            self.say(path, &upstream.conf.notes);
            self.trace().decision(format_args!(
                "{}: {} servers, the first {}, {} search domains, options {}",
                Text(path.to_bytes()),
                upstream.servers.len(),
                First(upstream.servers.first().map(|(address, _)| address)),
                upstream.conf.search.len(),
                upstream.conf.options
            ));
            Ok(upstream)
        })
    }

    /// The same, for a lookup: what is known of the servers, and kept of their answers, is of the network
    /// that this host is in.
    pub fn current_upstream(&self) -> Result<Shared<Upstream>, NoMemory> {
        let upstream = self.configured_upstream()?;
        let network = &upstream.network;
        if network.is_due(self.now) {
            return self.look_around(upstream);
        }
        self.good_until.set(self.good_until.get().min(network.fresh_until(self.now)));
        Ok(upstream)
    }

    /// Looks whether this host is where it has been, and forgets what the network has said if it is not.
    ///
    /// Where the kernel does not say (a filter forbids to ask), nothing is ever forgotten.
    #[cold]
    #[inline(never)]
    fn look_around(&self, upstream: Shared<Upstream>) -> Result<Shared<Upstream>, NoMemory> {
        let peers = network::peers(upstream.servers.iter().map(|(server, _)| *server));
        let Ok(looked) = self.world.recent.look(self.now, core::iter::empty(), &peers) else {
            return Ok(upstream);
        };
        if !upstream.network.has_moved(looked.place) {
            return Ok(upstream);
        }
        self.trace().decision(format_args!(
            "the network has changed: addresses or routes; what it said is forgotten"
        ));
        let generation = self.state.generation.fetch_add(1, Relaxed);
        let here = Network::at(looked.place, self.now);
        let moved = upstream.moved(generation, here).and_then(Shared::new);
        if let Ok(moved) = &moved {
            self.world.files.resolv.replace(&upstream, moved);
        }
        self.world.forget_network();
        // Where memory is short the version that is there goes on being used.
        Ok(moved.unwrap_or(upstream))
    }

    /// What `HOSTALIASES` has for a name without dots (hostname(7)): the variable as it is now, where it
    /// can't be changing, else as it was last read.
    pub fn host_alias(&self, name: &[u8]) -> Result<Option<NameText>, NoMemory> {
        if name.contains(&b'.') {
            return Ok(None);
        }
        let now = match environment::is_settled() {
            true => Some(Environment::host_aliases()?),
            false => None,
        };
        let path = now.as_ref().unwrap_or(&self.environment.host_aliases);
        let Some(path) = path else { return Ok(None) };
        let text = match files::read(path) {
            Ok((text, _)) => text,
            Err(Unreadable::NoMemory) => return Err(NoMemory),
            Err(why) => {
                self.trace().decision(format_args!("{}: {why}", Text(path.to_bytes())));
                return Ok(None);
            }
        };
        let Some(alias) = hosts::host_alias(&text, name) else { return Ok(None) };
        self.trace().decision(format_args!("{}: alias of {}", Text(name), Text(alias)));
        let mut out = NameText::new();
        append_text(&mut out, alias)?;
        Ok(Some(out))
    }

    /// Where this process is in the hosts file; `None` where others keep it busy.
    pub fn position(&self) -> Option<MutexGuard<'_, Position>> {
        self.world.position.lock()
    }
}

/// The first of a list of servers, for the trace.
struct First<'a>(Option<&'a SocketAddr>);

impl fmt::Display for First<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(server) => server.fmt(f),
            None => f.write_str("nobody"),
        }
    }
}
