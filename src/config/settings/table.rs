//! The settings as people see them: their names, values, defaults and what they do.

use core::ffi::CStr;

/// One setting, as people see it.
pub struct Setting {
    /// Its key in rustdns.conf.
    pub key: &'static str,
    /// Its environment variable.
    pub environment: &'static CStr,
    /// What may stand as its value.
    pub values: &'static str,
    /// Its value when it isn't set.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// All settings.
pub const TABLE: &[Setting] = &[
    Setting {
        key: "upstream",
        environment: c"RUSTDNS_UPSTREAM",
        values: "ADDRESS[:PORT], tls://ADDRESS[:PORT][#NAME], https://ADDRESS[:PORT][#NAME][/PATH], ...",
        default: "the name servers of resolv.conf",
        help: "Name servers to ask instead of resolv.conf's, separated by blanks: plainly, by DNS over TLS, or by DNS over HTTPS at /dns-query or another path. NAME is what the server's certificate must have; without it, the address. An IPv6 address with a port stands in brackets.",
    },
    Setting {
        key: "upstream-fallback",
        environment: c"RUSTDNS_UPSTREAM_FALLBACK",
        values: "off, plain",
        default: "off",
        help: "plain asks resolv.conf's name servers in plain text when the encrypted ones of upstream can't be reached or aren't who they should be: for those who want an answer more than privacy.",
    },
    Setting {
        key: "upstream-ca",
        environment: c"RUSTDNS_UPSTREAM_CA",
        values: "system, or the absolute path of a file",
        default: "system",
        help: "Who may have signed the certificates of encrypted servers: the certificate authorities that the system trusts, or those in a file of PEM.",
    },
    Setting {
        key: "dnssec",
        environment: c"RUSTDNS_DNSSEC",
        values: "off, trust-ad, validate",
        default: "off",
        help: "trust-ad believes a server that says that it has checked an answer's signatures, as resolv.conf's option of that name does. validate checks them here, from the root zone's keys on; what doesn't hold is no answer.",
    },
    Setting {
        key: "trust-anchor",
        environment: c"RUSTDNS_TRUST_ANCHOR",
        values: "installed, or the absolute path of a file",
        default: "installed",
        help: "The keys that dnssec validate begins with: those of the root zone that came with this package, or those in a file, in IANA's XML or as DNSKEY or DS records.",
    },
    Setting {
        key: "cache",
        environment: c"RUSTDNS_CACHE",
        values: "off, on, or a number of entries",
        default: "on (4096 entries)",
        help: "How many answers are kept.",
    },
    Setting {
        key: "cache-max-ttl",
        environment: c"RUSTDNS_CACHE_MAX_TTL",
        values: "seconds",
        default: "86400",
        help: "No answer is kept longer than this, whatever its TTL.",
    },
    Setting {
        key: "cache-negative-ttl",
        environment: c"RUSTDNS_CACHE_NEGATIVE_TTL",
        values: "seconds",
        default: "30",
        help: "No answer that a name or an address does not exist is kept longer than this.",
    },
    Setting {
        key: "serve-stale",
        environment: c"RUSTDNS_SERVE_STALE",
        values: "seconds",
        default: "0",
        help: "For so long after its time an answer is still given where no name server answers: better an old address than none.",
    },
    Setting {
        key: "foreign",
        environment: c"RUSTDNS_FOREIGN",
        values: "skip, libc",
        default: "skip",
        help: "What becomes of names that only a service of nsswitch.conf other than files, dns, myhostname, resolve and mdns could know: not found, or asked of libc, which loads that service's module.",
    },
    Setting {
        key: "case-randomization",
        environment: c"RUSTDNS_CASE_RANDOMIZATION",
        values: "off, on",
        default: "off",
        help: "Makes the case of letters in queries random: harder to forge. An answer that doesn't repeat it is not believed; the same server is asked again over TCP.",
    },
    Setting {
        key: "cookies",
        environment: c"RUSTDNS_COOKIES",
        values: "auto, on, off",
        default: "auto",
        help: "Cookies in queries, which a forger would have to guess: auto puts them into those that resolv.conf's option edns0 has given EDNS, on into all, which get EDNS for it.",
    },
    Setting {
        key: "hedge",
        environment: c"RUSTDNS_HEDGE",
        values: "milliseconds, off",
        default: "1000",
        help: "How long a name server that is not known to be alive may be silent before the next one is asked as well. off: for resolv.conf's timeout, as libc.",
    },
    Setting {
        key: "debug",
        environment: c"RUSTDNS_DEBUG",
        values: "0, 1, 2",
        default: "0",
        help: "1 says each decision, 2 also each query and answer.",
    },
    Setting {
        key: "log",
        environment: c"RUSTDNS_LOG",
        values: "stderr, syslog, or the absolute path of a file",
        default: "stderr",
        help: "Where the debug trace goes.",
    },
    Setting {
        key: "debug-format",
        environment: c"RUSTDNS_DEBUG_FORMAT",
        values: "text, json",
        default: "text",
        help: "Lines of the debug trace for people, or for programs: a JSON object each.",
    },
    Setting {
        key: "stats",
        environment: c"RUSTDNS_STATS",
        values: "off, on",
        default: "off",
        help: "Lets rustdns stats and rustdns top show what the library does in the process.",
    },
    Setting {
        key: "root",
        environment: c"RUSTDNS_ROOT",
        values: "the absolute path of a folder",
        default: "none",
        help: "Stands before the path of every configuration file: resolv.conf, hosts, nsswitch.conf, gai.conf, services.",
    },
    Setting {
        key: "mode",
        environment: c"RUSTDNS_MODE",
        values: "normal, test-only",
        default: "normal",
        help: "In test-only no query leaves the loopback interface: other name servers are left out.",
    },
];
