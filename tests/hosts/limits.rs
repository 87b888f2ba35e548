//! Resources that run out.

use std::time::Duration;

use crate::numbered::{begin, is_ok, lives};
use crate::support::cc;
use crate::support::process::run;
use crate::support::sandbox::Sandbox;

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

/// The program writes its own output to a pipe too, which no limit on files concerns.
#[test]
fn a_trace_that_can_not_be_written_ends_nothing() {
    for mode in ["gone", "still", "limit"] {
        Sandbox::enter(|sandbox| {
            let _server = begin(sandbox);
            let mut command = sandbox.command(cc::program("host_trace"));
            command.arg(mode).env("RUSTDNS_DEBUG", "2");
            if mode == "limit" {
                command.env("RUSTDNS_LOG", sandbox.scratch().join("trace"));
            }
            is_ok(&run(sandbox.preload(command), Duration::from_secs(60)));
        });
    }
}
