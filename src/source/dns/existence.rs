//! Whether the DNS has records of some type at a name, whatever they say.

use super::exchange::{Progress, Verdict, exchange};
use super::flight::Question;
use super::lookup::Lookup;
use super::message::{Message, rcode};
use super::name::Name;
use super::read::negative_ttl;
use crate::cache::Content;
use crate::mem::NoMemory;
use crate::sys::time::Instant;

impl Lookup<'_> {
    /// True where there are. What the servers say is kept, and that they say nothing too: who asks this
    /// has another way to go on.
    pub fn has(&self, name: &Name, qtype: u16) -> Result<bool, NoMemory> {
        let key = self.key(name, qtype);
        if let Some(entry) = key.and_then(|key| self.cache.get(&key, Instant::now())) {
            return Ok(matches!(entry.content(), Content::Names(_)));
        }
        let (mut has, mut ttl) = (false, 0);
        let read = &mut |_: usize, message: &Message<'_>| {
            has = message.rcode() == rcode::NOERROR && message.answer_count() > 0;
            ttl = match message.answers().map(|record| record.ttl).min() {
                Some(ttl) if has => ttl,
                _ => negative_ttl(message),
            };
            Ok(if has { Verdict::Positive } else { Verdict::Negative })
        };
        self.missed(1);
        let [progress, _] = exchange(&self.terms, &[Question::new(*name, qtype)], read)?;
        if let Progress::Failed(_) = progress {
            ttl = self.negative_ttl;
        }
        let content = if has { Content::Names(&[]) } else { Content::NoName };
        self.keep(name, qtype, content, ttl);
        Ok(has)
    }
}
