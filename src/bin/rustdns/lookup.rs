//! `rustdns lookup` and `rustdns reverse`: what `getaddrinfo` and `getnameinfo` would give a program,
//! where it is from, and why it is in that order.

use crate::Outcome;
use crate::account::{Account, Origin, millis, rule, source_json};
use crate::answer::{Json, Shown, Trouble, print};
use crate::arguments::{Lookup, Reverse};
use crate::progress::Progress;
use rustdns::base::address::{Address, is_link_local};
use rustdns::base::error::Error;
use rustdns::base::text::NameText;
use rustdns::context::call::Session;
use rustdns::context::state::state;
use rustdns::observe::witness::hear;
use rustdns::resolve::forward::{Resolution, resolve};
use rustdns::rules::numeric::{self, Numeric};
use rustdns::rules::query::{Family, Flags, Hints, SockType};
use rustdns::rules::service::Endpoint;
use rustdns::sys::interfaces;
use std::ffi::OsString;
use std::fmt::Write;
use std::io;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// What most programs ask with: AI_CANONNAME and AI_ADDRCONFIG, and where the name has other
/// characters than ASCII's, AI_IDN and AI_CANONIDN.
pub(crate) fn usual_hints(name: &[u8], family: Family) -> Hints {
    let idn = !name.is_ascii();
    let flags =
        Flags { canonname: true, addr_config: true, idn, canon_idn: idn, ..Flags::default() };
    Hints { flags, family, socktype: SockType::Any, protocol: 0 }
}

/// One lookup, or what it failed with, how long it took, and what it did.
struct Run<T> {
    result: Result<T, Error>,
    time: Duration,
    account: Account,
}

impl<T> Run<T> {
    /// Does `work`, a second time if that is wanted: what it does then is what counts.
    fn of(what: &[u8], again: bool, work: impl Fn() -> Result<T, Error>) -> Run<T> {
        let _progress = Progress::of(format!("asking for {}", Shown(what)));
        if again {
            // Only what it leaves behind matters.
            drop(work());
        }
        let start = Instant::now();
        let (result, statements) = hear(work);
        Run { result, time: start.elapsed(), account: Account::of(statements) }
    }
}

/// Looks a name up.
pub(crate) fn lookup(arguments: &Lookup) -> Outcome {
    let name = arguments.name.as_bytes();
    let family = match (arguments.ipv4, arguments.ipv6) {
        (true, _) => Family::V4,
        (false, true) => Family::V6,
        (false, false) => Family::Any,
    };
    let hints = usual_hints(name, family);
    let service = arguments.service.as_ref().map(|service| service.as_bytes());
    let run = Run::of(name, arguments.again, || resolve(Some(name), service, &hints));
    let Run { result, time, account } = run;
    match result {
        Ok(found) if arguments.json => json(arguments, &found, time, &account),
        Ok(found) => text(arguments, &found, time, &account),
        Err(error) => failed("name", &arguments.name, error, time, &account, arguments.json),
    }
}

fn text(arguments: &Lookup, found: &Resolution, time: Duration, account: &Account) -> Outcome {
    let mut out = String::new();
    line(&mut out, "name", Shown(arguments.name.as_bytes()));
    if let Some(canonical) = &found.canonical {
        line(&mut out, "canonical", Shown(canonical));
    }
    let texts: Vec<_> = found.addresses.iter().map(|address| address_text(*address)).collect();
    let width = texts.iter().map(String::len).max().unwrap_or(0);
    let addresses = texts.iter().zip(&found.addresses).map(|(text, address)| {
        let origin = account.origin(*address);
        format!("{text:<width$}  from {}", origin_text(origin, account))
    });
    lines(&mut out, "addresses", addresses);
    let order = account.decisions().map(|(first, second, decisive)| {
        let (number, why) = rule(decisive);
        let (first, second) = (address_text(first.address), address_text(second.address));
        format!("{first} before {second}: {why} (rule {number})")
    });
    lines(&mut out, "order", order);
    if let Some(service) = &arguments.service {
        line(&mut out, "service", Shown(service.as_bytes()));
        let ports = found.endpoints.iter().map(|one| format!("{} {}", one.port, socket(one)));
        lines(&mut out, "ports", ports);
    }
    course(&mut out, account);
    line(&mut out, "time", millis(time));
    print(&out)
}

fn json(arguments: &Lookup, found: &Resolution, time: Duration, account: &Account) -> Outcome {
    let mut members = vec![("name", Json::text(arguments.name.as_bytes()))];
    let canonical = found.canonical.as_ref().map_or(Json::Null, Json::text);
    members.push(("canonical", canonical));
    let addresses = found.addresses.iter().map(|address| {
        let family = if address.is_ipv4() { "ipv4" } else { "ipv6" };
        let (origin, ttl) = account.origin(*address);
        let rank = account.rank(*address);
        let decisive = rank.and_then(|rank| rank.before_next).map(rule);
        Json::Object(vec![
            ("address", Json::Text(address_text(*address))),
            ("family", Json::text(family)),
            ("ttl", ttl.map_or(Json::Null, |ttl| Json::Number(ttl.into()))),
            ("origin", origin.json(&hosts_path(), answering(account))),
            ("source", source_json(rank.and_then(|rank| rank.source))),
            (
                "before_next",
                decisive.map_or(Json::Null, |(number, why)| {
                    Json::Object(vec![("rule", Json::Number(number)), ("reason", Json::text(why))])
                }),
            ),
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
    members.extend(course_json(time, account));
    Json::Object(members).print()
}

/// The address that `text` is; refuses what is none.
pub(crate) fn address_of(text: &[u8]) -> Option<Address> {
    let flags = Flags { numeric_host: true, ..Flags::default() };
    match numeric::parse(text, Family::Any, &flags, &interfaces::index) {
        Numeric::Address(address) => Some(address),
        Numeric::Refused(_) | Numeric::NotNumeric => None,
    }
}

/// Finds the name of an address.
pub(crate) fn reverse(arguments: &Reverse) -> Outcome {
    let text = arguments.address.as_bytes();
    let Some(address) = address_of(text) else {
        return Err(Trouble::refused(format_args!(
            "{}: not an address; for names there is `rustdns lookup`",
            Shown(text)
        )));
    };
    let Run { result, time, account } = Run::of(text, arguments.again, || {
        let session = Session::begin()?;
        rustdns::resolve::reverse::host_name(&session, address)
    });
    let name: NameText = match result {
        Ok(name) => name,
        Err(error) => {
            return failed("address", &arguments.address, error, time, &account, arguments.json);
        }
    };
    let origin = account.origin_of_name();
    if arguments.json {
        let mut members = vec![
            ("address", Json::Text(address_text(address))),
            ("name", Json::text(&name)),
            ("ttl", origin.1.map_or(Json::Null, |ttl| Json::Number(ttl.into()))),
            ("origin", origin.0.json(&hosts_path(), answering(&account))),
        ];
        members.extend(course_json(time, &account));
        return Json::Object(members).print();
    }
    let mut out = String::new();
    line(&mut out, "address", address_text(address));
    line(&mut out, "name", Shown(&name));
    line(&mut out, "from", origin_text(origin, &account));
    course(&mut out, &account);
    line(&mut out, "time", millis(time));
    print(&out)
}

/// What services and servers did.
fn course(out: &mut String, account: &Account) {
    lines(out, "asked", account.service_lines());
    lines(out, "queries", account.query_lines());
    lines(out, "dnssec", account.worth().map(str::to_owned).into_iter());
}

fn course_json(time: Duration, account: &Account) -> [(&'static str, Json); 4] {
    [
        ("asked", account.services_json()),
        ("queries", account.queries_json()),
        ("dnssec", Json::maybe(account.worth())),
        ("microseconds", Json::micros(time)),
    ]
}

fn answering(account: &Account) -> Option<&str> {
    account.answering().map(|service| service.name())
}

fn origin_text((origin, ttl): (Origin, Option<u32>), account: &Account) -> String {
    let origin = origin.text(&hosts_path(), answering(account));
    match ttl {
        Some(ttl) => format!("{origin}, TTL {ttl}"),
        None => origin,
    }
}

/// The hosts file, behind the setting `root`.
fn hosts_path() -> String {
    match state().and_then(|state| state.environment()) {
        Ok(environment) => Shown(environment.paths.hosts.to_bytes()).to_string(),
        Err(_) => "/etc/hosts".to_owned(),
    }
}

/// Lines for one label, where there are any.
fn lines(out: &mut String, label: &str, values: impl Iterator<Item = String>) {
    for (at, value) in values.enumerate() {
        line(out, if at == 0 { label } else { "" }, value);
    }
}

/// A label and what it is for; a line without a label goes on with the one before.
fn line(out: &mut String, label: &str, value: impl std::fmt::Display) {
    // Writing to a String never fails.
    let _ = writeln!(out, "{label:<11}{value}");
}

/// The address with its zone, by the interface's name where there is one (RFC 4007 section 11).
pub(crate) fn address_text(address: Address) -> String {
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

/// Says why there is no answer, on standard error; and what was done for it, on standard output.
fn failed(
    what: &'static str,
    asked: &OsString,
    error: Error,
    time: Duration,
    account: &Account,
    as_json: bool,
) -> Outcome {
    let (code, why) = meaning(error);
    if as_json {
        let mut members = vec![
            (what, Json::text(asked.as_bytes())),
            ("error", Json::text(code)),
            ("message", Json::text(&why)),
        ];
        members.extend(course_json(time, account));
        Json::Object(members).print()?;
    } else {
        let mut out = String::new();
        line(&mut out, what, Shown(asked.as_bytes()));
        course(&mut out, account);
        line(&mut out, "time", millis(time));
        print(&out)?;
    }
    Err(Trouble::not_found(format_args!("{}: {code}: {why}", Shown(asked.as_bytes()))))
}

/// What C programs call the error, and what it means to people.
pub(crate) fn meaning(error: Error) -> (&'static str, String) {
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
