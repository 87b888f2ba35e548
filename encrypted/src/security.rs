//! What an answer is worth: secure, insecure or bogus (RFC 4035 section 4.3), and why.

use crate::contract::kind;
use crate::failure::Failure;
use core::fmt::Write;
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::dnssec::rdata::{DNSSECRData, RRSIG};
use hickory_resolver::proto::op::{DnsResponse, Message};
use hickory_resolver::proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_resolver::proto::rr::{RData, Record, RecordType, SerialNumber};
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

/// Judges what the validator has made of a response. `denial` is how it took the proof that there are
/// no such records, where that was no proof.
pub(crate) fn judge(
    query: &Message,
    response: DnsResponse,
    denial: Option<Proof>,
) -> Result<Judged, Failure> {
    let failed = !matches!(u16::from(response.response_code), 0 | 3);
    let verdict = match failed {
        // A server's trouble is nobody's signed statement.
        true => kind::INSECURE,
        false => verdict(query, &response, denial),
    };
    if verdict == kind::BOGUS {
        let text = format!("bogus: {}", why(&response, denial));
        return Ok(Judged { kind: kind::BOGUS, message: Vec::new(), text });
    }
    let text = text(if verdict == kind::SECURE { "secure" } else { "insecure" }, &response);
    let mut message = without_signatures(query, as_answer(query, response.into_buffer())?);
    if let Some(flags) = message.get_mut(3) {
        *flags = if verdict == kind::SECURE { *flags | AUTHENTIC } else { *flags & !AUTHENTIC };
    }
    Ok(Judged { kind: verdict, message, text })
}

fn verdict(query: &Message, response: &DnsResponse, denial: Option<Proof>) -> u32 {
    let proofs = || signed(&response.answers).map(|record| record.proof);
    if proofs().any(|proof| !proof.is_secure() && !proof.is_insecure()) {
        return kind::BOGUS;
    }
    match denial {
        Some(Proof::Insecure) => return kind::INSECURE,
        Some(Proof::Secure) | None => {}
        // A wildcard's records, and proof that the name itself is not there (RFC 4035 section 5.3.4).
        Some(_) if answers(query, response) && is_covered(query, &response.authorities) => {}
        Some(_) => return kind::BOGUS,
    }
    let answers = answers(query, response);
    // Without records of the kind asked for, what proves that there are none stands in the authority.
    let is_proof = |record: &Record| {
        matches!(record.record_type(), RecordType::NSEC | RecordType::NSEC3)
            && record.proof.is_secure()
    };
    let denied = response.authorities.iter().any(is_proof);
    if proofs().all(|proof| proof.is_secure()) && (answers || denied) {
        kind::SECURE
    } else {
        kind::INSECURE
    }
}

/// True where there are records of the kind asked for.
fn answers(query: &Message, response: &DnsResponse) -> bool {
    let asked = query.queries.first().map(|query| query.query_type);
    signed(&response.answers).any(|record| {
        asked.is_none_or(|asked| asked == RecordType::ANY || record.record_type() == asked)
    })
}

/// True where a signed NSEC record has the name in its gap; the zone's last one leads back to its beginning.
fn is_covered(query: &Message, authorities: &[Record]) -> bool {
    let Some(name) = query.queries.first().map(|query| &query.name) else { return false };
    authorities.iter().filter(|record| record.proof.is_secure()).any(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::NSEC(nsec)) => {
            let next = nsec.next_domain_name();
            record.name < *name && (name < next || *next <= record.name)
        }
        _ => false,
    })
}

fn signed(records: &[Record]) -> impl Iterator<Item = &Record> {
    records.iter().filter(|record| record.record_type() != RecordType::RRSIG)
}

/// Why an answer is bogus, in RFC 8914's terms where its signatures tell.
fn why(response: &DnsResponse, denial: Option<Proof>) -> String {
    let bad = |record: &&Record| !record.proof.is_secure() && !record.proof.is_insecure();
    let records = || response.answers.iter().chain(&response.authorities);
    let found =
        signed(&response.answers).find(bad).or_else(|| signed(&response.authorities).find(bad));
    let Some(record) = found else {
        return match denial {
            Some(_) => "nothing proves that there is no such name or record (NSEC Missing)".into(),
            None => "DNSSEC Bogus".into(),
        };
    };
    let what = format!("{} {}", record.name, record.record_type());
    let signatures =
        records().filter(|other| other.name == record.name).filter_map(|other| match &other.data {
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

/// Without the signatures that validation has asked for, where the query has not (RFC 4035 section
/// 3.2.1).
fn without_signatures(query: &Message, octets: Vec<u8>) -> Vec<u8> {
    let wants_them = query.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok);
    if wants_them {
        return octets;
    }
    let Ok(mut message) = Message::from_vec(&octets) else { return octets };
    let asked = query.queries.first().map(|query| query.query_type);
    let keep = |record: &Record| {
        let kind = record.record_type();
        let is_dnssec = matches!(kind, RecordType::RRSIG | RecordType::NSEC | RecordType::NSEC3);
        !is_dnssec || asked == Some(kind) || asked == Some(RecordType::ANY)
    };
    message.answers.retain(keep);
    message.authorities.retain(keep);
    message.additionals.retain(keep);
    if query.edns.is_none() {
        message.edns = None;
    }
    message.to_vec().unwrap_or(octets)
}
