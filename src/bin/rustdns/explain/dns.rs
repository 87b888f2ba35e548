//! What the service `dns` would do: for which names, of which types, whom it asks, for how long.

use super::places;
use crate::answer::{Json, Shown};
use crate::conf;
use crate::tree::Node;
use rustdns::base::name::Name;
use rustdns::context::call::Session;
use rustdns::context::state::Environment;
use rustdns::rules::search::{Candidate, Miss, Rules, Search};
use rustdns::source::local::{self, Special};
use rustdns::sys::addresses;
use rustdns::sys::mem::NoMemory;
use std::net::{IpAddr, Ipv4Addr};

pub(super) struct Plan {
    /// What `HOSTALIASES` makes of the name.
    alias: Option<String>,
    /// Why nobody is asked, and whether the answer is known all the same.
    without_asking: Option<(&'static str, bool)>,
    candidates: Vec<(String, &'static str)>,
    ndots: (u8, String),
    search: String,
    servers: Vec<Server>,
    types: (Vec<&'static str>, &'static str),
    /// Seconds that a lookup may take when nobody answers: the first server's, and how often.
    timeout: u32,
    attempts: u32,
    cache: Cache,
}

struct Server {
    address: String,
    place: String,
    /// Why it is not asked.
    left_out: Option<&'static str>,
}

struct Cache {
    entries: usize,
    max_ttl: u32,
    negative_ttl: u32,
}

/// The plan for `node`.
pub(super) fn plan(
    session: &Session,
    environment: &Environment,
    node: &[u8],
) -> Result<Plan, NoMemory> {
    let alias = session.host_alias(node)?;
    let node = alias.as_deref().unwrap_or(node);
    let without_asking = match local::special(node) {
        Special::Localhost => Some((
            "localhost is this host unless hosts has the name, and never asked for (RFC 6761)",
            true,
        )),
        Special::NeverInDns => Some((
            "names under invalid, onion and alt are never asked for (RFC 6761, 7686, 9476)",
            false,
        )),
        Special::No if !Name::from_text(node).is_ok_and(|name| name.is_host_name()) => {
            Some(("no host can have this name", false))
        }
        Special::No => None,
    };
    let upstream = session.configured_upstream()?;
    let options = &upstream.conf.options;
    let path = Shown(environment.paths.resolv.to_bytes()).to_string();
    let text = places::text(&environment.paths.resolv);
    let lines = places::resolv(text.as_deref().unwrap_or_default())?;
    let at = |line: Option<u32>, variable: Option<&str>| match (variable, line) {
        (Some(variable), _) => variable.to_owned(),
        (None, Some(line)) => format!("{path}:{line}"),
        (None, None) => "default".to_owned(),
    };
    let ndots_set = environment.res_options.as_deref().is_some_and(|options| {
        options.split(u8::is_ascii_whitespace).any(|word| word.starts_with(b"ndots:"))
    });
    let settings = &environment.settings;
    Ok(Plan {
        alias: alias.as_deref().map(|alias| Shown(alias).to_string()),
        without_asking,
        candidates: candidates(node, Rules::new(options, &upstream.conf.search, node)),
        ndots: (options.ndots, at(lines.ndots, ndots_set.then_some("RES_OPTIONS"))),
        search: at(lines.search, environment.local_domain.as_ref().map(|_| "LOCALDOMAIN")),
        servers: servers(environment, &upstream.conf.servers, &lines, &path)?,
        types: types(options.no_aaaa),
        timeout: options.timeout.max(1),
        attempts: options.attempts,
        cache: Cache {
            entries: settings.cache_entries,
            max_ttl: settings.cache_max_ttl,
            negative_ttl: settings.cache_negative_ttl,
        },
    })
}

/// The names that are asked for, until one has an answer, and why in this place.
fn candidates(node: &[u8], rules: Rules<'_>) -> Vec<(String, &'static str)> {
    let absolute = node.ends_with(b".");
    let dots = node.iter().filter(|&&b| b == b'.').count();
    let ndots = usize::from(rules.ndots);
    let searched = !rules.domains.is_empty();
    let mut search = Search::new(node, rules);
    let mut list = Vec::new();
    while let Some(candidate) = search.next_candidate() {
        let (name, why) = match candidate {
            Candidate::AsIs if absolute => (Name::from_text(node), "ends in a dot: as it is"),
            Candidate::AsIs if !searched => (Name::from_text(node), "as it is"),
            Candidate::AsIs if dots >= ndots => {
                (Name::from_text(node), "has as many dots as ndots says: as it is first")
            }
            Candidate::AsIs => {
                (Name::from_text(node), "has fewer dots than ndots says: as it is last")
            }
            Candidate::Under(domain) => (Name::from_parts(node, domain), "search list"),
        };
        match name {
            Ok(name) => list.push((name.to_string(), why)),
            Err(_) => list.push((Shown(node).to_string(), "too long for a name, ends the search")),
        }
        search.missed(candidate, Miss::NoName);
    }
    list
}

fn servers(
    environment: &Environment,
    configured: &[std::net::SocketAddr],
    lines: &places::Resolv,
    path: &str,
) -> Result<Vec<Server>, NoMemory> {
    let settings = &environment.settings;
    let upstream = &settings.upstream;
    let setting = conf::origin_of("upstream")?;
    let left_out = |server: &std::net::SocketAddr| match settings.stands_aside {
        true => Some("torsocks is in this process"),
        false => (!settings.may_ask(server)).then_some("mode test-only: not on loopback"),
    };
    let chosen = upstream.addresses.iter().map(|server| {
        let address = match upstream.encrypted(server) {
            Some(encrypted) => Shown(&encrypted.text).to_string(),
            None => server.to_string(),
        };
        Server { address, place: setting.clone(), left_out: left_out(server) }
    });
    let from_file = settings.asks_file().then_some(configured).into_iter().flatten();
    let from_file = from_file.map(|server| {
        let place = match lines.servers.iter().find(|(other, _)| other == server) {
            Some((_, line)) => format!("{path}:{line}"),
            None => format!("default, {path} names none"),
        };
        Server { address: server.to_string(), place, left_out: left_out(server) }
    });
    Ok(chosen.chain(from_file).collect())
}

/// Which record types are asked for, with AI_ADDRCONFIG.
fn types(no_aaaa: bool) -> (Vec<&'static str>, &'static str) {
    let (mut v4, mut v6) = (false, false);
    let listed = addresses::addresses(&mut |own| match own.ip {
        IpAddr::V4(ip) => v4 |= ip != Ipv4Addr::LOCALHOST,
        IpAddr::V6(ip) => v6 |= !ip.is_loopback(),
    });
    match (listed.is_ok(), v4, v6) {
        _ if no_aaaa => (vec!["A"], "resolv.conf's no-aaaa"),
        (true, true, false) => (vec!["A"], "AI_ADDRCONFIG: this host has no IPv6 address"),
        (true, false, true) => (vec!["AAAA"], "AI_ADDRCONFIG: this host has no IPv4 address"),
        _ => (vec!["A", "AAAA"], "together"),
    }
}

impl Plan {
    pub(super) fn knows(&self) -> bool {
        self.without_asking.is_some_and(|(_, known)| known)
    }

    pub(super) fn summary(&self) -> String {
        match (self.without_asking, &self.alias) {
            (Some((why, _)), _) => why.to_owned(),
            (None, Some(alias)) => format!("asks for {alias} (HOSTALIASES)"),
            (None, None) => "asks until one name has an answer".to_owned(),
        }
    }

    pub(super) fn nodes(&self) -> Vec<Node> {
        if self.without_asking.is_some() {
            return Vec::new();
        }
        let (ndots, place) = &self.ndots;
        let names = self.candidates.iter().map(|(name, why)| Node::new(format!("{name} ({why})")));
        let names =
            Node::new(format!("names; ndots:{ndots} ({place}), search list ({})", self.search))
                .with(names);
        let servers = self.servers.iter().map(|server| {
            Node::new(match server.left_out {
                Some(why) => format!("{} ({}): left out, {why}", server.address, server.place),
                None => format!("{} ({})", server.address, server.place),
            })
        });
        let servers = Node::new(format!(
            "servers; {} s for the first, {} attempts",
            self.timeout, self.attempts
        ))
        .with(servers);
        let (types, why) = &self.types;
        let cache = match self.cache.entries {
            0 => "cache: off".to_owned(),
            entries => format!(
                "cache: {entries} entries, empty in a new process; kept for {} s, for {} s where it says no, at the most",
                self.cache.max_ttl, self.cache.negative_ttl
            ),
        };
        vec![
            names,
            Node::new(format!("types: {} ({why})", types.join(" and "))),
            servers,
            Node::new(cache),
        ]
    }

    pub(super) fn json(&self) -> Vec<(&'static str, Json)> {
        let candidates = self.candidates.iter().map(|(name, why)| {
            Json::Object(vec![("name", Json::text(name)), ("reason", Json::text(why))])
        });
        let servers = self.servers.iter().map(|server| {
            Json::Object(vec![
                ("address", Json::text(&server.address)),
                ("from", Json::text(&server.place)),
                ("left_out", Json::maybe(server.left_out)),
            ])
        });
        let (types, _) = &self.types;
        vec![
            ("alias", Json::maybe(self.alias.as_ref())),
            ("without_asking", Json::maybe(self.without_asking.map(|(why, _)| why))),
            ("candidates", Json::List(candidates.collect())),
            ("ndots", Json::Number(self.ndots.0.into())),
            ("types", Json::List(types.iter().map(Json::text).collect())),
            ("servers", Json::List(servers.collect())),
            ("timeout", Json::Number(self.timeout.into())),
            ("attempts", Json::Number(self.attempts.into())),
            ("cache_entries", Json::Number(self.cache.entries as u64)),
        ]
    }
}
