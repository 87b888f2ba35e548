//! Which names are asked for by multicast: as nss-mdns decides.

use crate::base::error::Failure;
use crate::base::name::Name;
use crate::base::record_type;
use crate::config::nsswitch::Mdns;
use crate::context::call::Session;
use crate::source::dns::lookup::Lookup;
use crate::sys::files::{self, Unreadable};
use crate::sys::mem::{NoMemory, c_string};

/// True for names that the service asks the network for.
///
/// Those are the suffixes in /etc/mdns.allow. Where it is not there, and always for the minimal
/// services, they are the names of two labels that end in `local`: unless the DNS has a zone of that
/// name, which its own hosts are in then (RFC 6762 section 22.1 has nothing to say of it).
pub(super) fn are_taken(session: &Session, service: Mdns, node: &[u8]) -> Result<bool, Failure> {
    let settings = session.settings();
    if settings.stays_inside() {
        return Ok(false);
    }
    if !service.minimal {
        let root = settings.root.as_deref().unwrap_or_default();
        let path = c_string(&[root, b"/etc/mdns.allow"])?.unwrap_or_default();
        match files::read(&path) {
            Ok((text, _)) => return Ok(is_allowed(node, &text)),
            Err(Unreadable::NoMemory) => return Err(Failure::Memory),
            Err(_) => {}
        }
    }
    Ok(is_local(node) && !has_zone(session)?)
}

/// A name of two labels, of which the second is `local`.
fn is_local(node: &[u8]) -> bool {
    let name = node.strip_suffix(b".").unwrap_or(node);
    let mut labels = name.split(|&b| b == b'.');
    let (_, last, more) = (labels.next(), labels.next(), labels.next());
    more.is_none() && last.is_some_and(|last| last.eq_ignore_ascii_case(b"local"))
}

/// True where a line has a suffix of the name, or `*`. A suffix begins with a dot, written or not.
fn is_allowed(node: &[u8], text: &[u8]) -> bool {
    text.split(|&b| b == b'\n').any(|line| {
        let end = line.iter().position(|b| matches!(b, b'#' | b'\t' | b'\r' | b' '));
        let suffix = line.get(..end.unwrap_or(line.len())).unwrap_or_default();
        if matches!(suffix, b"" | b"*") {
            return !suffix.is_empty();
        }
        let suffix = suffix.strip_prefix(b".").unwrap_or(suffix);
        let at = node.len().checked_sub(suffix.len()).and_then(|at| node.split_at_checked(at));
        at.is_some_and(|(before, end)| before.ends_with(b".") && end.eq_ignore_ascii_case(suffix))
    })
}

/// True where the DNS has a zone `local`.
fn has_zone(session: &Session) -> Result<bool, NoMemory> {
    let Ok(local) = Name::from_text(b"local") else { return Ok(false) };
    let upstream = session.upstream()?;
    let has_zone = Lookup::of(session, &upstream).has(&local, record_type::SOA)?;
    if has_zone {
        session.trace().decision(format_args!("mdns: the DNS has a zone local"));
    }
    Ok(has_zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_two_labels() {
        for (name, want) in [
            ("host.local", true),
            ("Host.LOCAL.", true),
            ("a.host.local", false),
            ("local", false),
            ("local.", false),
            ("host.localhost", false),
            ("host", false),
            ("", false),
        ] {
            assert_eq!(is_local(name.as_bytes()), want, "{name}");
        }
    }

    #[test]
    fn lines_of_mdns_allow() {
        for (text, name, want) in [
            ("", "host.local", false),
            ("*", "anything", true),
            ("* # all", "anything", true),
            ("# *", "anything", false),
            (".local", "host.local", true),
            ("local", "host.local", true),
            ("local", "a.host.LOCAL", true),
            ("local", "local", false),
            ("local", "host.local.", false),
            ("local.", "host.local.", true),
            ("test\r\nlan local", "host.lan", true),
            ("test\r\nlan local", "host.test", true),
            ("test\r\nlan local", "host.local", false),
            ("cal", "host.local", false),
        ] {
            assert_eq!(is_allowed(name.as_bytes(), text.as_bytes()), want, "{text:?} {name}");
        }
    }
}
