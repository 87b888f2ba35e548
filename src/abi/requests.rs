//! The requests of `getaddrinfo_a` that are not done, and the threads that work on them.
//!
//! A request is in one of two lists, `waiting` or `running`, until it is done or given up. The
//! program's control block is written to under the lock only, by whoever takes the request off its
//! list: once a request is on neither, its block is the program's again and never touched.
//!
//! These threads are the only thing of ours that outlives a call: at most [`MAX_THREADS`], each gone
//! after [`IDLE`] without work. A forked child has none, and an empty table of its own.

use super::addrinfo;
use super::getaddrinfo_a::{EAI_CANCELED, Gaicb};
use super::job::Job;
use super::waiting::{Group, Suspended, Watcher};
use crate::sys::fork_local::PerProcess;
use crate::sys::mem::{NoMemory, TryPush};
use crate::sys::monitor::{Held, Monitor};
use crate::sys::shared::Shared;
use crate::sys::thread::{self, Background, SignalsBlocked};
use crate::sys::time::Instant;
use core::ops::{Deref, DerefMut};
use core::ptr::null_mut;
use core::time::Duration;
use std::collections::VecDeque;

/// As many as libc has.
const MAX_THREADS: u32 = 20;

/// How long a thread waits for more to do, as libc's.
const IDLE: Duration = Duration::from_secs(1);

static REQUESTS: PerProcess<Requests> = PerProcess::new();

/// The requests of this process.
pub(super) struct Requests {
    /// With news for idle threads when something is waiting.
    table: Monitor<Table>,
}

struct Table {
    waiting: VecDeque<Request>,
    /// Has room for all that are waiting.
    running: Vec<Request>,
    threads: u32,
    idle: u32,
    last_number: u64,
}

/// One lookup that was asked for.
struct Request {
    number: u64,
    /// Where the result goes; null when nobody wants it any more.
    block: *mut Gaicb,
    group: Option<Shared<Group>>,
    watchers: Vec<Shared<Watcher>>,
}

// SAFETY: the block is the program's, which leaves it to us until the request is done.
unsafe impl Send for Request {}

/// How [`Requests::cancel`] ended.
pub(super) enum Cancelled {
    /// There was such a request, and it won't touch its control block any more.
    Done,
    /// There was none.
    Nothing,
}

/// What became of the requests handed in by one call.
pub(super) struct Submitted {
    /// How many are under way.
    pub(super) accepted: usize,
    /// How many could not be taken: no memory, or no thread. Their blocks say `EAI_AGAIN`.
    pub(super) refused: usize,
}

/// This process's requests.
pub(super) fn requests() -> Result<&'static Requests, NoMemory> {
    REQUESTS.get(|| {
        Ok(Requests {
            table: Monitor::new(Table {
                waiting: VecDeque::new(),
                running: Vec::new(),
                threads: 0,
                idle: 0,
                last_number: 0,
            }),
        })
    })
}

impl Requests {
    /// Takes in these requests (null: none). With `here` the calling thread will work on them too, by
    /// [`Requests::work_off`]; else each needs a thread, at least one that others have as well.
    ///
    /// # Safety
    /// Blocks that are not null are valid, and left alone by the program until they are done.
    pub(super) unsafe fn submit(
        &'static self,
        blocks: &[*mut Gaicb],
        group: Option<&Shared<Group>>,
        here: bool,
    ) -> Submitted {
        let mut submitted = Submitted { accepted: 0, refused: 0 };
        let mut table = self.lock();
        for &block in blocks.iter().filter(|block| !block.is_null()) {
            // SAFETY: by the function's contract the block is valid.
            unsafe { Gaicb::begin(block, self.identity()) };
            let mine = here && submitted.accepted == 0;
            let taken = table.push(block, group).is_ok()
                && (mine || self.see_to_threads(&mut table, here) || here || table.withdraw());
            if taken {
                submitted.accepted += 1;
            } else {
                submitted.refused += 1;
                // SAFETY: as above; the request is on no list, so nobody else writes to the block.
                unsafe { Gaicb::end(block, libc::EAI_AGAIN, None) };
            }
        }
        if let Some(group) = group {
            // Nobody can have taken one from the list: that takes the lock.
            group.begin(submitted.accepted);
        }
        submitted
    }

    /// Works on the group's requests that no thread has taken, and returns when all are done.
    pub(super) fn work_off(&'static self, group: &Shared<Group>) {
        let next = || self.lock().take(|request| request.belongs_to(group));
        while let Some(taken) = next() {
            self.perform(taken);
        }
        group.wait();
    }

    /// Waits until one of these is done, of those that are under way now.
    pub(super) fn suspend(
        &self,
        blocks: &[*const Gaicb],
        deadline: Option<Instant>,
    ) -> Result<Suspended, NoMemory> {
        let watcher = Watcher::new()?;
        let watched = self.lock().watch(blocks, &watcher);
        let outcome = match watched {
            Ok(false) => return Ok(Suspended::Nothing),
            Ok(true) => Ok(watcher.wait(deadline)),
            Err(NoMemory) => Err(NoMemory),
        };
        for request in self.lock().all() {
            request.watchers.retain(|other| !Shared::same(other, &watcher));
        }
        outcome
    }

    /// Gives up the requests of this block, or with null all: what runs is done for nobody. Blocks
    /// say `EAI_CANCELED` then.
    pub(super) fn cancel(&self, block: *mut Gaicb) -> Cancelled {
        let wanted = |other: *mut Gaicb| !other.is_null() && (block.is_null() || other == block);
        let mut found = Cancelled::Nothing;
        loop {
            let mut table = self.lock();
            let Some(mut request) = table.give_up(wanted) else { return found };
            found = Cancelled::Done;
            // SAFETY: the request was under way, so its block is valid; it is on no list now, or its
            // entry there has forgotten the block.
            unsafe { Gaicb::end(request.block, EAI_CANCELED, None) };
            drop(table);
            request.tell(false);
        }
    }

    /// What tells this process's requests from those that a parent had before the fork.
    pub(super) fn identity(&'static self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Sees that somebody works on what waits, with the calling thread (`here`) or without; false when
    /// there is no thread of ours, and none to be had.
    fn see_to_threads(&'static self, table: &mut Table, here: bool) -> bool {
        let idle = usize::try_from(table.idle).unwrap_or(usize::MAX);
        if table.waiting.len() > idle.saturating_add(usize::from(here))
            && table.threads < MAX_THREADS
            && thread::start(self).is_ok()
        {
            table.threads += 1;
        }
        self.table.tell();
        table.threads > 0
    }

    /// Does the lookup of a request that was taken, and tells who waits for it.
    fn perform(&self, taken: Taken) {
        let (code, list) = match taken.job {
            Ok(job) => job.run(),
            Err(NoMemory) => (libc::EAI_MEMORY, null_mut()),
        };
        let mut table = self.lock();
        let position = table.running.iter().position(|request| request.number == taken.number);
        let Some(mut request) = position.map(|at| table.running.swap_remove(at)) else { return };
        if request.block.is_null() {
            drop(table);
            // SAFETY: the list is whole, and nobody else has seen it.
            unsafe { addrinfo::free(list) };
            return;
        }
        // SAFETY: the request was under way, so its block is valid, and is on no list any more.
        unsafe { Gaicb::end(request.block, code, (code == 0).then_some(list)) };
        drop(table);
        request.tell(true);
    }

    /// The table, with the program's signal handlers kept out: they may call us, too.
    fn lock(&self) -> Locked<'_> {
        let deaf = SignalsBlocked::new();
        Locked { table: self.lock_on_own_thread(), _deaf: deaf }
    }

    /// The same for threads that are deaf anyway.
    fn lock_on_own_thread(&self) -> Held<'_, Table> {
        // Nothing that is done under the lock leaves the table half changed.
        self.table.lock()
    }

    /// The next request for one of our threads; `None` after a while without any: the thread ends.
    fn next(&self) -> Option<Taken> {
        let mut table = self.lock_on_own_thread();
        if let Some(taken) = table.take(|_| true) {
            return Some(taken);
        }
        table.idle += 1;
        let end = Instant::now().after(IDLE);
        while table.waiting.is_empty() && table.wait(end) {}
        table.idle -= 1;
        let taken = table.take(|_| true);
        if taken.is_none() {
            table.threads -= 1;
        }
        taken
    }
}

impl Background for Requests {
    fn serve(&'static self) {
        while let Some(taken) = self.next() {
            self.perform(taken);
        }
    }
}

impl Table {
    fn push(&mut self, block: *mut Gaicb, group: Option<&Shared<Group>>) -> Result<(), NoMemory> {
        self.waiting.try_reserve(1).map_err(|_| NoMemory)?;
        self.running.try_reserve(self.waiting.len() + 1).map_err(|_| NoMemory)?;
        self.last_number += 1;
        self.waiting.push_back(Request {
            number: self.last_number,
            block,
            group: group.cloned(),
            watchers: Vec::new(),
        });
        Ok(())
    }

    /// Undoes the last push. Always false.
    fn withdraw(&mut self) -> bool {
        self.waiting.pop_back();
        false
    }

    /// Moves the first such request that waits to those that run.
    fn take(&mut self, wanted: impl Fn(&Request) -> bool) -> Option<Taken> {
        let position = self.waiting.iter().position(wanted)?;
        let request = self.waiting.remove(position)?;
        // SAFETY: the request is under way, so its block is valid.
        let job = unsafe { Job::read(request.block) };
        let taken = Taken { number: request.number, job };
        // There is room: see `push`.
        self.running.push(request);
        Some(taken)
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Request> {
        self.waiting.iter_mut().chain(&mut self.running)
    }

    /// Lets the watcher know of the end of these blocks' requests; false when there are none.
    fn watch(
        &mut self,
        blocks: &[*const Gaicb],
        watcher: &Shared<Watcher>,
    ) -> Result<bool, NoMemory> {
        let mut found = false;
        for &block in blocks.iter().filter(|block| !block.is_null()) {
            for request in self.all().filter(|request| request.block.cast_const() == block) {
                request.watchers.try_push(watcher.clone())?;
                found = true;
            }
        }
        Ok(found)
    }

    /// Takes a request whose block is wanted off its list; one that runs stays there without a block,
    /// for the thread that works on it.
    fn give_up(&mut self, wanted: impl Fn(*mut Gaicb) -> bool) -> Option<Request> {
        if let Some(position) = self.waiting.iter().position(|request| wanted(request.block)) {
            return self.waiting.remove(position);
        }
        let request = self.running.iter_mut().find(|request| wanted(request.block))?;
        Some(Request {
            number: request.number,
            block: core::mem::replace(&mut request.block, null_mut()),
            group: request.group.take(),
            watchers: core::mem::take(&mut request.watchers),
        })
    }
}

impl Request {
    fn belongs_to(&self, group: &Shared<Group>) -> bool {
        self.group.as_ref().is_some_and(|own| Shared::same(own, group))
    }

    /// Tells all who wait for it that it has ended. Not under the lock.
    fn tell(&mut self, done: bool) {
        for watcher in &self.watchers {
            watcher.fire();
        }
        if let Some(group) = &self.group {
            group.one_less(done);
        }
    }
}

/// The table, locked.
struct Locked<'a> {
    // Unlocked before signals are let in again.
    table: Held<'a, Table>,
    _deaf: SignalsBlocked,
}

impl Deref for Locked<'_> {
    type Target = Table;

    fn deref(&self) -> &Table {
        &self.table
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Table {
        &mut self.table
    }
}

/// A request that somebody works on.
struct Taken {
    number: u64,
    job: Result<Job, NoMemory>,
}
