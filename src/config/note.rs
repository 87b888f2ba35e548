//! What a parser ignored, as data: the operator reads it in the debug trace.

use crate::sys::mem::{NoMemory, TryPush};

/// One thing in a configuration file that was not understood, and so was ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Line in the file, from 1; 0 where the text is from the environment.
    pub line: u32,
    /// What is wrong and what was done about it, for people.
    pub what: &'static str,
    /// The first octets of the text in question.
    excerpt: [u8; Note::EXCERPT],
    excerpt_len: u8,
}

impl Note {
    /// Enough to recognise the text by; not enough to flood a trace.
    const EXCERPT: usize = 40;

    /// The beginning of the text that the note is about; any bytes.
    pub fn excerpt(&self) -> &[u8] {
        self.excerpt.get(..usize::from(self.excerpt_len)).unwrap_or_default()
    }
}

/// The notes of one file, bounded: a broken file of a million lines leaves the first few.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Notes {
    list: Vec<Note>,
    /// How many more there were past the bound.
    pub left_out: u32,
}

impl Notes {
    const MOST: usize = 16;

    /// Records that `text` on `line` was ignored because of `what`.
    pub fn add(&mut self, line: u32, what: &'static str, text: &[u8]) -> Result<(), NoMemory> {
        self.add_pair(line, what, text, b"")
    }

    /// The same for a text in two parts, as a key and its value.
    pub fn add_pair(
        &mut self,
        line: u32,
        what: &'static str,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), NoMemory> {
        if self.list.len() >= Notes::MOST {
            self.left_out = self.left_out.saturating_add(1);
            return Ok(());
        }
        let mut excerpt = [0; Note::EXCERPT];
        let mut excerpt_len = 0u8;
        let blank: &[u8] = if value.is_empty() { b"" } else { b" " };
        for (to, &from) in excerpt.iter_mut().zip(key.iter().chain(blank).chain(value)) {
            *to = from;
            excerpt_len += 1;
        }
        self.list.try_push(Note { line, what, excerpt, excerpt_len })
    }

    /// The notes kept, in file order.
    pub fn iter(&self) -> core::slice::Iter<'_, Note> {
        self.list.iter()
    }

    /// True when nothing was ignored.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
