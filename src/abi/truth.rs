//! Every constant and structure that crosses the boundary to libc or the kernel, as assertions that a C
//! compiler checks against the system's own headers: the libc crate has been wrong before (0.2.190 on
//! mips64).
//!
//! The list is C text made while the crate is compiled, for the target that it is compiled for. Built
//! with the feature `truth`, the text lies in a section of the object file: `scripts/truth` takes it from
//! there, and gives it to the target's C compiler with tests/c/truth.c. Nothing has to be run for that.
#![allow(
    clippy::indexing_slicing,
    reason = "evaluated while the crate is compiled: what is out of bounds stops the compiler"
)]

mod constants;
mod layouts;
#[cfg(test)]
mod tests;

/// One assertion: its lines, filled up with blanks.
pub(super) type Assertion = [u8; ROOM];

/// Longer ones stop the compiler.
const ROOM: usize = 192;

/// The list.
const GROUPS: &[&[&[Assertion]]] = &[
    &[constants::SOCKETS, constants::ERRNO, constants::SYSTEM, constants::KERNEL],
    constants::CALLS,
    &[layouts::TYPES],
    layouts::ADDRESSES,
    layouts::SYSTEM,
    #[cfg(target_env = "gnu")]
    &[constants::gnu::NAMED, constants::gnu::RENAMED, constants::gnu::LATE],
    #[cfg(target_env = "gnu")]
    layouts::gnu::ALL,
    #[cfg(feature = "c-api")]
    &[layouts::OURS],
];

/// All of it, one after the other.
#[cfg_attr(feature = "truth", used, unsafe(link_section = "rustdns_truth"))]
static ASSERTIONS: [Assertion; join::<0>(GROUPS).1] = join(GROUPS).0;

/// As many as there is room for, and how many there are.
const fn join<const N: usize>(groups: &[&[&[Assertion]]]) -> ([Assertion; N], usize) {
    let mut all = [[b' '; ROOM]; N];
    let mut count = 0;
    let mut group = 0;
    while group < groups.len() {
        let mut part = 0;
        while part < groups[group].len() {
            let mut at = 0;
            while at < groups[group][part].len() {
                if count < N {
                    all[count] = groups[group][part][at];
                }
                count += 1;
                at += 1;
            }
            part += 1;
        }
        group += 1;
    }
    (all, count)
}

/// `WHAT` is `value`.
pub(super) const fn equal(what: &str, value: i128) -> Assertion {
    Text::new().assert(what, value).line()
}

/// The same, where the headers have a name by this spelling at all.
#[cfg(any(target_env = "gnu", test))]
pub(super) const fn equal_if_defined(what: &str, value: i128) -> Assertion {
    Text::new().add("#ifdef ").add(what).add("\n").assert(what, value).add("\n#endif").line()
}

/// An assertion under construction.
struct Text {
    octets: Assertion,
    len: usize,
}

impl Text {
    const fn new() -> Text {
        Text { octets: [b' '; ROOM], len: 0 }
    }

    const fn assert(self, what: &str, value: i128) -> Text {
        // The header's side as the same type: its constants may be unsigned, or pointers.
        let text = self.add("_Static_assert((long long)(").add(what).add(") == ").number(value);
        text.add(", \"").add(what).add(" is not ").number(value).add("\");")
    }

    const fn add(mut self, text: &str) -> Text {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() {
            self.octets[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    const fn number(mut self, value: i128) -> Text {
        if value < 0 {
            self = self.add("-");
        }
        let value = value.unsigned_abs();
        let mut unit = 1;
        while value / unit >= 10 {
            unit *= 10;
        }
        while unit > 0 {
            self.octets[self.len] = b'0' + (value / unit % 10) as u8;
            self.len += 1;
            unit /= 10;
        }
        self
    }

    /// As a line: the end of the room is where it ends.
    const fn line(mut self) -> Assertion {
        assert!(self.len < ROOM);
        self.octets[ROOM - 1] = b'\n';
        self.octets
    }
}
