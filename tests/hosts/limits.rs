//! Resources that run out.

use crate::numbered::lives;

#[test]
fn every_descriptor_may_be_closed_between_lookups() {
    lives("host_limits", &["close-range"]);
}

#[test]
fn standard_streams_may_be_closed() {
    lives("host_limits", &["streams"]);
}

#[test]
fn descriptors_may_run_out() {
    lives("host_limits", &["descriptors"]);
}

#[test]
fn there_need_be_no_further_process() {
    lives("host_limits", &["processes"]);
}

#[test]
fn address_space_may_be_tight() {
    lives("host_limits", &["memory"]);
}
