//! What was found out a moment ago, so that a lookup whose answer is known costs no system call, and
//! threads that make the same one don't get into each other's way: the answers themselves, the order
//! that a list of addresses was put in, and what the kernel says of this host's own ones, which is also
//! what AI_ADDRCONFIG goes by. Wiped by a fork with all other state.

pub mod answers;
pub mod facts;
pub mod families;
pub mod links;
pub mod orders;

use self::answers::Answers;
use self::facts::{Facts, Remembered};
use self::families::{Families, OwnFamilies};
use self::links::Links;
use self::orders::Orders;
use crate::cache::network::Place;
use crate::sys::netlink::ListError;
use crate::sys::surroundings::{self, Seen};
use crate::sys::time::Instant;
use core::net::{IpAddr, SocketAddr};

/// All that is remembered.
pub struct Recent {
    /// Answers.
    pub answers: Answers,
    /// The orders of lists.
    pub orders: Orders,
    /// Which links multicast DNS has.
    pub links: Links,
    facts: Remembered,
    families: Families,
    /// False where nothing is to be remembered.
    is_on: bool,
}

impl Recent {
    /// Room for about as many lists as the cache has names, which take two of its `entries` each; with
    /// none nothing is remembered.
    pub fn new(entries: usize, seed: u64) -> Recent {
        Recent {
            answers: Answers::new(entries > 0),
            orders: Orders::new(entries.div_ceil(2), seed),
            links: Links::default(),
            facts: Remembered::default(),
            families: Families::default(),
            is_on: entries > 0,
        }
    }

    /// The families that were found a moment ago; else those that this host has now.
    pub fn families(&self, now: Instant) -> Result<OwnFamilies, ListError> {
        match self.families.get(now).filter(|_| self.is_on) {
            Some(found) => Ok(found),
            None => Ok(self.look(now, core::iter::empty(), &[])?.families),
        }
    }

    /// What the kernel said a moment ago, or says now, of the `wanted` ones of this host's addresses.
    pub fn facts(
        &self,
        now: Instant,
        wanted: impl Iterator<Item = IpAddr> + Clone,
    ) -> Result<Facts, ListError> {
        if let Some(mut facts) = self.facts.get(now)
            && wanted.clone().all(|ip| facts.of(ip).is_some())
        {
            return Ok(facts);
        }
        Ok(self.look(now, wanted, &[])?.facts)
    }

    /// Remembers facts to which something was added.
    pub fn put_facts(&self, facts: Facts) {
        if self.is_on {
            self.facts.put(Some(facts));
        }
    }

    /// Asks the kernel for this host's addresses, of which `wanted` ones above all are remembered, and for
    /// the ways to `peers`.
    #[cold]
    #[inline(never)]
    pub fn look(
        &self,
        now: Instant,
        wanted: impl Iterator<Item = IpAddr>,
        peers: &[SocketAddr],
    ) -> Result<Looked, ListError> {
        let mut looked = Looked {
            facts: Facts::about(wanted, self.facts.last().as_ref(), now),
            families: OwnFamilies::default(),
            place: Place::default(),
        };
        surroundings::look(peers, &mut |seen| match seen {
            Seen::Own(own) => {
                looked.facts.learn(&own);
                looked.families.learn(own.ip);
                looked.place.add_own(&own);
            }
            Seen::Way(peer, way) => looked.place.add_way(peer, &way),
        })?;
        self.put_facts(looked.facts);
        self.families.put(looked.families, now);
        Ok(looked)
    }

    /// Forgets all that can be had without waiting.
    pub fn flush(&self) {
        self.forget();
        self.links.flush();
        self.facts.put(None);
        self.families.flush();
    }

    /// The same, but what the last look at this host's addresses has shown.
    pub fn forget(&self) {
        self.answers.flush();
        self.orders.flush();
    }
}

/// What a look at this host's addresses has shown.
pub struct Looked {
    /// Of single ones.
    pub facts: Facts,
    /// Of all of them.
    pub families: OwnFamilies,
    /// Of them and the ways to others.
    pub place: Place,
}

/// How long the kernel's word on routes and addresses is believed, in milliseconds: what comes or goes
/// is followed within a second.
pub const BELIEVED: u32 = 1000;
