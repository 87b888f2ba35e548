//! What questions come to: one record type each, and the two families of a name together.

use super::exchange::{Progress, Verdict};
use super::flight::MAX_QUESTIONS;
use crate::base::answer::{Answer, Found};
use crate::base::error::{Failure, Trouble};
use crate::base::rcode;
use crate::cache::dns::Entry;
use crate::cache::pending::Unkept;
use crate::rules::search::Miss;
use crate::sys::mem::{NoMemory, TryPush};

/// What one question has come to.
pub(super) enum Outcome<T> {
    Found(T),
    Missed(Miss),
    Failed(Trouble),
    NotAsked,
}

impl<T> Outcome<T> {
    /// What an answer says; `found` makes the outcome of records that were found.
    pub(super) fn of<R>(
        content: Answer<R>,
        found: impl FnOnce(R) -> Result<T, NoMemory>,
    ) -> Result<Outcome<T>, NoMemory> {
        Ok(match content {
            Answer::Found(records) => Outcome::Found(found(records)?),
            Answer::NoData => Outcome::Missed(Miss::NoData),
            Answer::NoName => Outcome::Missed(Miss::NoName),
            Answer::Unrelated => Outcome::Missed(Miss::Unrelated),
        })
    }

    /// An answered question, as the exchange sees it.
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Outcome::Found(_) => Verdict::Positive,
            Outcome::Missed(_) | Outcome::Failed(_) | Outcome::NotAsked => Verdict::Negative,
        }
    }

    /// Notes that no server answered; answers have been noted when they came.
    pub(super) fn note(&mut self, progress: Progress) {
        if let Progress::Failed(trouble) = progress {
            *self = Outcome::Failed(trouble);
        }
    }

    /// True where no server has given an answer, so that one past its time may serve. A forged answer is
    /// no silence.
    pub(super) fn wants_spare(&self) -> bool {
        match self {
            Outcome::Failed(trouble) => !matches!(trouble, Trouble::Bogus | Trouble::Cancelled),
            Outcome::Found(_) | Outcome::Missed(_) | Outcome::NotAsked => false,
        }
    }

    /// True where no server said anything.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Outcome::Failed(Trouble::Silent))
    }

    /// What another thread can't find in the cache; `answer` makes it of what was found, where it is not
    /// there.
    pub(super) fn unkept(&self, answer: impl FnOnce(&T) -> Option<Entry>) -> Option<Unkept> {
        match self {
            Outcome::Missed(miss) => Some(Unkept::Missed(*miss)),
            Outcome::Failed(Trouble::Cancelled) => None,
            Outcome::Failed(trouble) => Some(Unkept::Failed(*trouble)),
            Outcome::Found(found) => answer(found).map(Unkept::Answer),
            Outcome::NotAsked => None,
        }
    }

    /// Takes over what another thread has learned, where nothing is known; `read` reads an answer.
    pub(super) fn learn(
        &mut self,
        learned: Option<Unkept>,
        read: impl FnOnce(&Entry) -> Result<Outcome<T>, NoMemory>,
    ) -> Result<(), NoMemory> {
        if let (Outcome::NotAsked, Some(learned)) = (&self, learned) {
            *self = match learned {
                Unkept::Answer(entry) => read(&entry)?,
                Unkept::Missed(miss) => Outcome::Missed(miss),
                Unkept::Failed(trouble) => Outcome::Failed(trouble),
            };
        }
        Ok(())
    }
}

/// What is asked of a name, and what has come of it: IPv4 first, then IPv6.
pub(super) struct Answers {
    pub(super) wanted: [Option<u16>; MAX_QUESTIONS],
    pub(super) outcomes: [Outcome<Found>; MAX_QUESTIONS],
}

impl Answers {
    /// The outcomes that are still to come, with their record types.
    pub(super) fn open(&mut self) -> impl Iterator<Item = (u16, &mut Outcome<Found>)> {
        let wanted = self.wanted.iter().zip(&mut self.outcomes);
        wanted.filter_map(|(qtype, outcome)| match outcome {
            Outcome::NotAsked => Some(((*qtype)?, outcome)),
            Outcome::Found(_) | Outcome::Missed(_) | Outcome::Failed(_) => None,
        })
    }

    /// True where addresses of one family are known.
    pub(super) fn has_addresses(&self) -> bool {
        self.outcomes.iter().any(|outcome| matches!(outcome, Outcome::Found(_)))
    }

    /// The record types that no server has said anything about.
    pub(super) fn silent(&self) -> impl Iterator<Item = u16> + use<> {
        let silent = |outcome: &Outcome<Found>| matches!(outcome, Outcome::Failed(Trouble::Silent));
        let [v4, v6] = &self.outcomes;
        let silent = [silent(v4), silent(v6)];
        self.wanted.into_iter().zip(silent).filter(|(_, is)| *is).filter_map(|(qtype, _)| qtype)
    }

    /// What servers were silent about is to be asked for.
    pub(super) fn forget_silence(&mut self) {
        for outcome in &mut self.outcomes {
            if matches!(outcome, Outcome::Failed(Trouble::Silent)) {
                *outcome = Outcome::NotAsked;
            }
        }
    }

    pub(super) fn is_complete(&mut self) -> bool {
        self.open().next().is_none()
    }

    /// The record types that are still to be asked for, each in its family's place; 0: none.
    pub(super) fn missing(&self) -> [u16; MAX_QUESTIONS] {
        let mut missing = [0; MAX_QUESTIONS];
        let families = self.wanted.iter().zip(&self.outcomes);
        for (place, (wanted, outcome)) in missing.iter_mut().zip(families) {
            if let (Some(qtype), Outcome::NotAsked) = (wanted, outcome) {
                *place = *qtype;
            }
        }
        missing
    }
}

/// Joins the two families' outcomes: addresses of either are a success, and without any the first
/// family's "no" counts before the second's, and an answer before trouble.
///
/// Takes them. Not in the frame that stays on the stack while servers are waited for.
#[inline(never)]
pub(super) fn together(outcomes: &mut [Outcome<Found>; 2]) -> Result<Result<Found, Miss>, Failure> {
    let [v4, v6] = core::mem::replace(outcomes, [Outcome::NotAsked, Outcome::NotAsked]);
    Ok(match (v4, v6) {
        (Outcome::Found(mut found), Outcome::Found(other)) => {
            for address in other.addresses {
                found.addresses.try_push(address)?;
            }
            found.ttl = found.ttl.min(other.ttl);
            Ok(found)
        }
        (Outcome::Found(found), _) | (_, Outcome::Found(found)) => Ok(found),
        (Outcome::Missed(Miss::NoData), Outcome::Missed(miss)) => Err(miss),
        (Outcome::Missed(miss), _) | (_, Outcome::Missed(miss)) => Err(miss),
        (Outcome::Failed(trouble), _) | (_, Outcome::Failed(trouble)) => Err(miss_of(trouble)?),
        (Outcome::NotAsked, Outcome::NotAsked) => Err(Miss::NoData),
    })
}

/// A server's trouble as the search sees it.
pub(super) fn miss_of(trouble: Trouble) -> Result<Miss, Failure> {
    Ok(match trouble {
        Trouble::Rcode(rcode::SERVFAIL) => Miss::ServFail,
        Trouble::Unreachable => Miss::Unreachable,
        Trouble::Silent | Trouble::Broken | Trouble::Lame => Miss::Silent,
        Trouble::Rcode(rcode::REFUSED | rcode::NOTIMP) => Miss::Silent,
        Trouble::Rcode(_) => Miss::Final,
        Trouble::Bogus => return Err(Failure::Bogus),
        Trouble::Cancelled => return Err(Failure::Again),
        Trouble::Local(fault) => return Err(Failure::System(fault.errno())),
    })
}

/// What a miss is to the caller.
pub(super) fn failure_of(miss: Miss) -> Failure {
    match miss {
        Miss::NoName => Failure::NoName,
        Miss::Unrelated => Failure::Unrelated,
        Miss::Final => Failure::Refused,
        Miss::NoData => Failure::NoData,
        Miss::ServFail | Miss::Silent | Miss::Unreachable => Failure::Again,
    }
}
