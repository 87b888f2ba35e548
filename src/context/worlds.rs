//! What is known of one network namespace and root: the files there, what its name servers have answered and
//! how they did, what the kernel said of addresses and routes. A thread may leave its namespace or its root
//! at any time (setns(2), unshare(2), chroot(2), pivot_root(2)), by system calls that nobody else sees; what
//! was learned in one is never used in another.
//!
//! A thread that may leave is looked after at each call. One that may not is where it was: it is looked after
//! at its first call, and then as often as a file is, every 100 ms, for what can't be excluded: the only
//! thread of a process may get every right in a user namespace of its own, and a thread's root is that of
//! all that share it.

use crate::cache::dns::Cache;
use crate::cache::pending::Pending;
use crate::cache::recent::Recent;
use crate::config::hosts::Hosts;
use crate::config::watch::{self, FRESH, Watched};
use crate::context::state::{Environment, Files, State};
use crate::observe::counters::Counters;
use crate::sys::encrypted::Place;
use crate::sys::lock::Mutex;
use crate::sys::mem::NoMemory;
use crate::sys::namespaces::{Freedom, Network, Root, network_number, thread};
use crate::sys::set_once::Chosen;
use crate::sys::shared::Shared;
use crate::sys::time::Instant;
use core::ops::Deref;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed, compiler_fence};

/// Worlds that stay as long as the process: the first one, and others that threads live in which can't
/// leave. Who is in one of them shares nothing with other threads that any of them writes to.
const RESIDENT: usize = 3;
/// Worlds that are kept besides, until others take their place: as many as a node of Kubernetes has pods
/// by default, and some.
const PASSING: usize = 128;
/// The cache of one of those has room for so many times fewer answers. All of them full are about 6 MiB.
const SMALLER: usize = 16;

/// Which network namespace and root.
#[derive(Clone, Copy)]
pub struct Identity {
    /// `None` where neither cookie nor number can be found out.
    network: Option<Network>,
    /// The network's number beside its cookie, where it is asked for.
    number: Option<u64>,
    /// `None` where a filter forbids to look at it.
    root: Option<Root>,
}

impl Identity {
    /// The calling thread's.
    fn now() -> Identity {
        Identity { network: Network::now(), number: None, root: Root::now() }
    }

    /// The one that a process begins in, and will be asked for most often.
    fn first(freedom: Freedom) -> Identity {
        let number = if freedom == Freedom::All { network_number() } else { None };
        Identity { number, ..Identity::now() }
    }

    fn has_network(&self, network: Option<Network>) -> bool {
        self.compared(network) == Some(true)
    }

    /// Whether this is the same network; `None` where one is known by its cookie alone and one by its number.
    fn compared(&self, network: Option<Network>) -> Option<bool> {
        match (self.network?, network?) {
            (Network::Cookie(_), Network::Number(number)) => Some(self.number? == number),
            (Network::Number(_), Network::Cookie(_)) => None,
            (own, other) => Some(own == other),
        }
    }

    fn has_root(&self, root: Option<Root>) -> bool {
        root.is_some() && root == self.root
    }
}

/// All that is learned in one network namespace and root.
pub struct World {
    at: Identity,
    environment: Mutex<Shared<Environment>>,
    /// As it was at first: for threads that find the other busy.
    first_environment: Shared<Environment>,
    /// [`watch::epoch`] when files and environment were last to be read anew.
    epoch: AtomicU32,
    /// Followed files.
    pub files: Files,
    /// Answers of the DNS.
    pub cache: Cache,
    /// What the kernel has said of this host's addresses a moment ago.
    pub recent: Recent,
    /// Questions that some thread is asking right now.
    pub pending: Pending,
    /// What librustdns-encrypted.so keeps.
    pub encrypted: Shared<Place>,
    /// Where `gethostent` is.
    pub position: Mutex<Position>,
    rotation: AtomicUsize,
    counters: Shared<Counters>,
}

impl World {
    /// A world of which nothing is known yet.
    #[inline(never)]
    pub fn new(
        at: Identity,
        environment: Environment,
        entries: usize,
        seed: u64,
        counters: Shared<Counters>,
    ) -> Result<Shared<World>, NoMemory> {
        let epoch = environment.epoch;
        let environment = Shared::new(environment)?;
        Shared::new(World {
            at,
            first_environment: environment.clone(),
            environment: Mutex::new(environment),
            epoch: AtomicU32::new(epoch),
            files: Files {
                resolv: Watched::new(),
                hosts: Watched::new(),
                nsswitch: Watched::new(),
                gai: Watched::new(),
                services: Watched::new(),
            },
            cache: Cache::new(entries, seed),
            recent: Recent::new(entries, seed),
            pending: Pending::new(seed),
            encrypted: Shared::new(Place::default())?,
            position: Mutex::new(Position::default()),
            rotation: AtomicUsize::new(0),
            counters,
        })
    }

    /// The environment as it was last read.
    pub fn environment(&self) -> Shared<Environment> {
        match self.environment.lock() {
            Some(environment) => environment.clone(),
            None => self.first_environment.clone(),
        }
    }

    /// Reads environment and files anew, changed or not, and forgets all answers.
    #[inline(never)]
    pub fn reload(&self, state: &State) -> Result<(), NoMemory> {
        let environment = Shared::new(Environment::read(&state.variables(), true)?)?;
        let epoch = environment.epoch;
        if let Some(mut current) = self.environment.lock() {
            *current = environment;
        }
        self.flush();
        self.epoch.store(epoch, Relaxed);
        Ok(())
    }

    /// Forgets all answers.
    pub fn flush(&self) {
        self.counters.cache_changed(&self.cache.flush());
        self.recent.flush();
    }

    /// Forgets all that the network has said: it is another one now.
    pub fn forget_network(&self) {
        self.counters.cache_changed(&self.cache.flush());
        self.recent.forget();
    }

    /// Where `rotate` starts this time.
    pub fn rotation(&self) -> usize {
        self.rotation.fetch_add(1, Relaxed)
    }

    /// True where the calling thread is here, as far as the number of its network namespace tells.
    fn is_here(&self) -> bool {
        self.at.number.is_some()
            && self.at.number == network_number()
            && self.at.has_root(Root::now())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.counters.cache_changed(&self.cache.flush());
    }
}

/// The world that a call is in.
#[derive(Clone)]
pub enum Here {
    /// One that stays.
    Resident(&'static Shared<World>),
    /// One that stays for this call at least.
    Passing(Shared<World>),
}

impl Deref for Here {
    type Target = World;

    fn deref(&self) -> &World {
        match self {
            Here::Resident(world) => world,
            Here::Passing(world) => world,
        }
    }
}

/// The worlds of a process.
pub struct Worlds {
    /// Another one than that of any process which this one is a fork of.
    process: usize,
    /// The one that it began in.
    first: Shared<World>,
    /// The others that stay.
    resident: [Chosen<Shared<World>>; RESIDENT],
    passing: Mutex<Vec<Passing>>,
    /// Held by who makes one.
    making: Mutex<()>,
}

struct Passing {
    world: Shared<World>,
    /// When it was last taken up: [`Instant::millis`].
    used: u32,
}

impl Passing {
    fn is_at(&self, at: &Identity) -> bool {
        self.world.at.has_network(at.network) && self.world.at.has_root(at.root)
    }
}

/// What is known of the calling thread since it was last looked after. A signal handler may look up names
/// in between: the time is zero while the rest is being changed.
struct Mark {
    /// When that was: [`Instant::millis`], made odd; 0: never.
    at: AtomicU32,
    /// Which process, by the number of its state: a child's thread has its parent's mark at first.
    process: AtomicUsize,
    /// Where more than one thread goes by one mark, which.
    thread: AtomicUsize,
    /// What it can leave, and the number of the resident world that it is in.
    freedom: AtomicU32,
    resident: AtomicUsize,
}

thread_local! {
    static MARK: Mark = const {
        Mark {
            at: AtomicU32::new(0),
            process: AtomicUsize::new(0),
            thread: AtomicUsize::new(0),
            freedom: AtomicU32::new(0),
            resident: AtomicUsize::new(0),
        }
    };
}

impl Mark {
    /// What the calling thread can leave, and the resident world that it was in; `None` where it is to be
    /// looked after.
    fn read(process: usize, now: Instant) -> Option<(Freedom, usize)> {
        MARK.with(|mark| {
            let age = (now.millis() | 1).wrapping_sub(mark.at.load(Relaxed));
            let freedom = Freedom::of(mark.freedom.load(Relaxed));
            let is_good = age < FRESH && mark.is_of(process);
            is_good.then_some((freedom, mark.resident.load(Relaxed)))
        })
    }

    /// The resident world that the calling thread was in when it was last looked after; else the first.
    fn last_world(process: usize) -> usize {
        MARK.with(|mark| if mark.is_of(process) { mark.resident.load(Relaxed) } else { 0 })
    }

    fn is_of(&self, process: usize) -> bool {
        self.at.load(Relaxed) != 0
            && self.process.load(Relaxed) == process
            && self.thread.load(Relaxed) == thread()
    }

    fn write(process: usize, now: Instant, freedom: Freedom, resident: usize) {
        MARK.with(|mark| {
            mark.at.store(0, Relaxed);
            compiler_fence(core::sync::atomic::Ordering::SeqCst);
            mark.process.store(process, Relaxed);
            mark.thread.store(thread(), Relaxed);
            mark.freedom.store(freedom as u32, Relaxed);
            mark.resident.store(resident, Relaxed);
            compiler_fence(core::sync::atomic::Ordering::SeqCst);
            mark.at.store(now.millis() | 1, Relaxed);
        });
    }
}

impl Worlds {
    /// The worlds of a process that begins with a call of this thread; `make` makes the first one.
    pub fn new(
        make: impl FnOnce(Identity) -> Result<Shared<World>, NoMemory>,
    ) -> Result<Worlds, NoMemory> {
        static PROCESSES: AtomicUsize = AtomicUsize::new(0);
        let process = PROCESSES.fetch_add(1, Relaxed).wrapping_add(1);
        let (now, freedom) = (Instant::now(), Freedom::now());
        let first = make(Identity::first(freedom))?;
        let resident = [const { Chosen::nothing() }; RESIDENT];
        Mark::write(process, now, freedom, 0);
        Ok(Worlds {
            process,
            first,
            resident,
            passing: Mutex::new(Vec::new()),
            making: Mutex::new(()),
        })
    }

    /// The calling thread's world, made if there is none.
    pub fn here(&'static self, state: &State, now: Instant) -> Result<Here, NoMemory> {
        let Some((freedom, number)) = Mark::read(self.process, now) else {
            return self.look(state, now, None);
        };
        let resident = self.resident(number);
        match (freedom, resident) {
            (Freedom::Nothing, Some(world)) => Ok(Here::Resident(world)),
            (Freedom::Root, Some(world)) if world.at.has_root(Root::now()) => {
                Ok(Here::Resident(world))
            }
            (Freedom::All, Some(world)) if world.is_here() => Ok(Here::Resident(world)),
            // Who has all rights can't have got more.
            (Freedom::All, _) => self.look(state, now, Some(freedom)),
            (Freedom::Nothing | Freedom::Root, _) => self.look(state, now, None),
        }
    }

    /// Looks after the calling thread, as far as that has not been done just now.
    #[inline(never)]
    fn look(
        &'static self,
        state: &State,
        now: Instant,
        freedom: Option<Freedom>,
    ) -> Result<Here, NoMemory> {
        let mark = |freedom, number| Mark::write(self.process, now, freedom, number);
        let is_marked = freedom.is_some();
        let freedom = freedom.unwrap_or_else(Freedom::now);
        let at = Identity::now();
        let last = Mark::last_world(self.process);
        // Who can't leave is taken to be where it was last, or where the process began, unless it is seen to be
        // elsewhere.
        if freedom == Freedom::Nothing
            && let Some(world) = self.resident(last)
            && world.at.compared(at.network) != Some(false)
            && (at.root.is_none() || world.at.has_root(at.root))
        {
            mark(freedom, last);
            return Ok(Here::Resident(world));
        }
        // Of what may be anywhere nothing is kept.
        if at.network.is_none() {
            return state.new_world(at, true).map(Here::Passing);
        }
        // Threads that come into a world at the same time find the one that the first of them makes.
        let _making = match self.is_known(&at) {
            true => None,
            false => self.making.lock(),
        };
        for number in 0..=RESIDENT {
            let world = match (self.resident(number), self.place(number)) {
                (Some(world), _) => world,
                // One that is passed through has its place among those that make room for others.
                (None, None) => break,
                (None, Some(_)) if freedom == Freedom::All => break,
                (None, Some(place)) => match self.take_passing(&at) {
                    Some(world) => place.set_first(world)?,
                    None => place.set_first(state.new_world(at, false)?)?,
                },
            };
            // Who may not even look at its root is not taken to have left it.
            let has_root = world.at.has_root(at.root) || at.root.is_none() && number == last;
            if has_root && world.at.has_network(at.network) {
                mark(freedom, number);
                return Ok(Here::Resident(world));
            }
        }
        if !is_marked {
            mark(freedom, RESIDENT + 1);
        }
        self.pass(state, now, at).map(Here::Passing)
    }

    /// True where there is a world for those that are there.
    fn is_known(&'static self, at: &Identity) -> bool {
        let mut resident = (0..=RESIDENT).map_while(|number| self.resident(number));
        let is_there =
            |world: &Shared<World>| world.at.has_network(at.network) && world.at.has_root(at.root);
        resident.any(is_there)
            || self
                .passing
                .lock()
                .is_some_and(|passing| passing.iter().any(|passing| passing.is_at(at)))
    }

    /// The resident world of this number; the first one's is 0.
    fn resident(&'static self, number: usize) -> Option<&'static Shared<World>> {
        if number == 0 { Some(&self.first) } else { self.place(number)?.get() }
    }

    fn place(&self, number: usize) -> Option<&Chosen<Shared<World>>> {
        self.resident.get(number.checked_sub(1)?)
    }

    /// A world that is kept until others take its place.
    fn pass(&self, state: &State, now: Instant, at: Identity) -> Result<Shared<World>, NoMemory> {
        let known = |passing: &mut Vec<Passing>| {
            let found = passing.iter_mut().find(|passing| passing.is_at(&at))?;
            found.used = now.millis();
            Some(found.world.clone())
        };
        if let Some(world) = self.passing.lock().and_then(|mut passing| known(&mut passing)) {
            return Ok(world);
        }
        let world = state.new_world(at, true)?;
        let Some(mut passing) = self.passing.lock() else { return Ok(world) };
        // Another thread may have been quicker.
        if let Some(theirs) = known(&mut passing) {
            return Ok(theirs);
        }
        let made = Passing { world: world.clone(), used: now.millis() };
        let age = |passing: &Passing| now.millis().wrapping_sub(passing.used);
        let replaced = if passing.len() < PASSING && passing.try_reserve(1).is_ok() {
            passing.push(made); // within the capacity
            None
        } else {
            passing.iter_mut().max_by_key(|p| age(p)).map(|oldest| core::mem::replace(oldest, made))
        };
        // What that frees is not freed while others wait.
        drop(passing);
        drop(replaced);
        Ok(world)
    }

    /// Takes a world from those that make room for others.
    fn take_passing(&self, at: &Identity) -> Option<Shared<World>> {
        let mut passing = self.passing.lock()?;
        let place = passing.iter().position(|passing| passing.is_at(at))?;
        Some(passing.swap_remove(place).world)
    }

    /// Forgets all answers, in every world.
    pub fn flush(&self) {
        self.first.flush();
        self.resident.iter().filter_map(Chosen::get).for_each(|world| world.flush());
        if let Some(passing) = self.passing.lock() {
            passing.iter().for_each(|passing| passing.world.flush());
        }
    }
}

impl State {
    /// A world of which nothing is known yet.
    #[inline(never)]
    fn new_world(&self, at: Identity, is_passing: bool) -> Result<Shared<World>, NoMemory> {
        let environment = Environment::read(&self.variables(), false)?;
        let entries = environment.settings.cache_entries / if is_passing { SMALLER } else { 1 };
        let counters = self.counters.clone();
        World::new(at, environment, entries, self.seed(), counters)
    }

    /// The calling thread's world.
    pub fn here(&'static self, now: Instant) -> Result<Here, NoMemory> {
        let here = self.worlds.here(self, now)?;
        if here.epoch.load(Relaxed) != watch::epoch() {
            // Where memory is short it stays as it is, until the next call.
            let _ = here.reload(self);
        }
        Ok(here)
    }
}

/// Where a process is in the hosts file: `gethostent(3)`.
#[derive(Default)]
pub struct Position {
    /// The file as it was when the walk through it began.
    pub file: Option<Shared<Hosts>>,
    /// Where the next line begins.
    pub offset: usize,
}
