//! No librustdns-encrypted.so: portable C is one library, without TLS and without cryptography.

use crate::mem::{NoMemory, append};
use core::net::SocketAddr;
use core::time::Duration;

#[path = "../encrypted/contract.rs"]
pub mod contract;

use self::contract::{MAX_QUESTIONS, kind};

/// What the object would keep for a process.
#[derive(Default)]
pub struct Place(());

/// What is asked of a server: see the module of this name of a system that has the object.
#[expect(missing_docs, reason = "documented there")]
pub struct Asked<'a> {
    pub address: SocketAddr,
    pub server: &'a [u8],
    pub authorities: &'a [u8],
    pub anchors: &'a [u8],
    pub validate: bool,
    pub limit: Duration,
    pub questions: [&'a [u8]; MAX_QUESTIONS],
}

/// What has become of a question: see there.
#[expect(missing_docs, reason = "documented there")]
pub struct Told {
    pub kind: u32,
    pub message: Vec<u8>,
    pub text: Vec<u8>,
}

/// Asks nobody: what is to be private or checked is not asked otherwise.
pub fn ask(
    _: &Place,
    asked: &Asked<'_>,
    _: &(dyn Fn() + Sync),
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
