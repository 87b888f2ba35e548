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
}

impl Failure {
    pub(crate) fn local(reason: String) -> Failure {
        Failure { kind: kind::LOCAL, reason: format!("not asked: {reason}") }
    }

    pub(crate) fn broken(reason: &str) -> Failure {
        Failure { kind: kind::BROKEN, reason: reason.into() }
    }

    pub(crate) fn silent() -> Failure {
        Failure { kind: kind::SILENT, reason: "no answer in time".into() }
    }
}

impl From<&io::Error> for Failure {
    fn from(error: &io::Error) -> Failure {
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Failure { kind: kind::BROKEN, reason: format!("not trusted: {tls}") };
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
        Failure { kind, reason: error.to_string() }
    }
}

/// EMFILE, ENFILE, ENOBUFS, ENOMEM: the same numbers on all of Linux but where noted.
fn is_shortage(errno: i32) -> bool {
    [io::Error::from_raw_os_error(24), io::Error::from_raw_os_error(23)]
        .iter()
        .any(|error| error.raw_os_error() == Some(errno))
        || io::Error::from_raw_os_error(errno).kind() == io::ErrorKind::OutOfMemory
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Failure {
        match &error {
            NetError::Io(error) => Failure::from(&**error),
            NetError::Timeout => Failure::silent(),
            other => Failure::broken(&other.to_string()),
        }
    }
}
