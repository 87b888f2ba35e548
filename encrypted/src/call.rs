//! What is asked, read from C; and the way back.

#![allow(unsafe_code)]

use crate::contract::{Call, Event, MAX_QUESTIONS, Octets, kind};
use crate::failure::Failure;
use crate::process::path;
use core::cell::Cell;
use core::ffi::c_void;
use core::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use core::sync::atomic::AtomicPtr;
use core::time::Duration;
use hickory_resolver::proto::op::Message;
use std::path::Path;

/// Where most servers answer (RFC 8484 section 4.1.1 has it as its example).
const DEFAULT_PATH: &str = "/dns-query";

/// How a server is talked to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// DNS over TCP (RFC 7766): for validation by way of a plain server.
    Tcp,
    /// DNS over TLS (RFC 7858).
    Tls,
    /// DNS over HTTPS (RFC 8484).
    Https,
}

/// A call, as Rust sees it.
pub(crate) struct Asked<'a> {
    call: &'a Call,
    /// The server.
    pub(crate) server: SocketAddr,
    /// How it is talked to.
    pub(crate) scheme: Scheme,
    /// Whether signatures are checked.
    pub(crate) validate: bool,
    /// For how long this may go on.
    pub(crate) limit: Duration,
    /// What the server's certificate is to say: its name, or its address as text.
    pub(crate) name: String,
    /// The path of an HTTPS URL.
    pub(crate) path: String,
    /// The file of certificates, where it isn't the system's.
    pub(crate) authorities: Option<&'a Path>,
    /// The file of trust anchors, where it isn't the installed one.
    pub(crate) anchors: Option<&'a Path>,
    /// The server, for the trace.
    shown: String,
    told: [Cell<bool>; MAX_QUESTIONS],
}

impl<'a> Asked<'a> {
    /// # Safety
    /// The call is whole, and what it points to is there for `'a`.
    pub(crate) unsafe fn read(call: &'a Call) -> Asked<'a> {
        // SAFETY: by the function's contract.
        let get = |octets: Octets| unsafe { octets.get::<'a>() };
        let v6 = Ipv6Addr::from(call.address);
        let server = match v6.to_ipv4_mapped() {
            Some(v4) => SocketAddr::new(IpAddr::V4(v4), call.port),
            None => SocketAddr::V6(SocketAddrV6::new(v6, call.port, 0, call.scope)),
        };
        let written = String::from_utf8_lossy(get(call.server)).into_owned();
        let (scheme, rest) = match written.split_once("://") {
            Some(("tls", rest)) => (Scheme::Tls, rest),
            Some((_, rest)) => (Scheme::Https, rest),
            None => (Scheme::Tcp, ""),
        };
        let (host, path_at) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let name = host.split_once('#').map(|(_, name)| name.to_owned());
        // SAFETY: by the function's contract.
        let path = |octets| unsafe { path::<'a>(octets) };
        Asked {
            call,
            server,
            scheme,
            validate: call.validate,
            limit: Duration::from_millis(call.limit.into()),
            name: name.unwrap_or_else(|| server.ip().to_string()),
            path: if path_at.is_empty() { DEFAULT_PATH } else { path_at }.to_owned(),
            authorities: path(call.authorities),
            anchors: path(call.anchors),
            shown: match scheme {
                Scheme::Tcp => server.to_string(),
                Scheme::Tls | Scheme::Https => written.clone(),
            },
            told: Default::default(),
        }
    }

    /// Where the process keeps what outlives a call.
    pub(crate) fn place(&self) -> &AtomicPtr<c_void> {
        // SAFETY: points to an atomic that is there as long as the call.
        unsafe { &*self.call.place }
    }

    /// The queries that are to be asked, by index.
    pub(crate) fn questions(&self) -> impl Iterator<Item = (usize, &'a [u8])> {
        // SAFETY: by the contract of `read`, for `'a`.
        let octets = self.call.questions.map(|octets| unsafe { octets.get::<'a>() });
        octets.into_iter().enumerate().filter(|(_, octets)| !octets.is_empty())
    }

    /// Tells what has become of a question; only the first time counts.
    pub(crate) fn tell(&self, question: usize, kind: u32, message: &[u8], text: &str) {
        if self.told.get(question).is_none_or(|told| told.replace(true)) {
            return;
        }
        let about = self.questions().find(|(index, _)| *index == question);
        let about = about.and_then(|(_, octets)| Message::from_vec(octets).ok());
        let about = about.and_then(|query| query.queries.into_iter().next());
        let text = match about {
            Some(asked) => {
                // Without the dot at its end, as the rest of the trace has names.
                let name = asked.name.to_string();
                let name = name.strip_suffix('.').filter(|name| !name.is_empty()).unwrap_or(&name);
                format!("{}: {name} {}: {text}", self.shown, asked.query_type)
            }
            None => format!("{}: {text}", self.shown),
        };
        self.event(question, kind, message, &text);
    }

    /// Gives a sign of life; false where nobody waits for the call any more.
    pub(crate) fn beat(&self) -> bool {
        self.event(0, kind::BEAT, &[], "")
    }

    /// Tells that a question has no answer.
    pub(crate) fn fail(&self, question: usize, failure: &Failure) {
        self.tell(question, failure.kind, &[], &failure.reason);
    }

    /// Tells the same of every question that nothing was told of yet.
    pub(crate) fn fail_rest(&self, failure: &Failure) {
        for (question, _) in self.questions() {
            self.fail(question, failure);
        }
    }

    fn event(&self, question: usize, kind: u32, message: &[u8], text: &str) -> bool {
        let (message, text) = (Octets::of(message), Octets::of(text.as_bytes()));
        let event = Event { question, kind, message, text };
        // SAFETY: function and argument came with the call, and the event is there until it returns.
        unsafe { (self.call.take)(self.call.taker, &raw const event) }
    }
}
