//! Trust anchors: the keys that a chain of signatures has to begin with.
//!
//! Read from a file: IANA's XML (RFC 7958), or lines of DNSKEY and DS records as `unbound-anchor`
//! and `dnssec-keygen` write them. An anchor of XML, and a DS record, is a key's digest: the key itself
//! comes from the zone, and counts where it has that digest.

use crate::chain::Chain;
use crate::failure::Failure;
use core::str::FromStr;
use hickory_resolver::net::DnsHandle;
use hickory_resolver::net::xfer::FirstAnswer;
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS};
use hickory_resolver::proto::dnssec::{
    Algorithm, DigestType, PublicKey, PublicKeyBuf, TrustAnchors,
};
use hickory_resolver::proto::op::{DnsRequestOptions, Query};
use hickory_resolver::proto::rr::{LowerName, Name, RData, RecordType};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where packages install the anchors of the root zone.
pub(crate) const INSTALLED: [&str; 2] =
    ["/usr/local/share/rustdns/root-anchors.xml", "/usr/share/rustdns/root-anchors.xml"];
/// The same, as they were when this was built: for where nothing is installed.
const BUILT_IN: &str = include_str!("../root-anchors.xml");

/// Anchors as their file has them.
#[derive(Default)]
pub(crate) struct Anchors {
    keys: Vec<(Name, PublicKeyBuf)>,
    digests: Vec<(Name, DS)>,
}

impl Anchors {
    /// Reads a file, or those built in.
    pub(crate) fn read(file: Option<&Path>) -> Result<Anchors, Failure> {
        let Some(file) = file else {
            return Anchors::parse(BUILT_IN).map_err(|why| Failure::local(why.into()));
        };
        let failed = |why: String| Failure::local(format!("{}: {why}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
        Anchors::parse(&text).map_err(|why| failed(why.into()))
    }

    fn parse(text: &str) -> Result<Anchors, &'static str> {
        let anchors =
            if text.trim_start().starts_with('<') { of_xml(text) } else { of_lines(text) };
        match anchors {
            Some(anchors) if anchors.keys.is_empty() && anchors.digests.is_empty() => {
                Err("no trust anchor in it")
            }
            Some(anchors) => Ok(anchors),
            None => Err("not understood as trust anchors"),
        }
    }

    /// The anchors as keys; those known by their digest are asked of the zone.
    pub(crate) async fn resolve(&self, chain: &Chain) -> Result<Arc<TrustAnchors>, Failure> {
        let mut trusted = TrustAnchors::empty();
        for (zone, key) in &self.keys {
            trusted.insert_with_name(key, LowerName::new(zone));
        }
        let mut zones: Vec<_> = self.digests.iter().map(|(zone, _)| zone).collect();
        zones.dedup();
        for zone in zones {
            let mut options = DnsRequestOptions::default();
            options.edns_set_dnssec_ok = true;
            let query = Query::query(zone.clone(), RecordType::DNSKEY);
            let response = chain.lookup(query, options).first_answer().await?;
            for record in &response.answers {
                let RData::DNSSEC(DNSSECRData::DNSKEY(key)) = &record.data else { continue };
                if record.name == *zone && self.has_digest_of(zone, key) {
                    trusted.insert_with_name(key.public_key(), LowerName::new(zone));
                }
            }
        }
        Ok(Arc::new(trusted))
    }

    /// The zone of the nearest anchor from which a chain can lead to this name.
    pub(crate) fn above(&self, name: &Name) -> Option<&Name> {
        let zones = self.keys.iter().map(|(zone, _)| zone);
        let zones = zones.chain(self.digests.iter().map(|(zone, _)| zone));
        zones.filter(|zone| zone.zone_of(name)).max_by_key(|zone| zone.num_labels())
    }

    fn has_digest_of(&self, zone: &Name, key: &DNSKEY) -> bool {
        let is_digest = |ds: &DS| {
            !key.revoke()
                && ds.algorithm() == key.public_key().algorithm()
                && ds.covers(zone, key).unwrap_or(false)
        };
        self.digests.iter().any(|(of, ds)| of == zone && is_digest(ds))
    }
}

/// RFC 7958 section 2: `<TrustAnchor><Zone>.</Zone><KeyDigest validFrom=… validUntil=…>…`.
fn of_xml(text: &str) -> Option<Anchors> {
    let mut anchors = Anchors::default();
    let text = without_comments(text)?;
    let zone = Name::from_str(element(&text, "Zone")?).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    for part in text.split("<KeyDigest").skip(1) {
        let (attributes, content) = part.split_once('>')?;
        let from = attribute(attributes, "validFrom").map_or(Some(0), seconds)?;
        let until = attribute(attributes, "validUntil").map_or(Some(u64::MAX), seconds)?;
        if now < from || now >= until {
            continue;
        }
        let number = |name: &str| element(content, name)?.parse::<u16>().ok();
        anchors.digests.push((
            zone.clone(),
            ds(
                number("KeyTag")?,
                number("Algorithm")?,
                number("DigestType")?,
                element(content, "Digest")?,
            )?,
        ));
    }
    Some(anchors)
}

fn without_comments(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = after.split_once("-->")?.1;
    }
    out.push_str(rest);
    Some(out)
}

fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, after) = text.split_once(&format!("<{name}>"))?;
    Some(after.split_once(&format!("</{name}>"))?.0.trim())
}

fn attribute<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, after) = text.split_once(&format!("{name}=\""))?;
    Some(after.split_once('"')?.0)
}

/// `2017-02-02T00:00:00+00:00` (RFC 3339) as seconds since 1970; the days count, hours and zone do not.
fn seconds(time: &str) -> Option<u64> {
    let mut parts = time.split('T').next()?.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    // Years that begin in March: the leap day is the last.
    let (year, month) =
        if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    // 1970-01-01 by the same rule, plus one for the day that begins at 1.
    days.checked_sub(719_469)?.checked_mul(86_400)
}

/// Lines of DNSKEY and DS records: `. 172800 IN DNSKEY 257 3 8 AwEAA…`; `;` begins a comment.
fn of_lines(text: &str) -> Option<Anchors> {
    let mut anchors = Anchors::default();
    for line in text.lines() {
        let line = line.split(';').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((zone, rest)) = words.split_first() else { continue };
        let zone = Name::from_str(zone).ok()?;
        let at = rest.iter().position(|word| ["DNSKEY", "DS"].contains(word))?;
        let (_, record) = rest.split_at_checked(at)?;
        match record {
            ["DNSKEY", ..] => {
                // The key itself may be in several words.
                let (fixed, key) = record.split_at_checked(4)?;
                let line = format!(". IN {} {}", fixed.join(" "), key.concat());
                let parsed = TrustAnchors::from_str(&line).ok()?;
                let key = parsed.get(0)?;
                anchors.keys.push((zone, key.clone()));
            }
            ["DS", tag, algorithm, digest_type, digest @ ..] => {
                let number = |word: &str| word.parse::<u16>().ok();
                let ds =
                    ds(number(tag)?, number(algorithm)?, number(digest_type)?, &digest.concat())?;
                anchors.digests.push((zone, ds));
            }
            _ => return None,
        }
    }
    Some(anchors)
}

fn ds(tag: u16, algorithm: u16, digest_type: u16, digest: &str) -> Option<DS> {
    let digits: Vec<u32> = digest.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let octets = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some((high << 4 | low) as u8),
        _ => None,
    });
    let algorithm = Algorithm::from_u8(u8::try_from(algorithm).ok()?);
    let digest_type = DigestType::from(u8::try_from(digest_type).ok()?);
    Some(DS::new(tag, algorithm, digest_type, octets.collect::<Option<_>>()?))
}
