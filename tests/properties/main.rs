//! Properties of parsers, names and rules: what `tests/checks` says, over inputs made to look like
//! the real ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

#[path = "../checks/mod.rs"]
mod checks;
#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod files;
mod idn;
mod libc;
mod names;
mod order;
#[rustfmt::skip] // one example a line
mod rfc6724;
mod search;

use proptest::prelude::ProptestConfig;

/// So many inputs each, and no file of failures: what was found goes into `tests/corpora`.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
