//! Which line of which file says what. The parsers themselves are asked, line by line: a line says
//! something where it makes a difference to what stands before it.

use rustdns::config::nsswitch::{self, Database, Service};
use rustdns::config::resolv::{self, Options, ResolvConf};
use rustdns::sys::mem::NoMemory;
use rustdns::sys::{files, interfaces};
use std::ffi::CStr;
use std::net::SocketAddr;

/// A file's lines, with their numbers.
fn lines(text: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    (1..).zip(text.split(|&b| b == b'\n'))
}

/// The file's text, where it can be read.
pub(crate) fn text(path: &CStr) -> Option<Vec<u8>> {
    files::read(path).ok().map(|(text, _)| text)
}

/// nsswitch.conf's line for hosts: its number, and the line without the database's name.
pub(crate) fn hosts_line(text: &[u8]) -> Result<Option<(u32, String)>, NoMemory> {
    const OTHER: &[u8] = b"other";
    let mut found = None;
    for (number, line) in lines(text) {
        let both = [b"hosts: ", OTHER, b"\n", line].concat();
        let Database { steps, .. } = nsswitch::parse(Some(&both), b"hosts")?;
        let is_other =
            |service: &Service| matches!(service, Service::Other(name) if **name == *OTHER);
        if !steps.iter().any(|step| is_other(&step.service)) {
            let line = String::from_utf8_lossy(line);
            let services = line.trim_start().trim_start_matches("hosts");
            let services = services.trim_start_matches([':', ' ', '\t']).trim_end();
            found = Some((number, services.to_owned()));
        }
    }
    Ok(found)
}

/// resolv.conf's lines by what they say.
#[derive(Default)]
pub(crate) struct Resolv {
    pub(crate) servers: Vec<(SocketAddr, u32)>,
    pub(crate) search: Option<u32>,
    pub(crate) ndots: Option<u32>,
    pub(crate) timeout: Option<u32>,
    pub(crate) attempts: Option<u32>,
}

/// Reads resolv.conf's text.
pub(crate) fn resolv(text: &[u8]) -> Result<Resolv, NoMemory> {
    let mut places = Resolv::default();
    for (number, line) in lines(text) {
        let behind = |before: &str| parse(before, line);
        if let [_, server] = *behind("nameserver 192.0.2.255")?.servers {
            places.servers.push((server, number));
        }
        if !behind("")?.search.is_empty() {
            places.search = Some(number);
        }
        for (place, name, member) in [
            (&mut places.ndots, "ndots", (|options| options.ndots.into()) as fn(&Options) -> u32),
            (&mut places.timeout, "timeout", |options| options.timeout),
            (&mut places.attempts, "attempts", |options| options.attempts),
        ] {
            let after = |value: u32| -> Result<u32, NoMemory> {
                Ok(member(&behind(&format!("options {name}:{value}"))?.options))
            };
            if after(2)? == after(3)? {
                *place = Some(number);
            }
        }
    }
    Ok(places)
}

fn parse(before: &str, line: &[u8]) -> Result<ResolvConf, NoMemory> {
    let text = [before.as_bytes(), b"\n", line].concat();
    resolv::parse(Some(&text), b"", &interfaces::index)
}
