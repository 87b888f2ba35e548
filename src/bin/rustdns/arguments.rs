//! The command line. docs/man/rustdns.1 says the same at length; a test keeps the two together.

use clap::{Args, Parser};
use std::ffi::OsString;
use std::path::PathBuf;

/// Name resolution in place of libc's, for programs that are already built.
#[derive(Parser)]
#[command(name = "rustdns", version, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = "Example:\n  rustdns run -- curl https://example.org/")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) subcommand: Subcommand,
}

#[derive(clap::Subcommand)]
pub(crate) enum Subcommand {
    Run(Run),
    Lookup(Lookup),
    Reverse(Reverse),
    Conf(Conf),
    Stats(Stats),
    Top(Top),
}

/// Run a program that resolves names by rustdns
#[derive(Args)]
#[command(override_usage = "rustdns run [OPTIONS] -- CMD [ARGS]...")]
#[command(
    after_help = "Example:\n  rustdns run --server 127.0.0.1:5353 --debug -- ping -c1 host.test"
)]
pub(crate) struct Run {
    /// Name server to ask instead of resolv.conf's; may be repeated. With a port: 192.0.2.1:5353,
    /// [2001:db8::1]:5353
    #[arg(long, value_name = "ADDR")]
    pub(crate) server: Vec<OsString>,
    /// Folder that stands before the path of every configuration file
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Say each decision on standard error; with 2 also each query and answer
    #[arg(long, value_name = "1|2", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "1", value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) debug: Option<u8>,
    /// The librustdns.so to use, instead of the one that was installed with this command
    #[arg(long, value_name = "PATH")]
    pub(crate) library: Option<PathBuf>,
    /// The program and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true)]
    pub(crate) command: Vec<OsString>,
}

/// Show the addresses that a program would get for a name, in their order
#[derive(Args)]
#[command(after_help = "Example:\n  rustdns lookup -4 example.org https")]
pub(crate) struct Lookup {
    /// Name of a host, or an address
    pub(crate) name: OsString,
    /// Service by name or number: its ports are shown too
    pub(crate) service: Option<OsString>,
    /// IPv4 addresses only
    #[arg(short = '4', conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// IPv6 addresses only
    #[arg(short = '6')]
    pub(crate) ipv6: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show the name that a program would get for an address
#[derive(Args)]
#[command(after_help = "Example:\n  rustdns reverse 2001:db8::1")]
pub(crate) struct Reverse {
    /// An IPv4 or IPv6 address
    #[arg(value_name = "ADDR")]
    pub(crate) address: OsString,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show every setting, its value, and where that comes from
#[derive(Args)]
#[command(after_help = "Example:\n  RUSTDNS_CACHE=off rustdns conf")]
pub(crate) struct Conf {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show what the library has done in processes that run with `stats on`
#[derive(Args)]
#[command(after_help = "Example:\n  rustdns stats --pid 1234")]
pub(crate) struct Stats {
    /// One process, at length; else a line for each that you may look into
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pid: Option<u32>,
    /// Print JSON: an object, or a list of them
    #[arg(long)]
    pub(crate) json: bool,
}

/// Watch what processes that run with `stats on` look up, as it happens
#[derive(Args)]
#[command(after_help = "Example:\n  rustdns top --pid 1234")]
pub(crate) struct Top {
    /// One process, with a histogram; else a line for each that you may look into
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pid: Option<u32>,
    /// Milliseconds between two views
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u64).range(50..=3_600_000))]
    pub(crate) interval: u64,
    /// End after so many views
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Print each view as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
