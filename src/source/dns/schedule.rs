//! When each server is asked: in which order, how soon the next one, and for how long in all.

use super::exchange::Terms;
use super::health::Standing;
use crate::config::resolv::Options;
use crate::mem::{NoMemory, TryPush};
use crate::sys::time::Instant;
use core::time::Duration;
use smallvec::SmallVec;

/// Servers by index, each with how long it may be silent before the next one is asked too.
pub(super) type Order = SmallVec<[(usize, Duration); 4]>;

/// The servers' indices in the order they are asked: the well ones first, each with its patience.
#[inline(never)]
pub(super) fn order(terms: &Terms<'_>, now: Instant) -> Result<Order, NoMemory> {
    let count = terms.servers.len();
    let first = if terms.options.rotate { terms.rotation } else { 0 };
    let (mut well, mut out) = (Order::new(), Order::new());
    for index in (0..count).map(|i| (first.wrapping_add(i)) % count) {
        let Some((_, health)) = terms.servers.get(index) else { continue };
        let standing = health.standing(now);
        let turn = (index, health.patience(standing));
        if standing == Standing::Out { out.try_push(turn)? } else { well.try_push(turn)? }
    }
    for turn in out {
        well.try_push(turn)?;
    }
    Ok(well)
}

/// The time that libc would wait at the most: each server its share in each attempt, where later
/// servers get the doubled time divided by their number (resolv.conf(5), `timeout`).
#[inline(never)]
pub(super) fn budget(options: &Options, servers: usize) -> Duration {
    let share = |index: usize| {
        let doubled = u64::from(options.timeout) << index.min(16);
        if index == 0 { doubled.max(1) } else { (doubled / servers as u64).max(1) }
    };
    let round: u64 = (0..servers).map(share).sum();
    Duration::from_secs(round.saturating_mul(options.attempts.max(1).into()))
}
