//! A world, set up in a sandbox.

use super::cases::World;
use super::support::dns::{Question, Server, Transport};
use super::support::sandbox::Sandbox;
use super::{network, script};

/// A sandbox as its world has it, with the servers running.
pub struct Scene {
    servers: Vec<Server>,
}

impl Scene {
    pub fn new(sandbox: &Sandbox, world: &World) -> Scene {
        for (path, contents) in &world.files {
            match contents {
                Some(contents) => sandbox.write(path, unescape(contents)),
                None => sandbox.remove(path),
            }
        }
        let servers = script::parse(&world.dns).into_iter().map(|server| {
            let addresses: Vec<&str> = server.addresses.iter().map(String::as_str).collect();
            // Servers come first: with loopback gone there is nothing to bind to.
            Server::with(sandbox, &addresses, &server.transports, server.answers)
        });
        let servers = servers.collect();
        for words in &world.network {
            match words.split_once(' ').unwrap_or((words, "")) {
                ("address", address) => sandbox.address(address),
                ("no-ipv6", _) => sandbox.without_ipv6(),
                ("no-loopback", _) => sandbox.without_loopback(),
                ("default-4", _) => sandbox.default_route(4),
                ("default-6", _) => sandbox.default_route(6),
                ("case", name) => network::set_up(sandbox, name),
                ("ip", words) => sandbox.ip(words),
                _ => panic!("{words}: no word of a network"),
            }
        }
        Scene { servers }
    }

    /// The queries since the last time, oldest first: where, how and what, and what is unusual.
    pub fn asked(&self) -> Vec<String> {
        let mut log: Vec<Question> = Vec::new();
        for server in &self.servers {
            server.settle();
            log.extend(server.log());
            server.clear_log();
        }
        log.sort_by_key(|question| question.arrived);
        log.iter().map(query).collect()
    }
}

/// `127.0.0.1 udp host.test A`, and what few queries have.
fn query(question: &Question) -> String {
    let transport = if question.transport == Transport::Udp { "udp" } else { "tcp" };
    let mut text = format!(
        "{} {transport} {} {}",
        question.server.ip(),
        question.name_as_sent,
        script::type_name(question.qtype)
    );
    if question.qclass != 1 {
        text.push_str(&format!(" class={}", question.qclass));
    }
    if let Some(payload) = question.edns {
        text.push_str(&format!(" edns={payload}"));
    }
    for (said, word) in [
        (!question.rd, " no-rd"),
        (question.ad, " ad"),
        (question.cd, " cd"),
        (question.dnssec_ok, " do"),
    ] {
        text.push_str(if said { word } else { "" });
    }
    text
}

/// `\xNN` in a file is that octet: TOML has text only.
fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        octets.extend(&rest.as_bytes()[..at]);
        octets.push(u8::from_str_radix(&rest[at + 2..at + 4], 16).unwrap());
        rest = &rest[at + 4..];
    }
    octets.extend(rest.as_bytes());
    octets
}
