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
        help: "Name servers to ask instead of resolv.conf's, separated by blanks. They are asked in plain text, over TLS, or over HTTPS at /dns-query or another path. NAME is the name that the server's certificate must have; without it, the address. Put an IPv6 address with a port in brackets.",
    },
    Setting {
        key: "upstream-fallback",
        environment: c"RUSTDNS_UPSTREAM_FALLBACK",
        values: "off, plain",
        default: "off",
        help: "plain falls back to plain text and resolv.conf's name servers when the encrypted ones fail. It is for those who want an answer more than privacy: the servers may be out of reach, or not be who they should be.",
    },
    Setting {
        key: "upstream-ca",
        environment: c"RUSTDNS_UPSTREAM_CA",
        values: "system, or the absolute path of a file",
        default: "system",
        help: "CAs trusted for encrypted servers. They are the system's, or those in a PEM file.",
    },
    Setting {
        key: "dnssec",
        environment: c"RUSTDNS_DNSSEC",
        values: "off, trust-ad, validate",
        default: "off",
        help: "Ignore DNSSEC, trust the server's AD bit, or validate locally. trust-ad is resolv.conf's option of that name. validate checks signatures from the trust anchors down; an answer that fails the check is no answer.",
    },
    Setting {
        key: "trust-anchor",
        environment: c"RUSTDNS_TRUST_ANCHOR",
        values: "installed, or the absolute path of a file",
        default: "installed",
        help: "Trust anchors for dnssec validate. They are the root zone's keys that came with this package, or those in a file, in IANA's XML or as DNSKEY or DS records.",
    },
    Setting {
        key: "cache",
        environment: c"RUSTDNS_CACHE",
        values: "off, on, or a number of entries",
        default: "on (4096 entries)",
        help: "Number of answers to cache.",
    },
    Setting {
        key: "cache-max-ttl",
        environment: c"RUSTDNS_CACHE_MAX_TTL",
        values: "seconds",
        default: "86400",
        help: "Upper limit on the TTL of answers.",
    },
    Setting {
        key: "cache-negative-ttl",
        environment: c"RUSTDNS_CACHE_NEGATIVE_TTL",
        values: "seconds",
        default: "30",
        help: "Upper limit on the TTL of negative answers.",
    },
    Setting {
        key: "serve-stale",
        environment: c"RUSTDNS_SERVE_STALE",
        values: "seconds",
        default: "0",
        help: "How long an expired answer may be served if no server responds.",
    },
    Setting {
        key: "foreign",
        environment: c"RUSTDNS_FOREIGN",
        values: "skip, libc",
        default: "skip",
        help: "What to do with names only another NSS module could resolve. skip reports them as not found; libc asks libc, which loads the module. files, dns, myhostname, resolve and mdns need no module.",
    },
    Setting {
        key: "case-randomization",
        environment: c"RUSTDNS_CASE_RANDOMIZATION",
        values: "off, on",
        default: "off",
        help: "Randomize the case of letters in queries, to make forgery harder. An answer that does not repeat the case is not trusted: the same server is asked again over TCP.",
    },
    Setting {
        key: "cookies",
        environment: c"RUSTDNS_COOKIES",
        values: "auto, on, off",
        default: "auto",
        help: "Send DNS cookies, which a forger would have to guess. auto sends them in queries that have EDNS by resolv.conf's option edns0; on adds EDNS to all queries.",
    },
    Setting {
        key: "hedge",
        environment: c"RUSTDNS_HEDGE",
        values: "milliseconds, off",
        default: "1000",
        help: "How long to wait for a name server not known to be alive before asking the next one as well. off waits for resolv.conf's timeout, as libc does.",
    },
    Setting {
        key: "debug",
        environment: c"RUSTDNS_DEBUG",
        values: "0, 1, 2",
        default: "0",
        help: "Level of the debug trace. 1 traces decisions, 2 queries and answers as well.",
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
        help: "Format of the debug trace. text is for people; json is one JSON object per line.",
    },
    Setting {
        key: "stats",
        environment: c"RUSTDNS_STATS",
        values: "off, on",
        default: "off",
        help: "Let rustdns stats and rustdns top see what the library does in the process.",
    },
    Setting {
        key: "root",
        environment: c"RUSTDNS_ROOT",
        values: "the absolute path of a folder",
        default: "none",
        help: "Directory prepended to the path of every configuration file. These are resolv.conf, hosts, nsswitch.conf, gai.conf and services.",
    },
    Setting {
        key: "mode",
        environment: c"RUSTDNS_MODE",
        values: "normal, test-only",
        default: "normal",
        help: "In test-only, send no query beyond the loopback interface. Other name servers are left out.",
    },
];
