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
/// Would find: an action that lands on another status, a negation that leaks into the next one, a
/// service that swallows a bracket, a kind of white space that only half of the code knows.
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

fn read(text: &[u8]) -> Database {
    parse(Some(text), b"hosts").unwrap()
}

fn rendered(database: &Database) -> Vec<u8> {
    let mut text = b"hosts:".to_vec();
    for step in &database.steps {
        text.push(b' ');
        text.extend_from_slice(name(&step.service));
        text.extend_from_slice(b" [");
        for (status, word) in STATUSES {
            let action = match step.action(status) {
                Action::Return => "return",
                Action::Continue => "continue",
                Action::Merge => "merge",
            };
            text.extend(format!(" {word}={action}").into_bytes());
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
