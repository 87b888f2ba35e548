//! `rustdns explain`: how a name would be looked up. Files are read, no server is asked.

mod dns;

use crate::answer::{Json, Shown, Trouble, print};
use crate::arguments::Explain;
use crate::lookup::{address_text, meaning, usual_hints};
use crate::paint::Paint;
use crate::tree::Node;
use crate::{Outcome, places};
use rustdns::base::error::{Error, Failure};
use rustdns::config::gai::Policy;
use rustdns::config::nsswitch::{Action, Database, Mdns, Service, Status, Step};
use rustdns::context::call::Session;
use rustdns::context::state::{Environment, state};
use rustdns::resolve::locale;
use rustdns::rules::numeric::{self, Numeric};
use rustdns::rules::query::{Family, Hints};
use rustdns::source::myhostname;
use rustdns::sys::interfaces;
use rustdns::sys::mem::NoMemory;
use rustdns::sys::shared::Shared;
use std::os::unix::ffi::OsStrExt;

/// The plan for a name: what comes of it without asking, or which services are asked.
struct Plan {
    name: String,
    /// Its IDNA form, where it has another.
    ascii: Option<String>,
    outcome: Planned,
}

enum Planned {
    /// Nothing is looked up: an address, or a name that can't be one.
    At(Result<String, (&'static str, String)>),
    Services {
        line: Line,
        steps: Vec<Stage>,
        order: &'static str,
    },
}

/// nsswitch.conf's line.
struct Line {
    file: String,
    number: Option<u32>,
    text: String,
    /// Why every lookup fails.
    refused: Option<String>,
}

/// One service's part in it.
struct Stage {
    service: String,
    /// Statuses that lead elsewhere than usual, and where.
    actions: Vec<String>,
    what: What,
    /// A service before it has the answer.
    is_reached: bool,
}

enum What {
    /// Lines of the hosts file that have the name.
    Files {
        file: String,
        lines: Vec<(u32, String)>,
    },
    /// This host's own names.
    Own(Vec<String>),
    Dns(Box<dns::Plan>),
    /// Known only when it is asked, and how that is done.
    Asked(&'static str),
    /// Not asked, and why.
    Skipped(&'static str),
}

/// Prints the plan.
pub(crate) fn explain(arguments: &Explain) -> Outcome {
    let plan = plan(arguments.name.as_bytes()).map_err(|error| {
        let (code, why) = meaning(error);
        Trouble::refused(format_args!("{}: {code}: {why}", Shown(arguments.name.as_bytes())))
    })?;
    match (arguments.json, arguments.tree) {
        (true, _) => plan.json().print(),
        (false, true) => print(&plan.tree().drawn(Paint::of_stdout())),
        (false, false) => print(&plan.tree().indented()),
    }
}

fn plan(given: &[u8]) -> Result<Plan, Error> {
    let hints = usual_hints(given, Family::Any);
    let name = Shown(given).to_string();
    let at = |outcome| Plan { name: name.clone(), ascii: None, outcome: Planned::At(outcome) };
    let ascii = match locale::to_ascii(given) {
        Ok(ascii) => ascii,
        Err(error) => return Ok(at(Err(meaning(error)))),
    };
    let node = ascii.as_deref().unwrap_or(given);
    match numeric::parse(node, Family::Any, &hints.flags, &interfaces::index) {
        Numeric::Address(address) => return Ok(at(Ok(address_text(address)))),
        Numeric::Refused(error) => return Ok(at(Err(meaning(error)))),
        Numeric::NotNumeric => {}
    }
    let session = Session::begin()?;
    let environment = state()?.environment()?;
    let ascii = ascii.as_deref().map(|ascii| Shown(ascii).to_string());
    let (line, database) = nsswitch_line(&session, &environment)?;
    let mut steps = Vec::new();
    let mut is_reached = true;
    for step in database.iter().flat_map(|database| &database.steps) {
        let stage = stage(step, node, &hints, (&session, &environment), is_reached)?;
        is_reached &= !(stage.knows() && step.action(Status::Success) == Action::Return);
        steps.push(stage);
    }
    let order = if *session.policy()? == Policy::default() {
        "RFC 6724 with glibc's own tables"
    } else {
        "RFC 6724 with the tables of gai.conf"
    };
    Ok(Plan { name, ascii, outcome: Planned::Services { line, steps, order } })
}

/// The line that is gone by; no services where it can't be read.
fn nsswitch_line(
    session: &Session,
    environment: &Environment,
) -> Result<(Line, Option<Shared<Database>>), Error> {
    let path = &environment.paths.nsswitch;
    let found = match places::text(path) {
        Some(text) => places::hosts_line(&text)?,
        None => None,
    };
    let (number, text) = match found {
        Some((number, text)) => (Some(number), Shown(text.as_bytes()).to_string()),
        None => (None, "files dns".to_owned()),
    };
    let file = Shown(path.to_bytes()).to_string();
    match session.hosts_database() {
        Ok(database) => Ok((Line { file, number, text, refused: None }, Some(database))),
        Err(Failure::Memory) => Err(Error::Memory),
        Err(failure) => {
            let (code, why) = meaning(failure.error());
            let refused =
                Some(format!("the line can't be read: every lookup fails, {code} ({why})"));
            Ok((Line { file, number, text, refused }, None))
        }
    }
}

fn stage(
    step: &Step,
    node: &[u8],
    hints: &Hints,
    (session, environment): (&Session, &Environment),
    is_reached: bool,
) -> Result<Stage, NoMemory> {
    let what = match &step.service {
        Service::Files => {
            let file = session.hosts()?;
            let lines = file
                .by_name(node)
                .map(|line| (file.number(&line), address_text(line.address)))
                .collect();
            What::Files { file: Shown(environment.paths.hosts.to_bytes()).to_string(), lines }
        }
        Service::MyHostname => match myhostname::addresses(node, hints.family) {
            Ok(found) => What::Own(found.addresses.iter().map(|a| address_text(*a)).collect()),
            Err(_) => What::Own(Vec::new()),
        },
        Service::Dns => What::Dns(Box::new(dns::plan(session, environment, node)?)),
        Service::Mdns(_) => {
            What::Asked("by multicast DNS, where the name is its to answer (under local)")
        }
        Service::Resolve => What::Asked("systemd-resolved is asked, where it runs"),
        Service::Other(_) if environment.settings.foreign_libc => What::Skipped(
            "its module is never loaded; names that nobody knows go to libc at the end (foreign libc)",
        ),
        Service::Other(_) => What::Skipped(
            "its module is never loaded; `foreign libc` in /etc/rustdns.conf asks libc for names that nobody knows",
        ),
    };
    let usual = [
        (Status::Success, Action::Return),
        (Status::NotFound, Action::Continue),
        (Status::Unavailable, Action::Continue),
        (Status::TryAgain, Action::Continue),
    ];
    let actions = usual
        .into_iter()
        .filter(|(status, usual)| step.action(*status) != *usual)
        .map(|(status, _)| format!("{status}={}", step.action(status)));
    Ok(Stage { service: service_name(&step.service), actions: actions.collect(), what, is_reached })
}

/// A service as it stands on the line.
pub(crate) fn service_name(service: &Service) -> String {
    match service {
        Service::Mdns(Mdns { v4, v6, minimal }) => {
            let family = match (v4, v6) {
                (true, false) => "4",
                (false, true) => "6",
                _ => "",
            };
            format!("mdns{family}{}", if *minimal { "_minimal" } else { "" })
        }
        Service::Other(name) => Shown(name).to_string(),
        other => other.to_string(),
    }
}

impl Stage {
    /// It has the answer, which is known beforehand.
    fn knows(&self) -> bool {
        match &self.what {
            What::Files { lines, .. } => !lines.is_empty(),
            What::Own(addresses) => !addresses.is_empty(),
            What::Dns(plan) => plan.knows(),
            What::Asked(_) | What::Skipped(_) => false,
        }
    }

    fn node(&self) -> Node {
        let name = &self.service;
        let mut node = match &self.what {
            _ if !self.is_reached => return Node::new(format!("{name}: not reached")),
            What::Skipped(why) => {
                Node::new(format!("{name}: skipped, counts as UNAVAIL")).with([Node::new(*why)])
            }
            What::Files { file, lines } if lines.is_empty() => {
                Node::new(format!("{name}: {file} doesn't have the name"))
            }
            What::Files { file, lines } => Node::new(format!("{name}: {file} has the name")).with(
                lines
                    .iter()
                    .map(|(number, address)| Node::new(format!("line {number}: {address}"))),
            ),
            What::Own(addresses) if addresses.is_empty() => {
                Node::new(format!("{name}: not a name of this host's own"))
            }
            What::Own(addresses) => Node::new(format!("{name}: this host's own name"))
                .with(addresses.iter().map(Node::new)),
            What::Dns(plan) => Node::new(format!("{name}: {}", plan.summary())).with(plan.nodes()),
            What::Asked(how) => Node::new(format!("{name}: {how}")),
        };
        if !self.actions.is_empty() {
            node.push(Node::new(format!("then [{}]", self.actions.join(" "))));
        }
        node
    }

    fn json(&self) -> Json {
        let reason = match &self.what {
            What::Skipped(why) => Json::text(why),
            _ if !self.is_reached => Json::text("a service before it has the answer"),
            _ => Json::Null,
        };
        let asked = self.is_reached && !matches!(self.what, What::Skipped(_));
        let mut members = vec![
            ("service", Json::text(&self.service)),
            ("asked", Json::Bool(asked)),
            ("reason", reason),
            ("actions", Json::List(self.actions.iter().map(Json::text).collect())),
        ];
        match &self.what {
            What::Files { file, lines } => {
                members.push(("file", Json::text(file)));
                let lines = lines.iter().map(|(number, address)| {
                    Json::Object(vec![
                        ("line", Json::Number(*number as u64)),
                        ("address", Json::text(address)),
                    ])
                });
                members.push(("lines", Json::List(lines.collect())));
            }
            What::Own(addresses) => {
                members.push(("addresses", Json::List(addresses.iter().map(Json::text).collect())));
            }
            What::Dns(plan) => members.extend(plan.json()),
            What::Asked(_) | What::Skipped(_) => {}
        }
        Json::Object(members)
    }
}

impl Plan {
    fn tree(&self) -> Node {
        let mut root = Node::new(&self.name);
        if let Some(ascii) = &self.ascii {
            root.push(Node::new(format!("looked up as {ascii} (IDNA)")));
        }
        match &self.outcome {
            Planned::At(Ok(address)) => {
                root.push(Node::new(format!("an address, {address}: nothing is looked up")));
            }
            Planned::At(Err((code, why))) => {
                root.push(Node::new(format!("{code}: {why}; nothing is looked up")));
            }
            Planned::Services { line, steps, order } => {
                let place = match line.number {
                    Some(number) => format!("{}:{number}", line.file),
                    None => format!("no hosts line in {}, so as if it were", line.file),
                };
                let mut services = Node::new(format!("{place}: {}", line.text));
                if let Some(refused) = &line.refused {
                    services.push(Node::new(refused));
                }
                steps.iter().for_each(|stage| services.push(stage.node()));
                root.push(services);
                root.push(Node::new(format!("order of the addresses: {order}")));
            }
        }
        root
    }

    fn json(&self) -> Json {
        let mut members =
            vec![("name", Json::text(&self.name)), ("ascii", Json::maybe(self.ascii.as_ref()))];
        match &self.outcome {
            Planned::At(Ok(address)) => members.push(("address", Json::text(address))),
            Planned::At(Err((code, why))) => {
                members.extend([("error", Json::text(code)), ("message", Json::text(why))]);
            }
            Planned::Services { line, steps, order } => {
                let number = line.number.map_or(Json::Null, |number| Json::Number(number.into()));
                let line = vec![
                    ("file", Json::text(&line.file)),
                    ("line", number),
                    ("services", Json::text(&line.text)),
                    ("error", Json::maybe(line.refused.as_ref())),
                ];
                members.push(("nsswitch", Json::Object(line)));
                members.push(("services", Json::List(steps.iter().map(Stage::json).collect())));
                members.push(("order", Json::text(order)));
            }
        }
        Json::Object(members)
    }
}
