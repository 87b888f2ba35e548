//! What an answer is worth: secure, insecure or bogus (RFC 4035 section 4.3), and why.
//!
//! hickory checks each set of records and what denies the name that was asked for. What makes one answer
//! of them is looked at here: aliases are followed, wildcards need their proof wherever they stand in the
//! chain, and where its end has no records, that has to be proven of the end.

use crate::anchors::Anchors;
use crate::contract::kind;
use crate::failure::Failure;
use crate::wildcard::{self, signature_of};
use core::fmt::Write;
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::dnssec::rdata::{DNSSECRData, RRSIG};
use hickory_resolver::proto::op::{DnsResponse, Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType, SerialNumber};
use hickory_resolver::proto::serialize::binary::{BinDecodable, BinDecoder};
use std::time::{SystemTime, UNIX_EPOCH};

/// An answer and its worth.
pub(crate) struct Judged {
    /// One of [`kind`].
    pub(crate) kind: u32,
    /// The message for the caller.
    pub(crate) message: Vec<u8>,
    /// Both as text.
    pub(crate) text: String,
}

/// What an answer proves.
pub(crate) enum Worth {
    /// All of it is signed.
    Secure,
    /// Some of it is from a zone that provably isn't signed.
    Insecure,
    /// It is not what its zones have signed; why.
    Bogus(String),
    /// As much as the answer to the same question about this name, to which an alias leads: that it has
    /// no records isn't proven here. True: all up to there is signed.
    Open(Name, bool),
}

/// An answer whose signatures nobody has looked at.
pub(crate) fn unjudged(query: &Message, response: DnsResponse) -> Result<Judged, Failure> {
    let text = text("answer", &response);
    Ok(Judged { kind: kind::ANSWER, message: as_answer(query, response.into_buffer())?, text })
}

/// An answer in short: its worth, what it has, and what the server says besides.
fn text(worth: &str, response: &Message) -> String {
    let mut text =
        format!("{worth}: {}, {} records", response.response_code, response.answers.len());
    let extended = extended_errors(response);
    if !extended.is_empty() {
        text.push_str(", ");
        text.push_str(&extended);
    }
    text
}

/// The option that has an extended error (RFC 8914).
const EXTENDED_ERROR: u16 = 15;
/// AD, in the fourth octet of the header.
const AUTHENTIC: u8 = 0x20;

/// The answer for the caller, which is worth so much.
pub(crate) fn judged(
    query: &Message,
    response: DnsResponse,
    worth: Worth,
) -> Result<Judged, Failure> {
    let (kind, word) = match worth {
        Worth::Secure => (kind::SECURE, "secure"),
        // A server's trouble is nobody's signed statement.
        Worth::Insecure if is_trouble(&response) => (kind::INSECURE, "answer"),
        Worth::Insecure => (kind::INSECURE, "insecure"),
        Worth::Open(name, _) => return Ok(bogus(&unproven(&name))),
        Worth::Bogus(why) => return Ok(bogus(&why)),
    };
    let text = text(word, &response);
    let octets = as_answer(query, response.as_buffer().to_vec())?;
    let mut message = finished(query, &response, octets);
    if let Some(flags) = message.get_mut(3) {
        *flags = if kind == kind::SECURE { *flags | AUTHENTIC } else { *flags & !AUTHENTIC };
    }
    Ok(Judged { kind, message, text })
}

fn bogus(why: &str) -> Judged {
    Judged { kind: kind::BOGUS, message: Vec::new(), text: format!("bogus: {why}") }
}

fn unproven(name: &Name) -> String {
    format!("{name}: nothing proves that there is no such name or record (NSEC Missing)")
}

/// Neither an answer nor a denial.
fn is_trouble(response: &Message) -> bool {
    !matches!(response.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
}

/// What a response proves that the validator has gone through. `denial` is how it took the proof that
/// there are no such records, where that was no proof.
pub(crate) fn worth(
    query: &Message,
    response: &Message,
    denial: Option<Proof>,
    anchors: &Anchors,
) -> Worth {
    let Some(asked) = query.queries.first() else { return Worth::Insecure };
    if is_trouble(response) || asked.query_type == RecordType::RRSIG {
        return Worth::Insecure;
    }
    if let Some(record) = signed(&response.answers).find(|one| worth_of(one, response).is_none()) {
        return Worth::Bogus(why(record, response));
    }
    let all = signed(&response.answers);
    let mut is_secure =
        all.filter_map(|one| worth_of(one, response)).all(|proof| proof.is_secure());
    for record in signed(&response.answers).filter(|record| record.proof.is_secure()) {
        let signature = signature_of(&record.name, record.record_type(), &response.answers);
        let Some(signature) = signature.filter(|one| wildcard::is_source(&record.name, one)) else {
            continue;
        };
        match wildcard::proof(&record.name, signature, &response.authorities) {
            Proof::Secure => {}
            Proof::Insecure => is_secure = false,
            _ => {
                return Worth::Bogus(format!(
                    "{} {}: made from a wildcard, and nothing proves that there is no closer name \
                     (NSEC Missing)",
                    record.name,
                    record.record_type()
                ));
            }
        }
    }
    let worth = |is_secure| if is_secure { Worth::Secure } else { Worth::Insecure };
    match end(query, response) {
        // The response code is not signed.
        None if is_secure && is_missing(response) => {
            Worth::Bogus(format!("{}: denied, and here it is (DNSSEC Bogus)", asked.name))
        }
        None => worth(is_secure),
        Some(end) if *end != asked.name => match is_below_insecure(end, response, anchors) {
            true => Worth::Insecure,
            false => Worth::Open(end.clone(), is_secure),
        },
        Some(end) => match (is_denied(response), denial) {
            // That may be an unsigned delegation (RFC 5155 section 9.2).
            (true, None) => worth(!(has_opt_out(response) && is_missing(response))),
            (true, Some(Proof::Insecure)) => Worth::Insecure,
            // An authority section of unsigned zones was taken for good, whatever zones these are.
            (false, None | Some(Proof::Insecure))
                if !is_unsigned(&response.authorities)
                    || is_below_insecure(end, response, anchors) =>
            {
                Worth::Insecure
            }
            _ => Worth::Bogus(unproven(end)),
        },
    }
}

/// Where the chain of aliases ends, if there are no records of the kind asked for.
pub(crate) fn end<'a>(query: &'a Message, response: &'a Message) -> Option<&'a Name> {
    let asked = query.queries.first()?;
    let mut name = &asked.name;
    for _ in 0..=response.answers.len() {
        let mut here = signed(&response.answers).filter(|record| record.name == *name);
        if here.clone().any(|record| {
            asked.query_type == RecordType::ANY || record.record_type() == asked.query_type
        }) {
            return None;
        }
        let alias = here.find_map(|record| match &record.data {
            RData::CNAME(target) => Some(&target.0),
            _ => None,
        });
        match alias {
            Some(target) => name = target,
            None => break,
        }
    }
    Some(name)
}

/// A record's proof, where it is secure or insecure. An alias that a DNAME record gives has no signature
/// of its own (RFC 6672 section 5.3.1).
fn worth_of(record: &Record, response: &Message) -> Option<Proof> {
    let good = |record: &&Record| record.proof.is_secure() || record.proof.is_insecure();
    if good(&record) {
        return Some(record.proof);
    }
    let RData::CNAME(target) = &record.data else { return None };
    let source = response
        .answers
        .iter()
        .filter(good)
        .find(|source| redirected(source, &record.name).is_some_and(|name| name == target.0));
    source.map(|source| source.proof)
}

/// What a DNAME record makes of a name below its own (RFC 6672 section 2.2).
fn redirected(record: &Record, name: &Name) -> Option<Name> {
    let RData::Unknown { code: RecordType::DNAME, rdata } = &record.data else { return None };
    let target = Name::read(&mut BinDecoder::new(&rdata.anything)).ok()?;
    let above = record.name.iter().len();
    let prefix = name.iter().len().checked_sub(above).filter(|&labels| labels > 0)?;
    if !record.name.zone_of(name) {
        return None;
    }
    Name::from_labels(name.iter().take(prefix).chain(target.iter())).ok()
}

/// Signed records deny something: the validator has seen to it that it is what was asked for.
fn is_denied(response: &Message) -> bool {
    denials(response).next().is_some()
}

fn denials(response: &Message) -> impl Iterator<Item = &Record> {
    response.authorities.iter().filter(|record| {
        record.proof.is_secure()
            && matches!(record.record_type(), RecordType::NSEC | RecordType::NSEC3)
    })
}

fn has_opt_out(response: &Message) -> bool {
    denials(response).any(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) => nsec3.opt_out(),
        _ => false,
    })
}

fn is_missing(response: &Message) -> bool {
    response.response_code == ResponseCode::NXDomain
}

/// There are records, and all are from unsigned zones.
fn is_unsigned(authorities: &[Record]) -> bool {
    !authorities.is_empty() && authorities.iter().all(|record| record.proof.is_insecure())
}

/// The name is in a zone, or below one, of which the authority section shows that it isn't signed. No
/// trust anchor may be in between: what is below that one is signed again.
fn is_below_insecure(name: &Name, response: &Message, anchors: &Anchors) -> bool {
    let anchor = anchors.above(name);
    let mut insecure = response.authorities.iter().filter(|record| record.proof.is_insecure());
    insecure.any(|record| {
        record.name.zone_of(name) && anchor.is_none_or(|anchor| anchor.zone_of(&record.name))
    })
}

fn signed(records: &[Record]) -> impl Iterator<Item = &Record> + Clone {
    records.iter().filter(|record| record.record_type() != RecordType::RRSIG)
}

/// Why a record is bogus, in RFC 8914's terms where its signatures tell.
fn why(record: &Record, response: &Message) -> String {
    let what = format!("{} {}", record.name, record.record_type());
    let signatures = response.answers.iter().filter(|other| other.name == record.name);
    let signatures = signatures.filter_map(|other| match &other.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => Some(signature),
        _ => None,
    });
    let covering: Vec<&RRSIG> =
        signatures.filter(|one| one.input().type_covered == record.record_type()).collect();
    let Some(signature) = covering.first().map(|one| one.input()) else {
        return format!("{what}: not signed, in a zone that is (RRSIGs Missing)");
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    // Serial arithmetic on 32 bits (RFC 4034 section 3.1.5).
    let now = SerialNumber::new(now as u32);
    if signature.sig_expiration < now {
        format!("{what}: signature expired (Signature Expired)")
    } else if now < signature.sig_inception {
        format!("{what}: signature not yet valid (Signature Not Yet Valid)")
    } else {
        format!(
            "{what}: signature by key {} of {} leads to no trust anchor (DNSSEC Bogus)",
            signature.key_tag, signature.signer_name
        )
    }
}

/// What the server says besides, as text: `EDE 6 (text)`.
pub(crate) fn extended_errors(response: &Message) -> String {
    let mut out = String::new();
    let Some(edns) = &response.edns else { return out };
    if let Some(EdnsOption::Unknown(_, data)) = edns.option(EdnsCode::from(EXTENDED_ERROR))
        && let Some((&[high, low], text)) = data.split_first_chunk()
    {
        let text = String::from_utf8_lossy(text);
        // Writing to a string can't fail.
        let _ = write!(out, "EDE {}", u16::from_be_bytes([high, low]));
        if !text.is_empty() {
            let _ = write!(out, " ({text})");
        }
    }
    out
}

/// The response's octets, under the query's id; an error where they answer something else.
pub(crate) fn as_answer(query: &Message, mut octets: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let response = Message::from_vec(&octets)
        .map_err(|error| Failure::broken(&format!("the answer can't be read: {error}")))?;
    // A server that can't read a query may leave its question out; names are equal in any case.
    let same = response.queries == query.queries || response.queries.is_empty();
    if !same {
        return Err(Failure::broken("the answer is one to another question"));
    }
    if let Some(id) = octets.first_chunk_mut() {
        *id = query.id.to_be_bytes();
    }
    Ok(octets)
}

/// The answer without the signatures that validation has asked for, where the query has not (RFC 4035
/// section 3.2.1), and with times to live that are no longer than what was signed (section 5.3.3).
/// `response` is the same, with the times that the validator has found.
fn finished(query: &Message, response: &Message, octets: Vec<u8>) -> Vec<u8> {
    let Ok(mut message) = Message::from_vec(&octets) else { return octets };
    for (own, found) in [
        (&mut message.answers, &response.answers),
        (&mut message.authorities, &response.authorities),
    ] {
        own.iter_mut().for_each(|record| record.ttl = record.ttl.min(ttl_in(found, record)));
    }
    if !query.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok) {
        let asked = query.queries.first().map(|query| query.query_type);
        let keep = |record: &Record| {
            let kind = record.record_type();
            let is_dnssec =
                matches!(kind, RecordType::RRSIG | RecordType::NSEC | RecordType::NSEC3);
            !is_dnssec || asked == Some(kind) || asked == Some(RecordType::ANY)
        };
        message.answers.retain(keep);
        message.authorities.retain(keep);
        message.additionals.retain(keep);
    }
    if query.edns.is_none() {
        message.edns = None;
    }
    message.to_vec().unwrap_or(octets)
}

/// How long records of this name and type stay true.
fn ttl_in(records: &[Record], of: &Record) -> u32 {
    let same = |one: &&Record| one.record_type() == of.record_type() && one.name == of.name;
    records.iter().filter(same).map(|record| record.ttl).min().unwrap_or(u32::MAX)
}
