//! Why there is no answer, sorted by what librustdns.so does about it.

use crate::contract::kind;
use hickory_resolver::net::NetError;
use std::io;

/// A question or a server that failed.
#[derive(Clone)]
pub(crate) struct Failure {
    /// One of [`kind`].
    pub(crate) kind: u32,
    /// As text, for the trace.
    pub(crate) reason: String,
    /// The server takes no further question while another one is open: it may be asked again.
    pub(crate) is_refused_stream: bool,
}

/// HTTP/2's code for that (RFC 9113 section 8.7).
const REFUSED_STREAM: u32 = 7;

impl Failure {
    fn new(kind: u32, reason: String) -> Failure {
        Failure { kind, reason, is_refused_stream: false }
    }

    pub(crate) fn local(reason: String) -> Failure {
        Failure::new(kind::LOCAL, format!("not asked: {reason}"))
    }

    pub(crate) fn broken(reason: &str) -> Failure {
        Failure::new(kind::BROKEN, reason.into())
    }

    pub(crate) fn silent() -> Failure {
        Failure::new(kind::SILENT, "no answer in time".into())
    }
}

impl From<&io::Error> for Failure {
    fn from(error: &io::Error) -> Failure {
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Failure::new(kind::BROKEN, format!("not trusted: {tls}"));
        }
        let kind = match error.kind() {
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable => kind::UNREACHABLE,
            io::ErrorKind::TimedOut => return Failure::silent(),
            _ if error.raw_os_error().is_some_and(is_shortage) => kind::LOCAL,
            _ => kind::BROKEN,
        };
        Failure::new(kind, error.to_string())
    }
}

/// EMFILE and ENFILE, the same numbers in all of Linux; and ENOMEM.
fn is_shortage(errno: i32) -> bool {
    let is_memory = io::Error::from_raw_os_error(errno).kind() == io::ErrorKind::OutOfMemory;
    [23, 24].contains(&errno) || is_memory
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Failure {
        match &error {
            NetError::Io(error) => Failure::from(&**error),
            NetError::Timeout => Failure::silent(),
            NetError::H2(error) if error.reason().map(u32::from) == Some(REFUSED_STREAM) => {
                Failure { is_refused_stream: true, ..Failure::broken("refused at this moment") }
            }
            other => Failure::broken(&other.to_string()),
        }
    }
}
