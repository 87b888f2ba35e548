//! Signals.

use crate::numbered::lives;

#[test]
fn a_signal_every_millisecond_harms_nothing() {
    lives("host_signals", &["storm", "400"]);
}

#[test]
fn nor_does_one_that_restarts_system_calls() {
    lives("host_signals", &["restart", "400"]);
}

/// As old libcurl does at its time limit.
#[test]
fn a_handler_may_jump_out_of_a_lookup() {
    lives("host_signals", &["longjmp", "400"]);
}

#[test]
fn threads_do_not_wait_for_one_that_has_jumped_away() {
    lives("host_signals", &["longjmp-threads", "400"]);
}

#[test]
fn a_handler_may_look_names_up() {
    lives("host_signals", &["handler", "300"]);
}
