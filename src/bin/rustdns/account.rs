//! What a lookup did, put together from what the engine said of it: services, queries, where each
//! address is from and why it stands where it does.

use crate::answer::Json;
use crate::explain::service_name;
use rustdns::base::address::Address;
use rustdns::base::error::Failure;
use rustdns::base::rcode::RcodeName;
use rustdns::base::record_type;
use rustdns::base::record_type::TypeName;
use rustdns::config::nsswitch::{Action, Status};
use rustdns::observe::witness::{Answer, Content, Query, Ranked, Reason, Statement, Worth};
use rustdns::rules::select::Rule;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A lookup's course.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) services: Vec<Service>,
    pub(crate) queries: Vec<(Query, Came)>,
    order: Vec<Ranked>,
}

/// What came to a query.
pub(crate) enum Came {
    /// Nothing.
    Nothing,
    Answer(Answer),
    /// Nothing that could be used, and why.
    Unusable(Reason),
}

/// One of nsswitch.conf's services, asked.
pub(crate) struct Service {
    name: String,
    status: Status,
    failure: Option<Failure>,
    action: Action,
    knowledge: Vec<Knowledge>,
}

/// One thing that a service knew.
enum Knowledge {
    Line { number: u32, address: Address },
    Own,
    Records { qtype: u16, ttl: u32, from: Option<(SocketAddr, &'static str, Duration)> },
    Libc,
}

/// Where an address, or a name, is from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is what was given.
    Numeric,
    /// A line of the hosts file.
    Hosts(u32),
    /// Known without asking: localhost, or this host's own.
    Own,
    /// A name server, and how long it took.
    Server(SocketAddr, &'static str, Duration),
    /// An answer of before.
    Cache,
    /// libc's own lookup (`foreign libc`).
    Libc,
    /// A service that says no more than its name.
    Service,
}

impl Account {
    pub(crate) fn of(statements: Vec<Statement>) -> Account {
        let mut account = Account::default();
        let mut knowledge = Vec::new();
        let mut last = None;
        for statement in statements {
            match statement {
                Statement::Service { service, status, failure, action } => {
                    let name = service_name(&service);
                    let knowledge = std::mem::take(&mut knowledge);
                    account.services.push(Service { name, status, failure, action, knowledge });
                }
                Statement::Libc(failure) => {
                    account.services.push(Service {
                        name: "libc".to_owned(),
                        status: failure.map_or(Status::Success, Failure::status),
                        failure,
                        action: Action::Return,
                        knowledge: vec![Knowledge::Libc],
                    });
                }
                Statement::HostsLine { number, address } => {
                    knowledge.push(Knowledge::Line { number, address });
                }
                Statement::Own => knowledge.push(Knowledge::Own),
                Statement::Query(query) => account.queries.push((query, Came::Nothing)),
                Statement::Answer(query, answer) => {
                    last = Some((query.server, query.transport, answer.after));
                    account.came(query, Came::Answer(answer));
                }
                Statement::NoAnswer(query, reason) => account.came(query, Came::Unusable(reason)),
                Statement::Content(Content { qtype, found: true, ttl }) => {
                    knowledge.push(Knowledge::Records { qtype, ttl, from: last });
                }
                Statement::Cached(Content { qtype, found: true, ttl }) => {
                    knowledge.push(Knowledge::Records { qtype, ttl, from: None });
                }
                Statement::Content(_) | Statement::Cached(_) => {}
                Statement::Order(order) => account.order = order,
            }
        }
        account
    }

    fn came(&mut self, query: Query, came: Came) {
        let is_open =
            |(sent, got): &&mut (Query, Came)| *sent == query && matches!(got, Came::Nothing);
        match self.queries.iter_mut().find(is_open) {
            Some((_, got)) => *got = came,
            None => self.queries.push((query, came)),
        }
    }

    /// What the answers are worth together, where their signatures were checked: as much as the worst.
    pub(crate) fn worth(&self) -> Option<&'static str> {
        self.queries.iter().filter_map(|(_, came)| came.worth()).max().map(worth_name)
    }

    /// The service whose answer was taken.
    pub(crate) fn answering(&self) -> Option<&Service> {
        self.services.iter().rfind(|service| service.status == Status::Success)
    }

    /// Where the address is from, and for how many seconds it is true.
    pub(crate) fn origin(&self, address: Address) -> (Origin, Option<u32>) {
        let Some(service) = self.answering() else { return (Origin::Numeric, None) };
        let qtype = if address.is_ipv4() { record_type::A } else { record_type::AAAA };
        service.origin(qtype, Some(address))
    }

    /// The same for an address's name.
    pub(crate) fn origin_of_name(&self) -> (Origin, Option<u32>) {
        match self.answering() {
            Some(service) => service.origin(record_type::PTR, None),
            None => (Origin::Service, None),
        }
    }

    /// The source address towards `address`, and what put it before the next one, where the order was
    /// worked out.
    pub(crate) fn rank(&self, address: Address) -> Option<&Ranked> {
        self.order.iter().find(|ranked| ranked.address == address)
    }

    /// Neighbours of the order, with the rule that decided between them.
    pub(crate) fn decisions(&self) -> impl Iterator<Item = (&Ranked, &Ranked, Rule)> {
        let pairs = self.order.iter().zip(self.order.iter().skip(1));
        pairs.filter_map(|(first, second)| Some((first, second, first.before_next?)))
    }

    pub(crate) fn services_json(&self) -> Json {
        let one = |service: &Service| {
            Json::Object(vec![
                ("service", Json::text(&service.name)),
                ("status", Json::Text(service.status.to_string())),
                ("reason", service.reason().map_or(Json::Null, Json::text)),
                ("action", Json::Text(service.action.to_string())),
            ])
        };
        Json::List(self.services.iter().map(one).collect())
    }

    pub(crate) fn queries_json(&self) -> Json {
        let one = |(query, came): &(Query, Came)| {
            let answered = |member: &dyn Fn(&Answer) -> Json| match came {
                Came::Answer(answer) => member(answer),
                Came::Nothing | Came::Unusable(_) => Json::Null,
            };
            let reason = match came {
                Came::Unusable(reason) => Some(&reason.text),
                Came::Nothing | Came::Answer(_) => None,
            };
            Json::Object(vec![
                ("name", Json::text(&query.name)),
                ("type", Json::Text(TypeName(query.qtype).to_string())),
                ("server", Json::Text(query.server.to_string())),
                ("transport", Json::text(query.transport)),
                ("rcode", answered(&|a| Json::Text(RcodeName(a.rcode).to_string()))),
                ("octets", answered(&|a| Json::Number(a.octets as u64))),
                ("truncated", answered(&|a| Json::Bool(a.truncated))),
                ("dnssec", Json::maybe(came.worth().map(worth_name))),
                ("reason", Json::maybe(reason)),
                ("microseconds", answered(&|a| Json::micros(a.after))),
            ])
        };
        Json::List(self.queries.iter().map(one).collect())
    }

    /// A line for each service: `dns: NOTFOUND (no such name), continue`.
    pub(crate) fn service_lines(&self) -> impl Iterator<Item = String> {
        self.services.iter().map(|service| {
            let Service { name, status, action, .. } = service;
            let reason = service.reason().map_or(String::new(), |reason| format!(" ({reason})"));
            format!("{name}: {status}{reason}, {action}")
        })
    }

    /// A line for each query.
    pub(crate) fn query_lines(&self) -> impl Iterator<Item = String> {
        self.queries.iter().map(|(query, came)| {
            let Query { name, qtype, server, transport, .. } = query;
            let came = match came {
                Came::Answer(answer) => format!(
                    "{}{}{}, {} octets, {}",
                    RcodeName(answer.rcode),
                    if answer.truncated { ", truncated" } else { "" },
                    answer.worth.map_or(String::new(), |worth| format!(", {}", worth_name(worth))),
                    answer.octets,
                    millis(answer.after)
                ),
                Came::Unusable(reason) => reason.text.clone(),
                Came::Nothing => "no answer".to_owned(),
            };
            format!("{name} {} to {server} over {transport}: {came}", TypeName(*qtype))
        })
    }
}

impl Came {
    fn worth(&self) -> Option<Worth> {
        match self {
            Came::Answer(answer) => answer.worth,
            Came::Unusable(reason) => reason.bogus.then_some(Worth::Bogus),
            Came::Nothing => None,
        }
    }
}

/// RFC 4035 section 4.3's words.
fn worth_name(worth: Worth) -> &'static str {
    match worth {
        Worth::Secure => "secure",
        Worth::Insecure => "insecure",
        Worth::Bogus => "bogus",
    }
}

impl Service {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn origin(&self, qtype: u16, wanted: Option<Address>) -> (Origin, Option<u32>) {
        let same = |address: Address| wanted.is_none_or(|wanted| wanted == address);
        let found = self.knowledge.iter().rev().find_map(|one| match one {
            Knowledge::Line { number, address } if same(*address) => {
                Some((Origin::Hosts(*number), None))
            }
            Knowledge::Own => Some((Origin::Own, None)),
            Knowledge::Libc => Some((Origin::Libc, None)),
            Knowledge::Records { qtype: known, ttl, from } if *known == qtype => {
                let origin = match *from {
                    Some((server, transport, after)) => Origin::Server(server, transport, after),
                    None => Origin::Cache,
                };
                Some((origin, Some(*ttl)))
            }
            Knowledge::Line { .. } | Knowledge::Records { .. } => None,
        });
        found.unwrap_or((Origin::Service, None))
    }

    /// Why it had no answer.
    fn reason(&self) -> Option<String> {
        self.failure.map(|failure| failure.to_string())
    }
}

impl Origin {
    /// In words: `dns server 192.0.2.1:53 over udp, 0.4 ms`. `hosts` is the path of that file.
    pub(crate) fn text(self, hosts: &str, service: Option<&str>) -> String {
        match self {
            Origin::Numeric => "as given".to_owned(),
            Origin::Hosts(line) => format!("{hosts}:{line}"),
            Origin::Own => "known without asking".to_owned(),
            Origin::Server(server, transport, after) => {
                format!("{server} over {transport}, {}", millis(after))
            }
            Origin::Cache => "cache".to_owned(),
            Origin::Libc => "libc".to_owned(),
            Origin::Service => service.unwrap_or("unknown").to_owned(),
        }
    }

    pub(crate) fn json(self, hosts: &str, service: Option<&str>) -> Json {
        let mut members = vec![("kind", Json::text(self.kind()))];
        if let Some(service) = service {
            members.push(("service", Json::text(service)));
        }
        match self {
            Origin::Hosts(line) => {
                members.push(("file", Json::text(hosts)));
                members.push(("line", Json::Number(line as u64)));
            }
            Origin::Server(server, transport, after) => {
                members.push(("server", Json::Text(server.to_string())));
                members.push(("transport", Json::text(transport)));
                members.push(("microseconds", Json::micros(after)));
            }
            Origin::Numeric | Origin::Own | Origin::Cache | Origin::Libc | Origin::Service => {}
        }
        Json::Object(members)
    }

    fn kind(self) -> &'static str {
        match self {
            Origin::Numeric => "numeric",
            Origin::Hosts(_) => "hosts",
            Origin::Own => "own",
            Origin::Server(..) => "dns",
            Origin::Cache => "cache",
            Origin::Libc => "libc",
            Origin::Service => "service",
        }
    }
}

/// A rule of RFC 6724 section 6: its number, and why the first of two addresses comes first by it.
pub(crate) fn rule(rule: Rule) -> (u64, &'static str) {
    match rule {
        Rule::Usable => (1, "there is a route to it"),
        Rule::MatchingScope => (2, "its scope is that of its source address"),
        Rule::NotDeprecated => (3, "its source address is not deprecated"),
        Rule::Home => (4, "its source is a home address"),
        Rule::MatchingLabel => (5, "its label is that of its source address"),
        Rule::Precedence => (6, "its precedence is higher"),
        Rule::Native => (7, "no tunnel leads to it"),
        Rule::SmallerScope => (8, "its scope is smaller"),
        Rule::LongestPrefix => (9, "it has more in common with its source address"),
        Rule::Unchanged => (10, "they are equal, and came in this order"),
    }
}

pub(crate) fn millis(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}

/// Where packets to the address would come from.
pub(crate) fn source_json(source: Option<IpAddr>) -> Json {
    source.map_or(Json::Null, |ip| Json::Text(ip.to_string()))
}
