//! The command line. docs/man/rustdns.1 says the same at length; a test keeps the two together.

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, ValueHint};
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
    Explain(Explain),
    Compare(Compare),
    Doctor(Doctor),
    Bench(Bench),
    Conf(Conf),
    Flush(Flush),
    Stats(Stats),
    Top(Top),
    Completions(Completions),
}

/// Run a program with rustdns as its resolver
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
    /// Directory prepended to the path of every configuration file
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) root: Option<PathBuf>,
    /// Trace decisions on standard error; with 2, queries and answers as well
    #[arg(long, value_name = "1|2", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "1", value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) debug: Option<u8>,
    /// The librustdns.so to use (default: the one installed with this command)
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) library: Option<PathBuf>,
    /// The program and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true)]
    #[arg(value_hint = ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<OsString>,
}

/// Show the addresses a program would get for a name, their source, and the reason for their order
#[derive(Args)]
#[command(after_help = "Example:\n  rustdns lookup -4 example.org https")]
pub(crate) struct Lookup {
    /// Host name or address
    #[arg(value_hint = ValueHint::Hostname)]
    pub(crate) name: OsString,
    /// Service name or port number, to show ports too
    pub(crate) service: Option<OsString>,
    /// IPv4 addresses only
    #[arg(short = '4', conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// IPv6 addresses only
    #[arg(short = '6')]
    pub(crate) ipv6: bool,
    /// Look up twice and show the second result, which may come from the cache
    #[arg(long)]
    pub(crate) again: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show the name a program would get for an address
#[derive(Args)]
#[command(after_help = "Example:\n  rustdns reverse 2001:db8::1")]
pub(crate) struct Reverse {
    /// An IPv4 or IPv6 address
    #[arg(value_name = "ADDR")]
    pub(crate) address: OsString,
    /// Look up twice and show the second result, which may come from the cache
    #[arg(long)]
    pub(crate) again: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show how a name would be looked up, without asking any server
#[derive(Args)]
#[command(after_help = "Example:\n  rustdns explain --tree www")]
pub(crate) struct Explain {
    /// Host name
    #[arg(value_hint = ValueHint::Hostname)]
    pub(crate) name: OsString,
    /// Draw the plan as a tree
    #[arg(long, conflicts_with = "json")]
    pub(crate) tree: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Compare the answers of libc and rustdns, side by side
#[derive(Args)]
#[command(after_help = "Example:\n  rustdns compare example.org localhost 192.0.2.1")]
pub(crate) struct Compare {
    /// Host names, or addresses to look up in reverse
    #[arg(value_name = "NAME", required = true, value_hint = ValueHint::Hostname)]
    pub(crate) names: Vec<OsString>,
    /// The librustdns.so to use (default: the one installed with this command)
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) library: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Check configuration files, name servers and known traps, and suggest fixes
#[derive(Args)]
#[command(after_help = "Example:\n  rustdns doctor --pid 4711")]
pub(crate) struct Doctor {
    /// Also report whether process PID has loaded the library or the NSS module
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) pid: Option<i32>,
    /// Also report whether the library can be loaded into this program
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandName)]
    pub(crate) program: Option<OsString>,
    /// Send nothing to any name server
    #[arg(long)]
    pub(crate) offline: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Measure how long lookups of a name take with libc and with rustdns
#[derive(Args)]
#[command(after_help = "Example:\n  rustdns bench example.org")]
pub(crate) struct Bench {
    /// Host name
    #[arg(value_hint = ValueHint::Hostname)]
    pub(crate) name: OsString,
    /// Number of sequential lookups with each
    #[arg(long, value_name = "N", default_value_t = 200)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) count: u32,
    /// The librustdns.so to use (default: the one installed with this command)
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) library: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show every setting, its value, and where the value comes from
#[derive(Args)]
#[command(after_help = "Example:\n  RUSTDNS_CACHE=off rustdns conf")]
pub(crate) struct Conf {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Flush cached answers and server state in every running process
#[derive(Args)]
#[command(after_help = "Example:\n  rustdns flush")]
pub(crate) struct Flush {}

/// Show what the library has done in processes that run with `stats on`
#[derive(Args)]
#[command(after_help = "Example:\n  rustdns stats --pid 1234")]
pub(crate) struct Stats {
    /// Show one process in detail (default: one line per readable process)
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
    /// Show one process, with a histogram (default: one line per readable process)
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pid: Option<u32>,
    /// Milliseconds between updates
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u64).range(50..=3_600_000))]
    pub(crate) interval: u64,
    /// Exit after N updates
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Print each update as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Generate a shell completion script
#[derive(Args)]
#[command(
    after_help = "Example:\n  rustdns completions bash > ~/.local/share/bash-completion/completions/rustdns"
)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_parser = PossibleValuesParser::new(["bash", "zsh", "fish"]))]
    pub(crate) shell: String,
}
