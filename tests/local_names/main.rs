//! Names that this host and its network know: `myhostname`, `resolve` and `mdns` of nsswitch.conf, side
//! by side with the modules of systemd and Avahi under libc, which ask the same daemons.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail so")]
#![allow(clippy::disallowed_methods, reason = "tests bind numeric addresses")]
#![allow(missing_docs, unreachable_pub, reason = "a test program exports nothing")]

#[path = "../support/mod.rs"]
mod support;

mod mdns;
mod myhostname;
mod resolve;
