//! Names in the locale's encoding and their IDNA forms: AI_IDN, AI_CANONIDN and NI_IDN.

use crate::base::error::Error;
use crate::base::text::{NameText, append_text};
use crate::rules::idn;
use crate::sys::charset::convert;
use crate::sys::conversion::{ConvertError, Direction};

/// The IDNA form of a node that has characters beyond ASCII; `None` where it has none.
pub fn to_ascii(node: &[u8]) -> Result<Option<NameText>, Error> {
    if node.is_ascii() {
        return Ok(None);
    }
    let utf8 = convert(node, Direction::ToUtf8).map_err(error)?;
    name_text(&idn::to_ascii(utf8.as_deref().unwrap_or(node))?).map(Some)
}

/// A name with its A-labels as characters of the locale's encoding; as it is where that can't show them.
pub fn to_locale(name: NameText) -> Result<NameText, Error> {
    let unicode = idn::to_unicode(&name)?;
    match convert(&unicode, Direction::FromUtf8) {
        Ok(None) => name_text(&unicode),
        Ok(Some(text)) => name_text(&text),
        Err(ConvertError::Unconvertible) => Ok(name),
        Err(ConvertError::NoMemory(no_memory)) => Err(no_memory.into()),
    }
}

fn name_text(text: &[u8]) -> Result<NameText, Error> {
    let mut out = NameText::new();
    append_text(&mut out, text)?;
    Ok(out)
}

fn error(error: ConvertError) -> Error {
    match error {
        ConvertError::Unconvertible => Error::IdnEncode,
        ConvertError::NoMemory(no_memory) => no_memory.into(),
    }
}
