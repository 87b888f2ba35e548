//! `rustdns lookup` and `rustdns reverse`: what `getaddrinfo` and `getnameinfo` would give a program.

use crate::Outcome;
use crate::answer::{Json, Shown, Trouble, print};
use crate::arguments::{Lookup, Reverse};
use rustdns::address::{Address, is_link_local};
use rustdns::error::Error;
use rustdns::lookup::numeric::{self, Numeric};
use rustdns::lookup::query::{Family, Flags, Hints, SockType};
use rustdns::lookup::service::Endpoint;
use rustdns::resolve::{Resolution, resolve};
use rustdns::session::Session;
use rustdns::sys::interfaces;
use std::ffi::OsString;
use std::fmt::Write;
use std::io;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// Looks a name up as most programs do: with AI_CANONNAME and AI_ADDRCONFIG, and where the name has
/// other characters than ASCII's, with AI_IDN and AI_CANONIDN.
pub(crate) fn lookup(arguments: &Lookup) -> Outcome {
    let name = arguments.name.as_bytes();
    let family = match (arguments.ipv4, arguments.ipv6) {
        (true, _) => Family::V4,
        (false, true) => Family::V6,
        (false, false) => Family::Any,
    };
    let idn = !name.is_ascii();
    let flags =
        Flags { canonname: true, addr_config: true, idn, canon_idn: idn, ..Flags::default() };
    let hints = Hints { flags, family, socktype: SockType::Any, protocol: 0 };
    let service = arguments.service.as_ref().map(|service| service.as_bytes());
    let start = Instant::now();
    let result = resolve(Some(name), service, &hints);
    let time = start.elapsed();
    match result {
        Ok(found) => {
            if arguments.json {
                json(arguments, &found, time)
            } else {
                text(arguments, &found, time)
            }
        }
        Err(error) => failed("name", &arguments.name, error, time, arguments.json),
    }
}

fn text(arguments: &Lookup, found: &Resolution, time: Duration) -> Outcome {
    let mut out = String::new();
    line(&mut out, "name", Shown(arguments.name.as_bytes()));
    if let Some(canonical) = &found.canonical {
        line(&mut out, "canonical", Shown(canonical));
    }
    for (at, address) in found.addresses.iter().enumerate() {
        line(&mut out, if at == 0 { "addresses" } else { "" }, address_text(*address));
    }
    if let Some(service) = &arguments.service {
        line(&mut out, "service", Shown(service.as_bytes()));
        for (at, one) in found.endpoints.iter().enumerate() {
            let of = format_args!("{} {}", one.port, socket(one)).to_string();
            line(&mut out, if at == 0 { "ports" } else { "" }, of);
        }
    }
    line(&mut out, "time", millis(time));
    print(&out)
}

fn json(arguments: &Lookup, found: &Resolution, time: Duration) -> Outcome {
    let mut members = vec![("name", Json::text(arguments.name.as_bytes()))];
    let canonical = found.canonical.as_ref().map_or(Json::Null, Json::text);
    members.push(("canonical", canonical));
    let addresses = found.addresses.iter().map(|address| {
        let family = if address.is_ipv4() { "ipv4" } else { "ipv6" };
        Json::Object(vec![
            ("address", Json::Text(address_text(*address))),
            ("family", Json::text(family)),
        ])
    });
    members.push(("addresses", Json::List(addresses.collect())));
    if let Some(service) = &arguments.service {
        members.push(("service", Json::text(service.as_bytes())));
        let ports = found.endpoints.iter().map(|one| {
            Json::Object(vec![
                ("port", Json::Number(one.port.into())),
                ("socket", Json::text(socket(one))),
                ("protocol", Json::Number(one.protocol.unsigned_abs().into())),
            ])
        });
        members.push(("ports", Json::List(ports.collect())));
    }
    members.push(("microseconds", micros(time)));
    Json::Object(members).print()
}

/// Finds the name of an address.
pub(crate) fn reverse(arguments: &Reverse) -> Outcome {
    let text = arguments.address.as_bytes();
    let flags = Flags { numeric_host: true, ..Flags::default() };
    let Numeric::Address(address) = numeric::parse(text, Family::Any, &flags, &interfaces::index)
    else {
        return Err(Trouble::refused(format_args!(
            "{}: not an address; for names there is `rustdns lookup`",
            Shown(text)
        )));
    };
    let start = Instant::now();
    let result = Session::begin()
        .map_err(Error::from)
        .and_then(|session| rustdns::reverse::host_name(&session, address));
    let time = start.elapsed();
    let name = match result {
        Ok(name) => name,
        Err(error) => return failed("address", &arguments.address, error, time, arguments.json),
    };
    if arguments.json {
        return Json::Object(vec![
            ("address", Json::Text(address_text(address))),
            ("name", Json::text(&name)),
            ("microseconds", micros(time)),
        ])
        .print();
    }
    let mut out = String::new();
    line(&mut out, "address", address_text(address));
    line(&mut out, "name", Shown(&name));
    line(&mut out, "time", millis(time));
    print(&out)
}

/// A label and what it is for; a line without a label goes on with the one before.
fn line(out: &mut String, label: &str, value: impl std::fmt::Display) {
    // Writing to a String never fails.
    let _ = writeln!(out, "{label:<11}{value}");
}

fn millis(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}

fn micros(time: Duration) -> Json {
    Json::Number(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

/// The address with its zone, by the interface's name where there is one (RFC 4007 section 11).
fn address_text(address: Address) -> String {
    let mut buffer = [0; 16];
    match address {
        Address { ip, scope: 0 } => ip.to_string(),
        Address { ip: IpAddr::V6(ip), scope } if is_link_local(ip) => {
            match interfaces::name(scope, &mut buffer) {
                Some(name) => format!("{ip}%{}", Shown(name)),
                None => format!("{ip}%{scope}"),
            }
        }
        Address { ip, scope } => format!("{ip}%{scope}"),
    }
}

fn socket(endpoint: &Endpoint) -> &'static str {
    match endpoint.socktype {
        SockType::Stream => "stream",
        SockType::Dgram => "dgram",
        SockType::Raw => "raw",
        SockType::SeqPacket => "seqpacket",
        SockType::Dccp => "dccp",
        SockType::Any | SockType::Other => "any",
    }
}

/// Says why there is no answer; with `--json` on standard output too, as an object.
fn failed(
    what: &'static str,
    asked: &OsString,
    error: Error,
    time: Duration,
    as_json: bool,
) -> Outcome {
    let (code, why) = meaning(error);
    if as_json {
        Json::Object(vec![
            (what, Json::text(asked.as_bytes())),
            ("error", Json::text(code)),
            ("message", Json::text(&why)),
            ("microseconds", micros(time)),
        ])
        .print()?;
    }
    Err(Trouble::not_found(format_args!("{}: {code}: {why}", Shown(asked.as_bytes()))))
}

/// What C programs call the error, and what it means to people.
fn meaning(error: Error) -> (&'static str, String) {
    let (code, why) = match error {
        Error::NoName => ("EAI_NONAME", "no file and no server knows it"),
        Error::NoData => ("EAI_NODATA", "the name exists, but has no such address"),
        Error::AddrFamily => ("EAI_ADDRFAMILY", "an address, but not of the family asked for"),
        Error::Fail => (
            "EAI_FAIL",
            "what the servers answer is not what the zone has signed (dnssec validate)",
        ),
        Error::Again => {
            ("EAI_AGAIN", "no server gave an answer; see /etc/resolv.conf, and try again")
        }
        Error::Family => ("EAI_FAMILY", "unknown address family"),
        Error::SockType => ("EAI_SOCKTYPE", "unknown socket type"),
        Error::Service => ("EAI_SERVICE", "unknown service; see /etc/services, or give a number"),
        Error::BadFlags => ("EAI_BADFLAGS", "flags that contradict each other"),
        Error::Memory => ("EAI_MEMORY", "memory is exhausted"),
        Error::Overflow => ("EAI_OVERFLOW", "the answer is too long"),
        Error::IdnEncode => {
            ("EAI_IDN_ENCODE", "not a name that IDNA allows in this locale's encoding; see LC_ALL")
        }
        Error::System(errno) => {
            return ("EAI_SYSTEM", io::Error::from_raw_os_error(errno).to_string());
        }
    };
    (code, why.to_owned())
}
