//! The answers of a moment ago, whole and in order. They are kept apart by thread, so that threads
//! that look up one name over and over share nothing that any of them writes to.
//!
//! An answer is good until a file that it depends on is due for a look, 100 ms at the most, or
//! its TTL is over.

use crate::base::address::Address;
use crate::base::answer::Addresses;
use crate::rules::query::{Family, Hints};
use crate::sys::atomic::{AtomicU32, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use crate::sys::lock::Mutex;
use crate::sys::mem::TryPush;
use crate::sys::process;
use crate::sys::time::Instant;

/// Threads are spread over this many stripes.
const STRIPES: usize = 16;
/// Answers in a stripe.
const PLACES: usize = 16;
/// Longer nodes are not remembered.
const MAX_NODE: usize = 64;
/// Nor are lists of more addresses: an answer takes no memory but its place.
const MAX_ADDRESSES: usize = 8;

/// What an answer answers: everything that it depends on but the configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    node: &'a [u8],
    how: u8,
}

impl<'a> Asked<'a> {
    /// `None` for what is not remembered: names in the locale's letters, canonical names, numbers.
    pub fn new(node: &'a [u8], hints: &Hints) -> Option<Asked<'a>> {
        let flags = &hints.flags;
        let rare = flags.idn || flags.canonname || flags.numeric_host;
        if rare || node.len() > MAX_NODE {
            return None;
        }
        let family = match hints.family {
            Family::Any => 0,
            Family::V4 => 1,
            Family::V6 => 2,
        };
        let flag = |is: bool, bit: u8| if is { 1 << bit } else { 0 };
        let how =
            family | flag(flags.v4_mapped, 2) | flag(flags.all, 3) | flag(flags.addr_config, 4);
        Some(Asked { node, how })
    }

    fn place(&self) -> usize {
        let sum = |sum: usize, &octet: &u8| sum.wrapping_mul(31).wrapping_add(octet.into());
        self.node.iter().fold(usize::from(self.how), sum) % PLACES
    }
}

/// The answers.
pub struct Answers {
    stripes: [Stripe; STRIPES],
    is_on: bool,
    /// Which answers count: those that were put in since it last changed.
    epoch: AtomicU32,
}

/// A thread's, and those of others that come out at the same stripe. On a cache line of its own, on
/// most processors.
#[derive(Default)]
#[repr(align(64))]
struct Stripe {
    answers: Mutex<Vec<Option<Answer>>>,
}

struct Answer {
    node: [u8; MAX_NODE],
    len: u8,
    how: u8,
    epoch: u32,
    until: Instant,
    questions: u8,
    addresses: Addresses,
}

/// An answer to remember.
pub struct Known<'a> {
    /// The addresses, in order.
    pub addresses: &'a [Address],
    /// How many questions of the DNS it has answered.
    pub questions: u8,
    /// What [`Answers::epoch`] said when it was begun.
    pub epoch: u32,
    /// When it is over.
    pub until: Instant,
}

impl Answers {
    /// None is remembered unless `is_on`.
    pub fn new(is_on: bool) -> Answers {
        Answers { stripes: Default::default(), is_on, epoch: AtomicU32::new(0) }
    }

    /// The answer of a moment ago, and how many questions of the DNS it stands for.
    pub fn get(&self, asked: &Asked<'_>, now: Instant) -> Option<(Addresses, u8)> {
        let stripe = self.stripe()?;
        let answers = stripe.answers.lock()?;
        let answer = answers.get(asked.place())?.as_ref()?;
        let same = answer.how == asked.how && answer.node.get(..answer.len.into())? == asked.node;
        if !same || answer.epoch != self.epoch.load(Relaxed) || now >= answer.until {
            return None;
        }
        let mut addresses = Addresses::new();
        for &address in &answer.addresses {
            addresses.try_push(address).ok()?; // never more than fit without memory
        }
        Some((addresses, answer.questions))
    }

    /// Remembers an answer. Nothing is where memory is short or others are at it.
    pub fn put(&self, asked: &Asked<'_>, known: &Known<'_>) {
        if !self.is_on || known.addresses.len() > MAX_ADDRESSES {
            return;
        }
        let mut answer = Answer {
            node: [0; MAX_NODE],
            len: asked.node.len() as u8, // at most MAX_NODE
            how: asked.how,
            epoch: known.epoch,
            until: known.until,
            questions: known.questions,
            addresses: Addresses::new(),
        };
        for &address in known.addresses {
            // At most what fits without memory.
            let _ = answer.addresses.try_push(address);
        }
        if let Some(place) = answer.node.get_mut(..asked.node.len()) {
            place.copy_from_slice(asked.node);
        }
        let Some(mut answers) = self.stripe().and_then(|stripe| stripe.answers.lock()) else {
            return;
        };
        if answers.is_empty() {
            if answers.try_reserve_exact(PLACES).is_err() {
                return;
            }
            answers.resize_with(PLACES, || None); // within the capacity
        }
        if let Some(place) = answers.get_mut(asked.place()) {
            *place = Some(answer);
        }
    }

    /// What answers that begin now are put in with.
    pub fn epoch(&self) -> u32 {
        // What is found from here on is not older than the flush that this comes after.
        self.epoch.load(Acquire)
    }

    /// Forgets all, those included that are being found right now.
    pub fn flush(&self) {
        self.epoch.fetch_add(1, Release);
    }

    /// The calling thread's stripe.
    fn stripe(&self) -> Option<&Stripe> {
        self.stripes.get(process::thread_mark_below(STRIPES))
    }
}

#[cfg(test)]
mod tests {
    use crate::cache::recent::answers::*;
    use crate::rules::query::{Flags, SockType};
    use core::net::{IpAddr, Ipv4Addr};
    use core::time::Duration;

    fn hints(family: Family, flags: Flags) -> Hints {
        Hints { flags, family, socktype: SockType::Any, protocol: 0 }
    }

    fn known(addresses: &[Address], epoch: u32, until: Instant) -> Known<'_> {
        Known { addresses, questions: 2, epoch, until }
    }

    fn list(count: u8) -> Vec<Address> {
        (0..count).map(|i| Address::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, i)))).collect()
    }

    #[test]
    fn an_answer_is_for_what_was_asked_and_for_its_time() {
        let answers = Answers::new(true);
        let any = hints(Family::Any, Flags::default());
        let asked = Asked::new(b"a.test", &any).unwrap();
        let now = Instant::now();
        let at = |millis| now.after(Duration::from_millis(millis));
        answers.put(&asked, &known(&list(2), answers.epoch(), at(100)));
        let (addresses, questions) = answers.get(&asked, at(99)).unwrap();
        assert_eq!((&*addresses, questions), (&*list(2), 2));
        assert!(answers.get(&asked, at(100)).is_none(), "its time is over");
        let others = [
            (&b"b.test"[..], Family::Any, Flags::default()),
            (b"a.test", Family::V4, Flags::default()),
            (b"a.test", Family::Any, Flags { addr_config: true, ..Flags::default() }),
            (b"a.test", Family::Any, Flags { v4_mapped: true, ..Flags::default() }),
            (b"a.test", Family::Any, Flags { all: true, ..Flags::default() }),
        ];
        for (node, family, flags) in others {
            let other = Asked::new(node, &hints(family, flags)).unwrap();
            assert!(answers.get(&other, now).is_none(), "{family:?} {flags:?}");
        }
        let epoch = answers.epoch();
        answers.flush();
        assert!(answers.get(&asked, now).is_none(), "forgotten");
        answers.put(&asked, &known(&list(2), epoch, at(100)));
        assert!(answers.get(&asked, now).is_none(), "found before all was forgotten");
    }

    #[test]
    fn what_is_not_remembered() {
        let answers = Answers::new(true);
        let any = hints(Family::Any, Flags::default());
        let (now, later) = (Instant::now(), Instant::now().after(Duration::from_secs(1)));
        let asked = Asked::new(b"a.test", &any).unwrap();
        answers.put(&asked, &known(&list(9), answers.epoch(), later));
        assert!(answers.get(&asked, now).is_none(), "more addresses than fit");
        assert!(Asked::new(&[b'a'; 65], &any).is_none());
        for flags in [
            Flags { idn: true, ..Flags::default() },
            Flags { canonname: true, ..Flags::default() },
            Flags { numeric_host: true, ..Flags::default() },
        ] {
            assert!(Asked::new(b"a.test", &hints(Family::Any, flags)).is_none(), "{flags:?}");
        }
        let off = Answers::new(false);
        off.put(&asked, &known(&list(1), off.epoch(), later));
        assert!(off.get(&asked, now).is_none());
    }
}
