//! nsswitch.conf(5): which services are asked for hosts, and what their outcomes lead to.

use super::is_space;
use super::note::Notes;
use crate::base::error::Failure;
use crate::base::text::Text;
use crate::sys::mem::{NoMemory, TryPush, copy};
use core::fmt;

/// A service, by what we do for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// `files`: hosts(5).
    Files,
    /// `dns`, and `rustdns`, which is the same inside this library.
    Dns,
    /// `myhostname`: this host's own names.
    MyHostname,
    /// `mdns`, `mdns4_minimal` and so on.
    Mdns(Mdns),
    /// `resolve`: systemd-resolved.
    Resolve,
    /// Anything else. Its module is never loaded.
    Other(Box<[u8]>),
}

/// Which names and families an mDNS service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mdns {
    /// IPv4 addresses.
    pub v4: bool,
    /// IPv6 addresses.
    pub v6: bool,
    /// Only `.local`, and says NOTFOUND for what is not there.
    pub minimal: bool,
}

/// How a service's answer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has an answer.
    Success,
    /// It knows that there is none.
    NotFound,
    /// It can't be asked.
    Unavailable,
    /// It has trouble that may pass.
    TryAgain,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// This outcome is final.
    Return,
    /// The next service is asked.
    Continue,
    /// The next service is asked, and its answer joined to this one; hosts can't be merged.
    Merge,
}

/// As nsswitch.conf has it.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Success => "SUCCESS",
            Status::NotFound => "NOTFOUND",
            Status::Unavailable => "UNAVAIL",
            Status::TryAgain => "TRYAGAIN",
        })
    }
}

/// As nsswitch.conf has it.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Return => "return",
            Action::Continue => "continue",
            Action::Merge => "merge",
        })
    }
}

/// A service and the actions for its outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Whom to ask.
    pub service: Service,
    /// By [`Status`], in the order of its variants.
    actions: [Action; 4],
}

/// A database's line.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Database {
    /// The line's number; 0 where there is none.
    pub line: u32,
    /// The services in order.
    pub steps: Vec<Step>,
    /// The line can't be read, or names no service: every lookup fails, as libc's do.
    pub refused: bool,
    /// What was wrong.
    pub notes: Notes,
}

impl Step {
    fn new(service: Service) -> Step {
        use Action::{Continue, Return};
        Step { service, actions: [Return, Continue, Continue, Continue] }
    }

    /// What this outcome of the service leads to.
    pub fn action(&self, status: Status) -> Action {
        let [success, not_found, unavailable, try_again] = self.actions;
        match status {
            Status::Success => success,
            Status::NotFound => not_found,
            Status::Unavailable => unavailable,
            Status::TryAgain => try_again,
        }
    }
}

impl Service {
    fn named(name: &[u8]) -> Result<Service, NoMemory> {
        let mdns = |v4, v6, minimal| Service::Mdns(Mdns { v4, v6, minimal });
        Ok(match name {
            b"files" => Service::Files,
            b"dns" | b"rustdns" => Service::Dns,
            b"myhostname" => Service::MyHostname,
            b"mdns" => mdns(true, true, false),
            b"mdns4" => mdns(true, false, false),
            b"mdns6" => mdns(false, true, false),
            b"mdns_minimal" => mdns(true, true, true),
            b"mdns4_minimal" => mdns(true, false, true),
            b"mdns6_minimal" => mdns(false, true, true),
            b"resolve" => Service::Resolve,
            other => Service::Other(copy(other)?),
        })
    }

    /// True for a service that this library answers for; any other counts as UNAVAIL.
    pub fn is_ours(&self) -> bool {
        !matches!(self, Service::Other(_))
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Service::Files => f.write_str("files"),
            Service::Dns => f.write_str("dns"),
            Service::MyHostname => f.write_str("myhostname"),
            Service::Mdns(_) => f.write_str("mdns"),
            Service::Resolve => f.write_str("resolve"),
            Service::Other(name) => write!(f, "{} (never loaded)", Text(name)),
        }
    }
}

/// Reads the line for `database`. Without a file or such a line it is `files dns`.
pub fn parse(text: Option<&[u8]>, database: &[u8]) -> Result<Database, NoMemory> {
    let mut result = None;
    for (line, number) in text.unwrap_or_default().split(|&b| b == b'\n').zip(1u32..) {
        // C functions read the line: it ends at a NUL.
        let line = trim_start(line.split(|&b| b == 0).next().unwrap_or_default());
        let end = line.iter().position(|&b| b == b':' || is_space(b)).unwrap_or(line.len());
        let (name, rest) = line.split_at_checked(end).unwrap_or_default();
        if name == database {
            // Blanks and colons in any number stand between; the last such line counts.
            let start = rest.iter().position(|&b| b != b':' && !is_space(b)).unwrap_or(rest.len());
            result = Some(read_services(rest.get(start..).unwrap_or_default(), number)?);
        }
    }
    match result {
        Some(database) => Ok(database),
        None => read_services(b"files dns", 0),
    }
}

/// Reads a line's services; `number` is its own, for the notes.
pub fn read_services(line: &[u8], number: u32) -> Result<Database, NoMemory> {
    let mut database = Database { line: number, ..Database::default() };
    let mut rest = trim_start(line);
    while !rest.is_empty() {
        let end = rest.iter().position(|&b| b == b'[' || is_space(b)).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end).unwrap_or_default();
        if name.is_empty() {
            // As in libc: `files [NOTFOUND=return] [UNAVAIL=return] dns` is `files` alone.
            database.notes.add(number, "no service before a bracket, the rest is ignored", rest)?;
            break;
        }
        let mut step = Step::new(Service::named(name)?);
        rest = trim_start(after);
        if let [b'[', criteria @ ..] = rest
            && let Err(what) = read_criteria(criteria, &mut step.actions).map(|after| rest = after)
        {
            database.refused = true;
            database.notes.add(number, what, rest)?;
            return Ok(database);
        }
        if let Service::Other(name) = &step.service {
            database.notes.add(number, "not one of ours, counts as UNAVAIL", name)?;
        }
        database.steps.try_push(step)?;
    }
    if database.steps.is_empty() {
        database.refused = true;
        database.notes.add(number, "no services, every lookup fails", line)?;
    }
    Ok(database)
}

/// Reads `STATUS=action … ]`, at least one, negated by `!`, the letters' case free; returns what
/// follows.
fn read_criteria<'a>(
    mut rest: &'a [u8],
    actions: &mut [Action; 4],
) -> Result<&'a [u8], &'static str> {
    let mut any = false;
    loop {
        rest = trim_start(rest);
        if any && let [b']', after @ ..] = rest {
            return Ok(trim_start(after));
        }
        any = true;
        let negated = rest.first() == Some(&b'!');
        let status = take_word(&mut rest, if negated { 1 } else { 0 });
        let status = STATUSES
            .iter()
            .position(|name| status.eq_ignore_ascii_case(name))
            .ok_or("unknown status, every lookup fails")?;
        rest = trim_start(rest);
        let [b'=', after @ ..] = rest else {
            return Err("no = after a status, every lookup fails");
        };
        rest = trim_start(after);
        let action = match take_word(&mut rest, 0) {
            word if word.eq_ignore_ascii_case(b"return") => Action::Return,
            word if word.eq_ignore_ascii_case(b"continue") => Action::Continue,
            word if word.eq_ignore_ascii_case(b"merge") => Action::Merge,
            _ => return Err("unknown action, every lookup fails"),
        };
        for (index, place) in actions.iter_mut().enumerate() {
            if (index == status) != negated {
                *place = action;
            }
        }
    }
}

/// In the order of [`Status`]'s variants.
const STATUSES: [&[u8]; 4] = [b"SUCCESS", b"NOTFOUND", b"UNAVAIL", b"TRYAGAIN"];

fn take_word<'a>(rest: &mut &'a [u8], skip: usize) -> &'a [u8] {
    let text = rest.get(skip..).unwrap_or_default();
    let end =
        text.iter().position(|&b| matches!(b, b'=' | b']') || is_space(b)).unwrap_or(text.len());
    let (word, after) = text.split_at_checked(end).unwrap_or_default();
    *rest = after;
    word
}

fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&b| !is_space(b)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

impl Failure {
    /// What nsswitch.conf's `[STATUS=action]` goes by.
    pub fn status(self) -> Status {
        match self {
            Failure::NoName | Failure::NoData | Failure::Unrelated | Failure::Refused => {
                Status::NotFound
            }
            // libc's dns service counts servers that fail or keep silent as not available.
            Failure::Again | Failure::Unavailable | Failure::NoService(_) | Failure::System(_) => {
                Status::Unavailable
            }
            Failure::Bogus | Failure::Later | Failure::Memory => Status::TryAgain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str) -> Database {
        parse(Some(text.as_bytes()), b"hosts").unwrap()
    }

    fn services(text: &str) -> Vec<String> {
        line(text).steps.iter().map(|step| step.service.to_string()).collect()
    }

    #[test]
    fn services_in_order() {
        for (text, want) in [
            ("", &["files", "dns"][..]),
            ("passwd: files", &["files", "dns"]),
            ("hosts: files dns", &["files", "dns"]),
            ("  hosts:\tdns  files\r", &["dns", "files"]),
            ("hosts:files\nhosts: dns", &["dns"]),
            ("hosts files", &["files"]),
            ("hosts :: dns", &["dns"]),
            ("hosts: files mdns4_minimal [NOTFOUND=return] dns", &["files", "mdns", "dns"]),
            ("hosts: rustdns myhostname resolve", &["dns", "myhostname", "resolve"]),
            ("hosts: FILES", &["FILES (never loaded)"]),
            ("hosts: files,dns", &["files,dns (never loaded)"]),
            ("\u{b}hosts:\u{b}files\u{b}dns", &["files", "dns"]),
            ("#hosts: dns", &["files", "dns"]),
            ("hosts: files [NOTFOUND=return] [UNAVAIL=return] dns", &["files"]),
            ("hosts: files dns[NOTFOUND=continue][", &["files", "dns"]),
        ] {
            assert_eq!(services(text), want, "{text:?}");
        }
        assert_eq!(parse(None, b"hosts").unwrap().steps.len(), 2);
    }

    #[test]
    fn actions() {
        use Action::*;
        for (criteria, want) in [
            ("", [Return, Continue, Continue, Continue]),
            ("[NOTFOUND=return]", [Return, Return, Continue, Continue]),
            ("[ notfound = RETURN UNAVAIL=return ]", [Return, Return, Return, Continue]),
            ("[!UNAVAIL=return]", [Return, Return, Continue, Return]),
            ("[SUCCESS=continue TRYAGAIN=merge]", [Continue, Continue, Continue, Merge]),
        ] {
            let database = line(&format!("hosts: files {criteria} dns"));
            assert!(!database.refused, "{criteria}");
            assert_eq!(database.steps[0].actions, want, "{criteria}");
            assert_eq!(database.steps.len(), 2, "{criteria}");
        }
    }

    #[test]
    fn lines_that_fail_every_lookup() {
        for text in [
            "hosts:",
            "hosts",
            "hosts: [NOTFOUND=return] files",
            "hosts: files []",
            "hosts: files [ ] dns",
            "hosts: files [NOTFOUND]",
            "hosts: files [MAYBE=return]",
            "hosts: files [NOTFOUND=stop]",
            "hosts: files [NOTFOUND=return",
        ] {
            let database = line(text);
            assert!(database.refused && !database.notes.is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_read(text: Vec<u8>, brackets in "hosts: (files|\\[|\\]|!|=|return| ){0,12}\n") {
            parse(Some(&[brackets.as_bytes(), &text[..]].concat()), b"hosts").unwrap();
        }
    }
}
