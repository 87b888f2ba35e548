//! Random numbers for queries (RFC 5452): ids, cookies, and the case of letters.

use crate::base::name::Name;
use crate::cache::cookie::CLIENT;
use crate::sys::process;

/// Random numbers from the kernel, fetched some at a time.
pub(super) struct Dice {
    octets: [u8; 32],
    left: usize,
}

impl Dice {
    pub(super) fn new() -> Dice {
        Dice { octets: [0; 32], left: 0 }
    }

    fn octet(&mut self) -> Option<u8> {
        if self.left == 0 {
            if !process::random(&mut self.octets) {
                return None;
            }
            self.left = self.octets.len();
        }
        self.left -= 1;
        self.octets.get(self.left).copied()
    }

    /// An id that `fits`; `None` where the kernel gives no random numbers.
    pub(super) fn id(&mut self, fits: impl Fn(u16) -> bool) -> Option<u16> {
        loop {
            let id = u16::from_be_bytes([self.octet()?, self.octet()?]);
            if fits(id) {
                return Some(id);
            }
        }
    }

    /// Our part of a cookie (RFC 7873 section 4).
    pub(super) fn cookie(&mut self) -> Option<[u8; CLIENT]> {
        let mut cookie = [0; CLIENT];
        for octet in &mut cookie {
            *octet = self.octet()?;
        }
        Some(cookie)
    }

    /// Makes the case of the name's letters random: some bits more for a forger to guess.
    pub(super) fn mix_case(&mut self, name: &mut Name) {
        for letter in name.wire_mut().iter_mut().filter(|octet| octet.is_ascii_alphabetic()) {
            // Length octets are below 64 and so never letters.
            if self.octet().is_some_and(|random| random & 1 == 1) {
                *letter ^= 0x20;
            }
        }
    }
}
