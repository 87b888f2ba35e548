//! Name servers, each asked by itself, all at once: over UDP and TCP, with EDNS, for a name that doesn't
//! exist; those that are encrypted in their own way, and all for what can be validated where that is set.

use super::{Finding, Level, unheard_of};
use crate::account::millis;
use crate::answer::Shown;
use crate::{conf, places};
use rustdns::base;
use rustdns::base::error::Trouble;
use rustdns::base::name::Name;
use rustdns::base::rcode::{self, RcodeName};
use rustdns::base::record_type;
use rustdns::cache::health::Health;
use rustdns::config::resolv::{Options, ResolvConf};
use rustdns::config::settings::{Cookies, Dnssec};
use rustdns::context::call::Session;
use rustdns::context::state::{Environment, Upstream};
use rustdns::observe::witness::{Answer, Reason, Statement, Worth, hear};
use rustdns::source::dns::exchange::{Progress, Terms, Verdict, exchange};
use rustdns::source::dns::flight::Question;
use rustdns::source::dns::lookup::Lookup;
use rustdns::source::dns::read;
use rustdns::source::dns::slot::Questions;
use rustdns::sys::mem::NoMemory;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

/// How long a server has for each answer.
const SECONDS: u32 = 2;
/// Longer than this, people notice.
const SLOW: Duration = Duration::from_millis(200);
/// The record type that the root has for sure (RFC 1035).
const NS: u16 = 2;

/// Asks each server.
pub(super) fn findings(
    session: &Session,
    environment: &Environment,
) -> Result<Vec<Finding>, NoMemory> {
    let upstream = session.configured_upstream()?;
    let servers: Vec<SocketAddr> = upstream.servers.iter().map(|(server, _)| *server).collect();
    if servers.is_empty() {
        let (what, fix) = match environment.settings.upstream.is_unread {
            true => (
                "none is left to be asked: the value of upstream is not understood",
                "correct upstream: rustdns.conf(5)",
            ),
            false => (
                "none is left to be asked: `mode test-only` leaves out all that are not on loopback",
                "set upstream to a server on loopback, or mode to normal",
            ),
        };
        return Ok(vec![Finding::new(Level::Error, "name servers", what).fix(fix)]);
    }
    let places = places(&servers, environment)?;
    thread::scope(|scope| {
        let asked: Vec<_> = servers
            .iter()
            .zip(places)
            .map(|(server, place)| {
                let settings = &environment.settings;
                let is_private = settings.upstream.encrypted(server).is_some();
                let validate = settings.dnssec == Dnssec::Validate;
                scope.spawn(move || match (is_private, validate) {
                    (true, _) => Ok(vec![private(*server, &place)?]),
                    (false, false) => examine(*server, &place),
                    (false, true) => {
                        let mut findings = examine(*server, &place)?;
                        findings.extend(signatures(*server, &place)?);
                        Ok(findings)
                    }
                })
            })
            .collect();
        let mut findings = Vec::new();
        for one in asked {
            findings.extend(one.join().unwrap_or(Err(NoMemory))?);
        }
        Ok(findings)
    })
}

/// Where each server is named.
fn places(servers: &[SocketAddr], environment: &Environment) -> Result<Vec<String>, NoMemory> {
    let path = &environment.paths.resolv;
    let lines = places::resolv(&places::text(path).unwrap_or_default())?;
    let upstream = &environment.settings.upstream;
    let origin = conf::origin_of("upstream")?;
    let path = Shown(path.to_bytes()).to_string();
    let place = |server: &SocketAddr| {
        let line = lines.servers.iter().find(|(other, _)| other == server);
        match (upstream.encrypted(server), line) {
            (Some(encrypted), _) => format!("{} ({origin})", Shown(&encrypted.text)),
            (None, _) if upstream.addresses.contains(server) => format!("{server} ({origin})"),
            (None, Some((_, line))) => format!("{server} ({path}:{line})"),
            (None, None) => format!("{server} ({path} names none)"),
        }
    };
    Ok(servers.iter().map(place).collect())
}

/// What came of one question.
struct Said {
    progress: Progress,
    answer: Option<Answer>,
    /// Why there is none, of what was asked in private or to be validated.
    reason: Option<Reason>,
    /// What became of EDNS, where the answer came without.
    without_edns: Option<NoEdns>,
    /// It gave addresses.
    addresses: Vec<String>,
}

#[derive(Clone, Copy)]
enum NoEdns {
    /// FORMERR or NOTIMP.
    Refused,
    /// Nothing: it was asked again without.
    Silent,
}

/// How to ask.
#[derive(Clone, Copy)]
enum Way {
    Udp,
    Tcp,
    Edns,
    /// As the settings say: encrypted, validated.
    Private,
}

fn ask(server: SocketAddr, name: &Name, qtype: u16, way: Way) -> Result<Said, NoMemory> {
    let options = Options {
        timeout: SECONDS,
        attempts: 1,
        use_vc: matches!(way, Way::Tcp),
        edns0: matches!(way, Way::Edns),
        ..Options::default()
    };
    let conf = ResolvConf { options, ..ResolvConf::default() };
    let upstream = Upstream::by_hand(conf, vec![(server, Health::default())])?;
    let session = Session::begin()?;
    let terms = Lookup::of(&session, &upstream).terms;
    let private = terms.private.filter(|_| matches!(way, Way::Private));
    let terms = Terms { cookies: Cookies::Off, random_case: false, private, ..terms };
    let mut addresses = Vec::new();
    let (progress, statements) = hear(|| {
        let question = Question::new(*name, qtype);
        exchange(&terms, Questions::one(&question), &mut |_, message| {
            if let (base::answer::Answer::Found(set), _) = read::addresses(message, name, qtype)? {
                addresses.extend(set.addresses.iter().map(|address| address.ip.to_string()));
            }
            Ok(Verdict::Negative)
        })
    });
    let progress = progress?.first;
    let (mut answers, mut reason) = (Vec::new(), None);
    for statement in statements {
        match statement {
            Statement::Answer(query, answer) => answers.push((query, answer)),
            Statement::NoAnswer(_, why) => reason = Some(why),
            _ => {}
        }
    }
    let to_edns: Vec<_> = answers.iter().filter(|(query, _)| query.edns).collect();
    let is_refusal = |rcode: u8| matches!(rcode, rcode::FORMERR | rcode::NOTIMP);
    let without_edns = match &*to_edns {
        _ if !matches!(way, Way::Edns) || answers.is_empty() => None,
        [] => Some(NoEdns::Silent),
        [(_, answer), ..] => is_refusal(answer.rcode).then_some(NoEdns::Refused),
    };
    let answer = answers.into_iter().last().map(|(_, answer)| answer);
    Ok(Said { progress, answer, reason, without_edns, addresses })
}

fn examine(server: SocketAddr, place: &str) -> Result<Vec<Finding>, NoMemory> {
    let mut findings = Vec::new();
    let root = |way| ask(server, &Name::ROOT, NS, way);
    // At once: of a server that is silent in one way the other's time need not be waited for.
    let (udp, tcp) = thread::scope(|scope| {
        let tcp = scope.spawn(|| root(Way::Tcp));
        (root(Way::Udp), tcp.join().unwrap_or(Err(NoMemory)))
    });
    let (udp, tcp) = (udp?, tcp?);
    let fastest = match (&udp.answer, &tcp.answer) {
        (None, None) => return Ok(vec![dead(udp.progress, place)]),
        (None, Some(_)) => {
            let fix = "let UDP port 53 through; until then `options use-vc` asks over TCP";
            findings.push(Finding::new(Level::Error, place, "answers over TCP only").fix(fix));
            return Ok(findings);
        }
        (Some(answer), _) => answer.after.min(again(server)?),
    };
    if let Progress::Failed(trouble) = udp.progress {
        findings.push(unwilling(trouble, place));
    }
    if tcp.answer.is_none() {
        let what = "doesn't answer over TCP: names with long answers won't resolve";
        let fix = "let TCP port 53 through (RFC 7766), or ask another server";
        findings.push(Finding::new(Level::Warning, place, what).fix(fix));
    }
    findings.extend(edns(&root(Way::Edns)?, place));
    if fastest > SLOW {
        let what = format!("takes {} for an answer", millis(fastest));
        findings.push(
            Finding::new(Level::Warning, place, what)
                .fix("name a server that is nearer, or run one that caches on this host"),
        );
    }
    findings.extend(lie(server, place)?);
    if findings.iter().all(|finding| finding.level == Level::Note) {
        let over_tcp = tcp.answer.map_or(Duration::ZERO, |answer| answer.after);
        let what = format!("UDP {}, TCP {}", millis(fastest), millis(over_tcp));
        findings.insert(0, Finding::ok(place, what));
    }
    Ok(findings)
}

/// An encrypted server: whether it is who it should be, answers, and what can be validated is.
fn private(server: SocketAddr, place: &str) -> Result<Finding, NoMemory> {
    let ask = || ask(server, &Name::ROOT, NS, Way::Private);
    let (first, next) = (ask()?, ask()?);
    Ok(match (&next.answer, first.answer) {
        (Some(next), Some(first)) => {
            let signed = if next.worth == Some(Worth::Secure) { ", signatures hold" } else { "" };
            let what = format!(
                "{} for the first answer, {} for the next{signed}",
                millis(first.after),
                millis(next.after)
            );
            match next.after > SLOW {
                false => Finding::ok(place, what),
                true => Finding::new(Level::Warning, place, what)
                    .fix("name a server that is nearer: each lookup makes a connection"),
            }
        }
        _ => {
            let why = next.reason.or(first.reason).map_or("no answer".to_owned(), |why| why.text);
            Finding::new(Level::Error, place, why).fix(
                "see whether the name behind # is the certificate's, and upstream-ca names who \
                 signed it; nothing is asked in plain text meanwhile, unless upstream-fallback says so",
            )
        }
    })
}

/// Whether what a plain server answers can be validated.
fn signatures(server: SocketAddr, place: &str) -> Result<Option<Finding>, NoMemory> {
    let said = ask(server, &Name::ROOT, NS, Way::Private)?;
    let Some(why) = said.reason else { return Ok(None) };
    let what = format!("dnssec validate fails: {}", why.text);
    let fix = "have it hand over signatures and answer over TCP (RFC 4035 section 3.1), or name another one; see also this host's clock";
    Ok(Some(Finding::new(Level::Error, place, what).fix(fix)))
}

/// The fastest of two more answers: the first one may have found nothing in the server's cache.
fn again(server: SocketAddr) -> Result<Duration, NoMemory> {
    let mut fastest = Duration::MAX;
    for _ in 0..2 {
        if let Some(answer) = ask(server, &Name::ROOT, NS, Way::Udp)?.answer {
            fastest = fastest.min(answer.after);
        }
    }
    Ok(fastest)
}

fn dead(progress: Progress, place: &str) -> Finding {
    let (what, fix) = match progress {
        Progress::Failed(Trouble::Unreachable) => (
            "can't be reached: nobody listens on that port, or there is no route".to_owned(),
            "start the name server, or name another one",
        ),
        _ => (
            format!("no answer within {SECONDS} s, neither over UDP nor over TCP"),
            "see whether it runs, and whether a firewall drops port 53; or name another one: as long as it stands first, libc waits for it in each lookup",
        ),
    };
    Finding::new(Level::Error, place, what).fix(fix)
}

/// It answers, though not what was asked.
fn unwilling(trouble: Trouble, place: &str) -> Finding {
    let (level, what) = match trouble {
        Trouble::Rcode(code) => (Level::Error, format!("answers {} for the root", RcodeName(code))),
        Trouble::Lame => (Level::Error, "doesn't resolve names for others".to_owned()),
        other => (Level::Warning, format!("answers with damage ({other})")),
    };
    let fix = "allow this host to ask it (allow-query and allow-recursion, access-control), or name another one";
    Finding::new(level, place, what).fix(fix)
}

fn edns(said: &Said, place: &str) -> Option<Finding> {
    let (level, what) = match (said.without_edns, &said.answer) {
        (Some(NoEdns::Silent), _) | (None, None) => {
            (Level::Warning, "doesn't answer queries with EDNS (RFC 6891)")
        }
        (Some(NoEdns::Refused), _) => {
            (Level::Note, "refuses EDNS (RFC 6891), and is asked without")
        }
        (None, Some(answer)) if !answer.edns => (Level::Note, "ignores EDNS (RFC 6891)"),
        (None, Some(_)) => return None,
    };
    Some(Finding::new(level, place, what).fix("don't set `options edns0` or trust-ad for it"))
}

/// Asks for a name that nobody has: an address is an advertiser's, and programs take it for the host's.
fn lie(server: SocketAddr, place: &str) -> Result<Option<Finding>, NoMemory> {
    let text = format!("www.{}.com", unheard_of());
    let Ok(name) = Name::from_text(text.as_bytes()) else { return Ok(None) };
    let said = ask(server, &name, record_type::A, Way::Udp)?;
    if said.addresses.is_empty() {
        return Ok(None);
    }
    let what = format!(
        "invents addresses: {} for {text}, which doesn't exist (NXDOMAIN rewriting)",
        said.addresses.join(" ")
    );
    let fix = "ask a server that doesn't: search lists and spelling mistakes lead to that host";
    Ok(Some(Finding::new(Level::Warning, place, what).fix(fix)))
}
