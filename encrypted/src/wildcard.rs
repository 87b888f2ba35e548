//! Wildcards: an answer that was made from one needs proof that the zone has no name closer to the one
//! asked for. How many labels the wildcard has stands in the signature (RFC 4035 section 5.3.4); one
//! label more is the "next closer" name, and that one must not exist.

use data_encoding::BASE32_DNSSEC;
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::dnssec::rdata::{DNSSECRData, NSEC, NSEC3, RRSIG};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// With more rounds than these a hash proves nothing, and with more than those it isn't even worked out
/// (RFC 9276 section 3.2).
const MANY_ROUNDS: u16 = 100;
const TOO_MANY_ROUNDS: u16 = 500;

/// True where records of this owner with this signature were made from a wildcard.
pub(crate) fn is_source(owner: &Name, signature: &RRSIG) -> bool {
    signature.input().num_labels < owner.num_labels()
}

/// What signed records of the authority section prove of the name closer to `owner` than the wildcard
/// that was signed: [`Proof::Secure`] where it does not exist, [`Proof::Insecure`] where there may be an
/// unsigned delegation, [`Proof::Bogus`] where that is left open.
pub(crate) fn proof(owner: &Name, signature: &RRSIG, authorities: &[Record]) -> Proof {
    let zone = &signature.input().signer_name;
    let closer = owner.trim_to(usize::from(signature.input().num_labels) + 1);
    let proofs = authorities.iter().filter(|record| is_signed_by(record, zone, authorities));
    let proofs = proofs.map(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::NSEC(nsec)) => by_name(&record.name, nsec, zone, &closer),
        RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) => by_hash(&record.name, nsec3, zone, &closer),
        _ => Proof::Bogus,
    });
    // The strongest of them.
    proofs.fold(Proof::Bogus, |best, proof| match (best, proof) {
        (Proof::Secure, _) | (_, Proof::Secure) => Proof::Secure,
        (Proof::Insecure, _) | (_, Proof::Insecure) => Proof::Insecure,
        _ => Proof::Bogus,
    })
}

/// True where the record has a signature by this zone that holds.
fn is_signed_by(record: &Record, zone: &Name, all: &[Record]) -> bool {
    record.proof.is_secure()
        && signature_of(&record.name, record.record_type(), all)
            .is_some_and(|signature| signature.input().signer_name == *zone)
}

/// The signature by which records of this name and type were found good.
pub(crate) fn signature_of<'a>(
    name: &Name,
    kind: RecordType,
    records: &'a [Record],
) -> Option<&'a RRSIG> {
    let good = records.iter().filter(|record| record.proof.is_secure() && record.name == *name);
    good.filter_map(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => Some(signature),
        _ => None,
    })
    .find(|signature| signature.input().type_covered == kind)
}

/// An NSEC record whose gap has the name in it, and nothing below the name at its end (RFC 4034 section 4).
fn by_name(owner: &Name, nsec: &NSEC, zone: &Name, name: &Name) -> Proof {
    let next = nsec.next_domain_name();
    // The last one leads back to the zone itself.
    let is_inside = owner < name && (name < next || next == zone);
    // One of a delegation, or of a DNAME, says nothing of names below (RFC 6840 section 4.1).
    let is_of_parent = nsec.is_ancestor_delegation() && owner.zone_of(name);
    match is_inside && !name.zone_of(next) && zone.zone_of(name) && !is_of_parent {
        true => Proof::Secure,
        false => Proof::Bogus,
    }
}

/// An NSEC3 record whose gap has the name's hash in it (RFC 5155 section 8.8).
fn by_hash(owner: &Name, nsec3: &NSEC3, zone: &Name, name: &Name) -> Proof {
    let rounds = nsec3.iterations();
    let own = owner.iter().next().map(<[u8]>::to_ascii_lowercase);
    let Some(own) = own.and_then(|label| BASE32_DNSSEC.decode(&label).ok()) else {
        return Proof::Bogus;
    };
    if owner.base_name() != *zone || rounds > TOO_MANY_ROUNDS {
        return Proof::Bogus;
    }
    if rounds > MANY_ROUNDS {
        return Proof::Insecure;
    }
    let Ok(hash) = nsec3.hash_algorithm().hash(nsec3.salt(), name, rounds) else {
        return Proof::Bogus;
    };
    let (own, next, hash) = (&*own, nsec3.next_hashed_owner_name(), hash.as_ref());
    let is_inside = match own < next {
        true => own < hash && hash < next,
        // The last one leads back to the first.
        false => own < hash || hash < next,
    };
    match (is_inside, nsec3.opt_out()) {
        (true, false) => Proof::Secure,
        (true, true) => Proof::Insecure,
        (false, _) => Proof::Bogus,
    }
}
