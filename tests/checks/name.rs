//! Domain names.

use rustdns::base::name::{MAX_WIRE, Name, NameError};

use super::libc_oracle;

/// Text is a name where libc's `ns_name_pton` says so, and the same one; written out it is what
/// `ns_name_ntop` writes, and is read back octet by octet; the limits of RFC 1035 hold; and a name
/// made of two parts is that of the parts with a dot between them.
///
/// Would find: an escape that is read or written wrongly, a label of 64 or a name of 256 octets that
/// passes, one of 63 or 255 that does not, a comparison that minds case or does not mind length.
pub fn check(text: &[u8]) {
    let name = Name::from_text(text);
    if !text.contains(&0) && !text.is_empty() {
        let libcs = libc_oracle::name_from_text(text);
        let ours = name.as_ref().ok().map(|name| name.wire().to_vec());
        assert_eq!(ours, libcs, "{}", text.escape_ascii());
    }
    let half = text.len() / 2;
    let (first, second) = text.split_at(half);
    joined(first, second);
    let Ok(name) = name else { return };

    let wire = name.wire();
    assert!(wire.len() <= MAX_WIRE && wire.last() == Some(&0));
    let labels: Vec<&[u8]> = name.labels().collect();
    assert!(labels.iter().all(|label| (1..=63).contains(&label.len())));
    assert_eq!(labels.iter().map(|label| label.len() + 1).sum::<usize>() + 1, wire.len());

    let shown = name.to_string();
    assert_eq!(Some(shown.as_bytes()), libc_oracle::name_to_text(wire).as_deref());
    let back = Name::from_text(shown.as_bytes()).unwrap();
    assert_eq!(back.wire(), wire, "{shown}");
    assert_eq!(
        Name::from_text(format!("{}.", shown.trim_end_matches(['.'])).as_bytes())
            .map(|n| n == name),
        Ok(true)
    );

    // Escapes are digits: letters' case may change in the text without changing anything else.
    for other in [shown.to_ascii_uppercase(), shown.to_ascii_lowercase()] {
        let other = Name::from_text(other.as_bytes()).unwrap();
        assert!(other.is(&name) && name == other && other.wire().len() == wire.len());
    }
    if let Ok(longer) = Name::from_parts(b"x", shown.as_bytes()) {
        assert!(!longer.is(&name) && longer != name);
    }
    if name != Name::ROOT {
        assert_eq!(name.is_host_name(), libc_oracle::is_host_name(shown.as_bytes()), "{shown}");
    }
}

/// A candidate of the search list.
fn joined(first: &[u8], second: &[u8]) {
    let parts = Name::from_parts(first, second);
    if first.is_empty()
        || first.ends_with(b".")
        || first.ends_with(b"\\")
        || matches!(second, b"" | b".")
    {
        return;
    }
    let whole = Name::from_text(&[first, b".", second].concat());
    match (parts, whole) {
        (Ok(parts), Ok(whole)) => assert_eq!(parts.wire(), whole.wire()),
        (Err(_), Err(_)) => {}
        (parts, whole) => panic!("{parts:?} {whole:?}"),
    }
}

/// A name of these labels, put together by hand, is what its escaped text is read as.
///
/// Would find the same as [`check`], for labels of any octets.
pub fn check_labels(labels: &[Vec<u8>]) {
    let mut wire = Vec::new();
    let mut text = Vec::new();
    for label in labels {
        wire.push(label.len() as u8);
        wire.extend(label);
        for octet in label {
            text.extend(format!("\\{octet:03}").into_bytes());
        }
        text.push(b'.');
    }
    wire.push(0);
    let name = Name::from_text(&text);
    // A dot alone is the root.
    let malformed = labels.iter().any(Vec::is_empty) && text != b".";
    let too_long = labels.iter().any(|label| label.len() > 63) || wire.len() > MAX_WIRE;
    match name {
        Ok(name) => {
            assert!(!malformed && !too_long);
            assert!(text == b"." || name.wire() == wire);
            check(name.to_string().as_bytes());
        }
        Err(NameError::Malformed) => assert!(malformed),
        Err(NameError::TooLong) => assert!(too_long),
    }
}
