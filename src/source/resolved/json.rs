//! JSON (RFC 8259) as far as varlink takes it: text is read where it lies, and no tree is made of it.
//!
//! What can't be read is [`Failure::Unavailable`]: of a peer that is not understood nothing is known.

use crate::base::error::Failure;
use crate::base::text::{NameText, append_text};
use crate::sys::mem::{NoMemory, append};

/// Objects and lists inside each other; an answer has four.
const MAX_DEPTH: u8 = 16;

/// Reads one value after the other.
pub struct Reader<'a> {
    rest: &'a [u8],
    depth: u8,
}

/// What a value comes to.
pub type Read<T> = Result<T, Failure>;

/// What is no JSON, or not what is wanted of it.
const MALFORMED: Failure = Failure::Unavailable;

/// What is to be done with each member of an object, or item of a list (whose key is empty): the value
/// has to be taken.
pub type Each<'e> = &'e mut dyn FnMut(&[u8], &mut Reader<'_>) -> Read<()>;

impl<'a> Reader<'a> {
    /// Reads `text`, which has to be UTF-8.
    #[inline(never)]
    pub fn new(text: &'a [u8]) -> Read<Reader<'a>> {
        match core::str::from_utf8(text) {
            Ok(_) => Ok(Reader { rest: text, depth: 0 }),
            Err(_) => Err(MALFORMED),
        }
    }

    /// An object; its keys are given as they are written, escapes and all.
    pub fn object(&mut self, each: Each<'_>) -> Read<()> {
        self.several(b'{', b'}', each)
    }

    /// A list.
    pub fn list(&mut self, each: Each<'_>) -> Read<()> {
        self.several(b'[', b']', each)
    }

    #[inline(never)]
    fn several(&mut self, open: u8, close: u8, each: Each<'_>) -> Read<()> {
        self.expect(open)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(MALFORMED);
        }
        if self.peek() == Some(close) {
            self.advance(1);
        } else {
            loop {
                let key = if open == b'{' { self.raw_string()? } else { b"" };
                if open == b'{' {
                    self.expect(b':')?;
                }
                each(key, self)?;
                match self.next() {
                    Some(b',') => {}
                    Some(octet) if octet == close => break,
                    _ => return Err(MALFORMED),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// A string that can be a C string, appended to `out`.
    pub fn string(&mut self, out: &mut NameText) -> Read<()> {
        let mut rest = self.raw_string()?;
        while let Some(at) = rest.iter().position(|&b| b == b'\\') {
            let (plain, escape) = rest.split_at_checked(at).unwrap_or_default();
            append_text(out, plain)?;
            let (character, after) = unescape(escape).ok_or(MALFORMED)?;
            append_text(out, character.encode_utf8(&mut [0; 4]).as_bytes())?;
            rest = after;
        }
        append_text(out, rest)?;
        Ok(())
    }

    /// A whole number.
    pub fn number(&mut self) -> Read<i64> {
        let word = self.word()?;
        let (sign, digits) = match word {
            [b'-', digits @ ..] => (-1, digits),
            digits => (1, digits),
        };
        let value = digits.iter().try_fold(0i64, |value, digit| {
            let digit = sign * i64::from(char::from(*digit).to_digit(10)?);
            value.checked_mul(10)?.checked_add(digit)
        });
        value.filter(|_| !digits.is_empty()).ok_or(MALFORMED)
    }

    /// Any value, which is not wanted.
    pub fn skip(&mut self) -> Read<()> {
        match self.peek() {
            Some(b'{') => self.object(&mut |_, value| value.skip()),
            Some(b'[') => self.list(&mut |_, item| item.skip()),
            Some(b'"') => self.raw_string().map(drop),
            _ => self.word().map(drop),
        }
    }

    #[inline(never)]
    /// What stands between the quotes; no escape in it is read.
    fn raw_string(&mut self) -> Read<&'a [u8]> {
        self.expect(b'"')?;
        let mut escaped = false;
        let end = self.rest.iter().position(|&b| {
            let is_end = b == b'"' && !escaped;
            escaped = b == b'\\' && !escaped;
            is_end
        });
        let (text, after) = end.and_then(|at| self.rest.split_at_checked(at)).ok_or(MALFORMED)?;
        // Control characters are to be escaped; none is in a name.
        if text.iter().any(|&b| b < b' ') {
            return Err(MALFORMED);
        }
        self.rest = after.get(1..).unwrap_or_default();
        Ok(text)
    }

    /// A number, or `true`, `false`, `null`, or what only looks like one.
    fn word(&mut self) -> Read<&'a [u8]> {
        self.peek();
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
        let len = self.rest.iter().take_while(|b| is_part(b)).count();
        let (word, after) = self.rest.split_at_checked(len).unwrap_or_default();
        self.rest = after;
        if word.is_empty() { Err(MALFORMED) } else { Ok(word) }
    }

    /// The next octet that is no blank, which is left in place.
    fn peek(&mut self) -> Option<u8> {
        let blanks = self.rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
        self.advance(blanks.count());
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let next = self.peek();
        self.advance(1);
        next
    }

    fn advance(&mut self, len: usize) {
        self.rest = self.rest.get(len..).unwrap_or_default();
    }

    fn expect(&mut self, octet: u8) -> Read<()> {
        if self.next() == Some(octet) { Ok(()) } else { Err(MALFORMED) }
    }
}

/// The character that an escape stands for, and what follows. NUL is refused: it would end the name
/// before its time.
fn unescape(escape: &[u8]) -> Option<(char, &[u8])> {
    let (&[_, kind], rest) = escape.split_first_chunk()?;
    let plain = match kind {
        b'"' | b'\\' | b'/' => char::from(kind),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let (high, rest) = unit(rest)?;
            if !(0xd800..0xdc00).contains(&high) {
                return char::from_u32(high).filter(|c| *c != '\0').map(|c| (c, rest));
            }
            // The second half of a pair (RFC 8259 section 7).
            let (low, rest) = unit(rest.strip_prefix(b"\\u")?)?;
            let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            return char::from_u32(0x10000 + ((high - 0xd800) << 10) + low).map(|c| (c, rest));
        }
        _ => return None,
    };
    Some((plain, rest))
}

/// Four hexadecimal digits.
fn unit(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<4>()?;
    let value = digits
        .iter()
        .try_fold(0, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))?;
    Some((value, rest))
}

/// Writes a string, quotes and all.
///
/// # Errors
/// [`Failure::Unavailable`] for text that is not UTF-8, which no JSON can have.
pub fn write_string(text: &[u8], out: &mut Vec<u8>) -> Read<()> {
    Reader::new(text)?;
    append(out, b"\"")?;
    for &octet in text {
        match octet {
            b'"' | b'\\' => append(out, &[b'\\', octet])?,
            ..b' ' => {
                let digit = |n: u8| if n < 10 { b'0' + n } else { b'a' + n - 10 };
                append(out, &[b'\\', b'u', b'0', b'0', digit(octet >> 4), digit(octet & 15)])?;
            }
            _ => append(out, &[octet])?,
        }
    }
    append(out, b"\"")?;
    Ok(())
}

/// Writes octets as a list of numbers.
pub fn write_octets(octets: &[u8], out: &mut Vec<u8>) -> Result<(), NoMemory> {
    for (at, octet) in octets.iter().enumerate() {
        let digits = [b'0' + octet / 100, b'0' + octet / 10 % 10, b'0' + octet % 10];
        let zeros = digits.iter().take(2).take_while(|&&digit| digit == b'0').count();
        append(out, if at == 0 { b"[" } else { b"," })?;
        append(out, digits.get(zeros..).unwrap_or_default())?;
    }
    append(out, b"]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn string(text: &str) -> Option<Vec<u8>> {
        let mut out = NameText::new();
        let mut reader = Reader::new(text.as_bytes()).unwrap();
        reader.string(&mut out).ok().map(|()| out.to_vec())
    }

    #[test]
    fn strings() {
        for (text, want) in [
            (r#""host.test""#, Some("host.test")),
            (r#" "" "#, Some("")),
            (r#""a\"\\\/\b\f\n\r\tz""#, Some("a\"\\/\u{8}\u{c}\n\r\tz")),
            (r#""\u0041\u00e9\ud83d\ude00""#, Some("Aé😀")),
            (r#""é""#, Some("é")),
            (r#""\u0000""#, None),
            (r#""\ud83d""#, None),
            (r#""\ud83d\u0041""#, None),
            (r#""\ude00""#, None),
            (r#""\u00g0""#, None),
            (r#""\x""#, None),
            (r#""a"#, None),
            (r#""a\""#, None),
            ("\"\n\"", None),
            ("a", None),
        ] {
            assert_eq!(string(text), want.map(|w| w.as_bytes().to_vec()), "{text}");
        }
    }

    #[test]
    fn numbers() {
        for (text, want) in [
            ("0", Some(0)),
            (" -12 ", Some(-12)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("1.0", None),
            ("1e1", None),
            ("true", None),
            ("\"1\"", None),
            ("", None),
        ] {
            let number = Reader::new(text.as_bytes()).unwrap().number();
            assert_eq!(number.ok(), want, "{text}");
        }
    }

    #[test]
    fn values_that_are_skipped() {
        for (text, whole) in [
            (r#"{"a":[1,{"b":null}],"c":"}"} "#, true),
            ("[]", true),
            ("{ }", true),
            ("[1,]", false),
            ("[1 2]", false),
            (r#"{"a" 1}"#, false),
            (r#"{"a":}"#, false),
            (r#"{a:1}"#, false),
            ("{", false),
            ("", false),
            (&"[".repeat(100_000), false),
            (&format!("{}{}", "[".repeat(16), "]".repeat(16)), true),
            (&format!("{}{}", "[".repeat(17), "]".repeat(17)), false),
        ] {
            let skipped = Reader::new(text.as_bytes()).unwrap().skip();
            assert_eq!(skipped.is_ok(), whole, "{:.40}", text);
        }
        assert!(Reader::new(b"\"\xff\"").is_err());
    }

    #[test]
    fn octets_are_numbers() {
        let mut out = Vec::new();
        write_octets(&[0, 7, 10, 99, 100, 255], &mut out).unwrap();
        assert_eq!(out, b"[0,7,10,99,100,255]");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in "[^\0]*") {
            let mut written = Vec::new();
            write_string(text.as_bytes(), &mut written).unwrap();
            prop_assert_eq!(string(core::str::from_utf8(&written).unwrap()), Some(text.into_bytes()));
        }

        #[test]
        fn anything_is_read(text in r#"([\[\]{}:,"\\0-9a-z.\- ]|"a":|null|\\u12){0,40}"#) {
            let _ = Reader::new(text.as_bytes()).unwrap().skip();
        }
    }
}
