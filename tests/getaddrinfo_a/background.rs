//! What the scenarios of `tests/c/gaia.c` look up.

use std::time::Duration;

use crate::support::dns::{Question, Reply};
use crate::support::wire::{Record, rtype};

/// `fast*` at once, `slow*` after 300 ms, `late*` after 600, `last*` after 3000: their A record, never
/// kept.
pub(crate) fn script(q: &Question) -> Reply {
    let delay = match q.name.get(..4) {
        Some("fast") => 0,
        Some("slow") => 300,
        Some("late") => 600,
        Some("last") => 3000,
        _ => return Reply::nxdomain(),
    };
    let reply = if q.qtype == rtype::A {
        Reply::records([Record { ttl: 0, ..Record::address(&q.name, "192.0.2.1") }])
    } else {
        Reply::nodata()
    };
    reply.after(Duration::from_millis(delay))
}
