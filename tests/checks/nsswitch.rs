//! nsswitch.conf(5).

use rustdns::config::nsswitch::{Action, Database, Mdns, Service, Status, parse};

const STATUSES: [(Status, &str); 4] = [
    (Status::Success, "SUCCESS"),
    (Status::NotFound, "NOTFOUND"),
    (Status::Unavailable, "UNAVAIL"),
    (Status::TryAgain, "TRYAGAIN"),
];

/// Any text is read; a line written anew with every action spelt out is read as the same; one kind
/// of blank is as good as another; and a line that is refused says why.
///
/// Would find: a service that swallows a bracket or part of the next one, actions of one service that
/// leak into another's, a kind of white space that only half of the code knows.
pub fn check(text: &[u8]) {
    // Most inputs are meant as the line alone.
    for text in [text, &[b"hosts: ", text].concat()] {
        let database = read(text);
        assert!(database.refused || !database.steps.is_empty());
        assert!(!database.refused || !database.notes.is_empty());

        let plain = text.iter().map(|&b| if matches!(b, 9 | 11..=13) { b' ' } else { b });
        let plain = read(&plain.collect::<Vec<u8>>());
        assert_eq!((&plain.steps, plain.refused), (&database.steps, database.refused));

        if !database.refused {
            let again = read(&rendered(&database));
            assert_eq!((&again.steps, again.refused), (&database.steps, false));
        }
    }
}

/// The criteria of one bracket, applied one after the other: `!` stands for the other three.
///
/// Would find: an action that lands on another status, a negation that leaks into the next criterion.
pub fn check_criteria(criteria: &[(bool, usize, Action)]) {
    let mut expected = [Action::Return, Action::Continue, Action::Continue, Action::Continue];
    let mut line = b"hosts: files [".to_vec();
    for &(negated, at, action) in criteria {
        for (status, place) in expected.iter_mut().enumerate() {
            if negated && status != at || !negated && status == at {
                *place = action;
            }
        }
        let mark = if negated { "!" } else { "" };
        line.extend(format!(" {mark}{}={}", STATUSES[at].1, word(action)).into_bytes());
    }
    let database = read(&[&line, &b"] dns"[..]].concat());
    let actions = STATUSES.map(|(status, _)| database.steps[0].action(status));
    assert_eq!((actions, database.steps.len(), database.refused), (expected, 2, false));
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Return => "return",
        Action::Continue => "continue",
        Action::Merge => "merge",
    }
}

fn read(text: &[u8]) -> Database {
    parse(Some(text), b"hosts").unwrap()
}

fn rendered(database: &Database) -> Vec<u8> {
    let mut text = b"hosts:".to_vec();
    for step in &database.steps {
        text.push(b' ');
        text.extend_from_slice(name(&step.service));
        text.extend_from_slice(b" [");
        for (status, name) in STATUSES {
            let action = word(step.action(status));
            text.extend(format!(" {name}={action}").into_bytes());
        }
        text.extend_from_slice(b" ]");
    }
    text
}

fn name(service: &Service) -> &[u8] {
    match service {
        Service::Files => b"files",
        Service::Dns => b"dns",
        Service::MyHostname => b"myhostname",
        Service::Resolve => b"resolve",
        Service::Mdns(Mdns { v4: true, v6: true, minimal: false }) => b"mdns",
        Service::Mdns(Mdns { v4: true, v6: true, minimal: true }) => b"mdns_minimal",
        Service::Mdns(Mdns { v4: true, minimal: false, .. }) => b"mdns4",
        Service::Mdns(Mdns { v4: true, minimal: true, .. }) => b"mdns4_minimal",
        Service::Mdns(Mdns { minimal: false, .. }) => b"mdns6",
        Service::Mdns(Mdns { minimal: true, .. }) => b"mdns6_minimal",
        Service::Other(name) => name,
    }
}
