//! Answers that somebody on the way has made out of true ones. Every record in them is signed, or is from
//! a zone that signs nothing; what is false is what they say together.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, Record, RecordType};

use crate::support::dns::{Question, Reply, Server};
use crate::support::process::run;
use crate::support::sandbox::{Sandbox, preload_library};
use crate::zones::{ANCHOR, AT, zones};
use crate::{Bed, PATIENT, is_found, look_up};

/// The true answer to a query.
fn truth(query: &Message) -> Message {
    let octets = query.to_vec().unwrap();
    let mut stream = TcpStream::connect(AT).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(&(octets.len() as u16).to_be_bytes()).unwrap();
    stream.write_all(&octets).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).unwrap();
    Message::from_vec(&answer).unwrap()
}

/// The true answer to the same question about another name.
fn about(query: &Message, name: &str) -> Message {
    let mut other = query.clone();
    other.queries[0].set_name(Name::from_ascii(name).unwrap());
    truth(&other)
}

/// The same records, as if they were `name`'s.
fn renamed(records: Vec<Record>, name: &Name) -> Vec<Record> {
    let rename = |mut record: Record| {
        record.name = name.clone();
        record
    };
    records.into_iter().map(rename).collect()
}

/// What the man in the middle makes of it, by the question's name.
fn forge(query: &Message) -> Message {
    let name = query.queries[0].name().clone();
    let text = name.to_ascii().to_lowercase();
    let mut answer = truth(query);
    let asks_for_addresses =
        matches!(query.queries[0].query_type(), RecordType::A | RecordType::AAAA);
    let Some((label, zone)) = text.split_once('.').filter(|_| asks_for_addresses) else {
        return answer;
    };
    let unsigned = || about(query, "nothing.unsigned.test.").authorities;
    match label {
        // `*.wild` does not stand for it: `b.wild` is closer. The denial's NSEC record covers the name.
        "a" => {
            let zone = zone.strip_prefix("b.wild.").unwrap();
            let wild = about(query, &format!("other.wild.{zone}"));
            answer.metadata.response_code = ResponseCode::NoError;
            answer.answers = renamed(wild.answers, &name);
            answer.authorities.retain(|record| record.record_type() != RecordType::SOA);
            answer.authorities.extend(wild.authorities);
        }
        // A wildcard's records without proof, and with something else in its place.
        "bare" => answer.authorities.clear(),
        "beside" => answer.authorities = unsigned(),
        // What is there is denied by a zone that signs nothing.
        "host" => {
            answer.answers.clear();
            answer.authorities = unsigned();
        }
        "zone-end" => {
            answer.metadata.response_code = ResponseCode::NXDomain;
            answer.answers.clear();
            answer.authorities = unsigned();
        }
        // The response code and times to live are not signed.
        "x" => answer.metadata.response_code = ResponseCode::NXDomain,
        "any" => answer.answers.iter_mut().for_each(|record| record.ttl = 86_400),
        // An alias, and nothing of what it leads to.
        "alias" => {
            answer.answers.retain(|record| record.name == name);
            answer.authorities.clear();
        }
        _ => {}
    }
    answer
}

fn script(question: &Question) -> Reply {
    let query = Message::from_vec(&question.raw).unwrap();
    let mut answer = forge(&query);
    answer.metadata.id = question.id;
    answer.queries = query.queries;
    Reply::raw(answer.to_vec().unwrap())
}

#[test]
fn answers_put_together_from_true_records_are_bogus() {
    Sandbox::enter(|sandbox| {
        let _bed = Bed::new(sandbox);
        let Some(_server) = zones(sandbox) else { return };
        let _middle = Server::on(sandbox, &["127.0.0.8:53"], script);
        sandbox.name_servers(&[8], PATIENT);
        sandbox.write("/etc/rustdns.conf", format!("dnssec validate\ntrust-anchor {ANCHOR}\n"));
        // It can relay.
        for name in ["any.wild.nsec.test", "any.wild.nsec3.test"] {
            is_found(&look_up(sandbox, name));
        }
        for (name, why) in [
            ("a.b.wild", "nothing proves that there is no closer name"),
            ("bare.wild", "nothing proves that there is no closer name"),
            ("beside.wild", "nothing proves that there is no closer name"),
            ("host", "nothing proves that there is no such name or record"),
            ("zone-end", "nothing proves that there is no such name or record"),
            ("alias", ""),
            ("x.b.wild", ""),
        ] {
            for zone in ["nsec.test", "nsec3.test"] {
                let got = look_up(sandbox, &format!("{name}.{zone}"));
                assert!(got.out().contains("EAI_FAIL"), "{name}.{zone}: {got}");
                let line =
                    got.err().lines().any(|line| line.contains(": bogus: ") && line.contains(why));
                assert!(line, "{name}.{zone}, no {why:?}: {got}");
            }
        }
        let mut command = sandbox.command(preload_library().with_file_name("rustdns"));
        command.args(["lookup", "any.wild.nsec.test"]);
        let got = run(command, Duration::from_secs(120));
        assert!(got.out().contains("TTL 300\n"), "{got}");
        // Nobody has signed that they are, or that they aren't.
        let got = look_up(sandbox, "bare.wild.unsigned.test");
        is_found(&got);
    });
}
