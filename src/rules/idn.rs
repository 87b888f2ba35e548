//! Names in other scripts: `AI_IDN`, `AI_CANONIDN` and `NI_IDN` (IDNA, RFC 5890 to 5892, by way of
//! UTS 46 without transitional processing, as libidn2 does for glibc).
//!
//! Text is UTF-8 here; the caller converts from and to the locale's encoding.
//!
//! The idna crate allocates without a way to fail what its buffers don't hold: names of more than 253
//! characters or eight labels that are A-labels already, more than 17 combining marks in a row. Where
//! memory is out in the middle of such a name, the process aborts. All others stay clear of it.

use crate::base::error::Error;
use crate::sys::mem::{NoMemory, append, copy};

/// The form of `name` (UTF-8) that is looked up: A-labels (`xn--…`), mapped to lower case, in place of
/// labels that are not ASCII.
///
/// A name of ASCII only is returned as it is, whatever it holds: case, underscores, hyphens.
///
/// # Errors
/// [`Error::IdnEncode`]: not UTF-8, a backslash beside characters that are not ASCII, a label that IDNA
/// does not allow or that is too long (or the `idn` feature is off, as where glibc finds no libidn2);
/// [`Error::Memory`].
pub fn to_ascii(name: &[u8]) -> Result<Box<[u8]>, Error> {
    if name.is_ascii() {
        return Ok(copy(name)?);
    }
    // Read on by resolvers as an escape, which would change what the name is.
    if name.contains(&b'\\') {
        return Err(Error::IdnEncode);
    }
    a_labels(name)
}

/// `name` with A-labels turned into the characters they stand for, in UTF-8.
///
/// Other labels stay as they are. Where any label that begins with `xn--` is no valid A-label, the name
/// is returned as it was given, as glibc does.
///
/// # Errors
/// [`NoMemory`].
pub fn to_unicode(name: &[u8]) -> Result<Box<[u8]>, NoMemory> {
    let mut out = Vec::new();
    for (index, label) in name.split(|&b| b == b'.').enumerate() {
        if index > 0 {
            append(&mut out, b".")?;
        }
        match label {
            [b'x' | b'X', b'n' | b'N', b'-', b'-', ..] => {
                if !u_label(label, &mut out)? {
                    return copy(name);
                }
            }
            _ => append(&mut out, label)?,
        }
    }
    copy(&out)
}

#[cfg(feature = "idn")]
fn a_labels(name: &[u8]) -> Result<Box<[u8]>, Error> {
    use idna::uts46::{AsciiDenyList, ErrorPolicy, Hyphens, ProcessingError, Uts46};

    let mut sink = Sink::default();
    // Lengths are checked below: the crate's check would refuse the empty labels that DNS code refuses later.
    let result = Uts46::new().process(
        name,
        AsciiDenyList::EMPTY,
        Hyphens::Check,
        ErrorPolicy::FailFast,
        |_, _, _| false,
        &mut sink,
        None,
    );
    let ascii = match &result {
        Ok(success) => sink.text(name, success)?,
        Err(ProcessingError::ValidityError | ProcessingError::SinkError) => {
            return Err(Error::IdnEncode);
        }
    };
    // Octets of a name without its root label (RFC 1035 section 2.3.4, in text form).
    if ascii.strip_suffix(b".").unwrap_or(ascii).len() > 253 {
        return Err(Error::IdnEncode);
    }
    for label in ascii.split(|&b| b == b'.') {
        // Punctuation may stand in ASCII labels only (RFC 5890 section 2.3.2.1), but for the
        // underscore, which libidn2 lets pass.
        let plain = label.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if label.len() > 63 || (label.starts_with(b"xn--") && !plain) {
            return Err(Error::IdnEncode);
        }
    }
    Ok(copy(ascii)?)
}

#[cfg(not(feature = "idn"))]
fn a_labels(_: &[u8]) -> Result<Box<[u8]>, Error> {
    Err(Error::IdnEncode)
}

/// Appends what the A-label stands for; false where it is none.
#[cfg(feature = "idn")]
fn u_label(label: &[u8], out: &mut Vec<u8>) -> Result<bool, NoMemory> {
    use idna::uts46::{AsciiDenyList, ErrorPolicy, Hyphens, ProcessingError, Uts46};

    /// All but letters, digits, hyphen and underscore: no dot or slash may hide in an A-label.
    const DENIED: AsciiDenyList = AsciiDenyList::new(true, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~");
    let mut sink = Sink::default();
    let result = Uts46::new().process(
        label,
        DENIED,
        Hyphens::Check,
        ErrorPolicy::FailFast,
        |_, _, _| true,
        &mut sink,
        None,
    );
    let text = match &result {
        Ok(success) => sink.text(label, success)?,
        Err(ProcessingError::ValidityError | ProcessingError::SinkError) => return Ok(false),
    };
    if text.is_ascii() {
        return Ok(false);
    }
    append(out, text)?;
    Ok(true)
}

/// What the idna crate writes, in memory that may be refused. It takes no error of a sink while it
/// encodes, so that is remembered here.
#[cfg(feature = "idn")]
#[derive(Default)]
struct Sink {
    text: Vec<u8>,
    is_short: bool,
}

#[cfg(feature = "idn")]
impl Sink {
    /// What has come of `name`: it passes unchanged, or was written here.
    fn text<'a>(
        &'a self,
        name: &'a [u8],
        success: &idna::uts46::ProcessingSuccess,
    ) -> Result<&'a [u8], NoMemory> {
        match success {
            idna::uts46::ProcessingSuccess::Passthrough => Ok(name),
            idna::uts46::ProcessingSuccess::WroteToSink if self.is_short => Err(NoMemory),
            idna::uts46::ProcessingSuccess::WroteToSink => Ok(&self.text),
        }
    }
}

#[cfg(feature = "idn")]
impl core::fmt::Write for Sink {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.is_short |= append(&mut self.text, text.as_bytes()).is_err();
        Ok(())
    }
}

#[cfg(not(feature = "idn"))]
fn u_label(_: &[u8], _: &mut Vec<u8>) -> Result<bool, NoMemory> {
    Ok(false)
}

#[cfg(all(test, feature = "idn"))]
mod tests {
    use crate::rules::idn::*;

    const REFUSED: &str = "EAI_IDN_ENCODE";

    /// Name, and what glibc 2.36 with libidn2 2.3.3 makes of it under `AI_IDN` in a UTF-8 locale
    /// (measured: ASCII names, escapes and some others on the wire, the rest from libidn2).
    const TO_ASCII: &[(&str, &str)] = &[
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("ς.gr", "xn--3xa.gr"),
        ("königsgäßchen.de", "xn--knigsgchen-b4a3dun.de"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("e\u{301}.test", "xn--9ca.test"),
        ("a\u{ad}b", "ab"),
        ("℡.é", "tel.xn--9ca"),
        ("İ.test", "xn--i-9bb.test"),
        ("１２７.1", "127.1"),
        ("é.", "xn--9ca."),
        ("é。", "xn--9ca."),
        (".é", ".xn--9ca"),
        ("é..a", "xn--9ca..a"),
        ("_sip._tcp.é", "_sip._tcp.xn--9ca"),
        ("A_B.é", "a_b.xn--9ca"),
        ("é_b", "xn--_b-9ia"),
        ("*.é", "*.xn--9ca"),
        ("a b.é", "a b.xn--9ca"),
        ("a<b.é", "a<b.xn--9ca"),
        ("xn--bcher-kva.é", "xn--bcher-kva.xn--9ca"),
        ("XN--BCHER-KVA.é", "xn--bcher-kva.xn--9ca"),
        ("א1.test", "xn--1-zhc.test"),
        ("l·l.cat", "xn--ll-0ea.cat"),
        ("≠.é", "xn--1ch.xn--9ca"),
        ("a--b.é", "a--b.xn--9ca"),
        // ASCII only: untouched.
        ("A--x", "A--x"),
        ("Ab-", "Ab-"),
        ("ab--c", "ab--c"),
        ("a\\b", "a\\b"),
        ("xn--zz", "xn--zz"),
        ("é\\b", REFUSED),
        ("xn--zz.é", REFUSED),
        ("xn--a.é", REFUSED),
        ("a-.é", REFUSED),
        ("-a.é", REFUSED),
        ("ab--c.é", REFUSED),
        ("é--", REFUSED),
        ("é@b", REFUSED),
        ("é:80", REFUSED),
        ("fe80::1%é", REFUSED),
        ("é\u{7f}", REFUSED),
        ("אa.test", REFUSED),
        ("1א.test", REFUSED),
        ("١.test", REFUSED),
        ("\u{301}a.é", REFUSED),
        ("a\u{200d}b.é", REFUSED),
        ("\u{202e}.é", REFUSED),
    ];

    /// The same for `AI_CANONIDN`; where libidn2 fails, glibc gives the name as it was.
    const TO_UNICODE: &[(&str, &str)] = &[
        ("xn--bcher-kva.example", "bücher.example"),
        ("Www.Xn--bcher-kva", "Www.bücher"),
        ("xn--fa-hia.de", "faß.de"),
        ("xn--maana-pta.es", "mañana.es"),
        ("xn--1ch.test", "≠.test"),
        ("xn--n3h.net", "☃.net"),
        ("xn--ls8h.la", "💩.la"),
        ("*.xn--bcher-kva.", "*.bücher."),
        ("xn--_b-9ia", "é_b"),
        ("plain.Example", "plain.Example"),
        ("ab--c.a_b", "ab--c.a_b"),
        ("bücher.example", "bücher.example"),
        ("a..b", "a..b"),
        (".", "."),
        ("xn--zz.example", "xn--zz.example"),
        ("xn--", "xn--"),
        ("xn--0", "xn--0"),
        ("www.xn--zz.xn--bcher-kva", "www.xn--zz.xn--bcher-kva"),
        ("xn--abc-.test", "xn--abc-.test"),
        ("xn--iñvalid", "xn--iñvalid"),
    ];

    #[test]
    fn as_glibc_with_libidn2() {
        for &(name, want) in TO_ASCII {
            let got = match to_ascii(name.as_bytes()) {
                Ok(ascii) => String::from_utf8(ascii.into()).unwrap(),
                Err(Error::IdnEncode) => REFUSED.into(),
                Err(other) => panic!("{name}: {other:?}"),
            };
            assert_eq!(got, want, "{name}");
        }
        for &(name, want) in TO_UNICODE {
            let got = to_unicode(name.as_bytes()).unwrap();
            assert_eq!(core::str::from_utf8(&got), Ok(want), "{name}");
        }
    }

    /// Where we differ from libidn2 2.3.3 (its answer beside ours), and why.
    #[test]
    fn divergences() {
        let ascii = |name: &str| to_ascii(name.as_bytes()).unwrap();
        // Refused: symbols, by IDNA 2008. UTS 46 has them, and such domains exist.
        assert_eq!(&*ascii("☃.net"), b"xn--n3h.net");
        // ss.de: mapped otherwise since Unicode 15.1.
        assert_eq!(&*ascii("ẞ.de"), b"xn--zca.de");
        let unicode = |name: &str| String::from_utf8(to_unicode(name.as_bytes()).unwrap().into());
        // "a⒈.ru", "Ïex": decoded without a look at what they say.
        assert_eq!(unicode("xn--a-ecp.ru").unwrap(), "xn--a-ecp.ru");
        assert_eq!(unicode("xn--ex-1ga").unwrap(), "xn--ex-1ga");
        // "BüCHER".
        assert_eq!(unicode("XN--BCHER-KVA").unwrap(), "bücher");
    }

    /// Measured with libidn2: 63 octets a label.
    #[test]
    fn lengths_and_broken_text() {
        let refused = |name: &[u8]| to_ascii(name) == Err(Error::IdnEncode);
        assert!(to_ascii(format!("é.{}", "a".repeat(63)).as_bytes()).is_ok());
        assert!(refused(format!("é.{}", "a".repeat(64)).as_bytes()));
        assert!(refused("é".repeat(60).as_bytes()));
        assert!(refused(format!("é.{}", "abcdefghi.".repeat(30)).as_bytes()));
        assert!(refused(b"\xff.test"));
        assert!(refused(b"\xc3"));
        assert_eq!(&*to_unicode(b"\xff.test").unwrap(), b"\xff.test");
    }
}
