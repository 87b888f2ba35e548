//! Whether the DNS has records of some type at a name, whatever they say.

use super::exchange::{Progress, Verdict, exchange};
use super::flight::Question;
use super::lookup::Lookup;
use super::message::Message;
use super::read::negative_ttl;
use super::slot::{Questions, Slot};
use crate::base::name::Name;
use crate::base::rcode;
use crate::cache::dns::{Content, Entry};
use crate::cache::pending::{Ours, Turn, Unkept};
use crate::rules::search::Miss;
use crate::sys::mem::NoMemory;
use crate::sys::time::Instant;

impl Lookup<'_> {
    /// True where there are. What the servers say is kept, and that they say nothing too: who asks this
    /// has another way to go on.
    pub fn has(&self, name: &Name, qtype: u16) -> Result<bool, NoMemory> {
        let key = self.key(name, qtype);
        let says_so = |entry: &Entry| matches!(entry.content(), Content::Names(_));
        let kept = || key.and_then(|key| self.cache.get(&key, Instant::now()));
        if let Some(entry) = kept() {
            return Ok(says_so(&entry));
        }
        let begun = Instant::now();
        loop {
            let turn = self.join(name, [qtype, 0], begun)?;
            if let Some(entry) = kept() {
                return Ok(says_so(&entry));
            }
            match turn {
                Turn::Ours(mut turn) => {
                    let has = self.ask_existence(name, qtype, Some(&turn))?;
                    let passing = |key| Entry::passing(&key, Content::Names(&[]), Instant::now());
                    let told = match key.filter(|_| has) {
                        Some(key) => passing(key).ok().map(Unkept::Answer),
                        None => Some(Unkept::Missed(Miss::NoName)),
                    };
                    turn.learned([told, None]);
                    return Ok(has);
                }
                Turn::Theirs([Some(Unkept::Answer(entry)), _]) => return Ok(says_so(&entry)),
                Turn::Theirs([Some(_), _]) | Turn::Late => return Ok(false),
                Turn::Theirs([None, _]) => {}
                Turn::Alone => return self.ask_existence(name, qtype, None),
            }
        }
    }

    fn ask_existence(
        &self,
        name: &Name,
        qtype: u16,
        turn: Option<&Ours<'_>>,
    ) -> Result<bool, NoMemory> {
        let (mut has, mut ttl) = (false, 0);
        let read = &mut |_: Slot, message: &Message<'_>| {
            has = message.rcode() == rcode::NOERROR && message.answer_count() > 0;
            ttl = match message.answers().map(|record| record.ttl).min() {
                Some(ttl) if has => ttl,
                _ => negative_ttl(message),
            };
            Ok(if has { Verdict::Positive } else { Verdict::Negative })
        };
        self.missed(1);
        let question = Question::new(*name, qtype);
        let progress = exchange(&self.terms(turn, false), Questions::one(&question), read)?;
        if let Progress::Failed(_) = progress.first {
            ttl = self.negative_ttl;
        }
        let content = if has { Content::Names(&[]) } else { Content::NoName };
        self.keep(name, qtype, content, ttl);
        Ok(has)
    }
}
