//! No librustdns-encrypted.so: portable C is one library, without TLS and without cryptography.

use crate::sys::mem::{NoMemory, append};
use crate::sys::shared::Shared;

#[path = "../encrypted/asked.rs"]
mod asked;
#[path = "../encrypted/contract.rs"]
pub mod contract;

pub use self::asked::{Asked, Told};
use self::contract::{MAX_QUESTIONS, kind};

/// What the object would keep for a process.
#[derive(Default)]
pub struct Place(());

/// What settings would need of the object.
pub struct Needs<'a> {
    /// Certificates.
    pub authorities: Option<&'a [u8]>,
    /// Trust anchors.
    pub anchors: Option<&'a [u8]>,
}

/// There is nothing to load.
pub fn prepare(_: &Needs<'_>) {}

/// Asks nobody: what is to be private or checked is not asked otherwise.
pub fn ask(
    _: &Shared<Place>,
    asked: &Asked<'_>,
    _: &dyn Fn(),
) -> Result<[Told; MAX_QUESTIONS], NoMemory> {
    let what: &[u8] = match asked.server {
        [] => b"dnssec validate",
        server => server,
    };
    let mut told = [const { Told { kind: kind::LOCAL, message: Vec::new(), text: Vec::new() } };
        MAX_QUESTIONS];
    for told in &mut told {
        append(&mut told.text, what)?;
        append(&mut told.text, b": not in portable C, nobody is asked")?;
    }
    Ok(told)
}
