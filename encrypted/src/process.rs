//! What outlives a call, and is this process's alone: trusted certificates, TLS sessions, trust anchors,
//! keys of zones.

#![allow(unsafe_code)]

use crate::anchors::{Anchors, INSTALLED};
use crate::call::{Asked, Scheme};
use crate::chain::Links;
use crate::failure::Failure;
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, Ordering};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

/// The trusted certificates as distributions install them: Debian, Arch and Alpine; Fedora; openSUSE;
/// older Fedora. The first that is there counts.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// A file, as it was when it was read.
#[derive(PartialEq)]
struct Source {
    path: Option<PathBuf>,
    changed: Option<SystemTime>,
}

impl Source {
    fn of(path: Option<&Path>) -> Source {
        let changed = path.and_then(|path| path.metadata().ok()?.modified().ok());
        Source { path: path.map(Path::to_owned), changed }
    }
}

/// Everything that is made of the settings' files, each part when it is first needed.
pub(crate) struct Context {
    authorities: Source,
    anchors: Source,
    tls: [OnceLock<Result<Arc<ClientConfig>, Failure>>; 2],
    trusted: OnceLock<Result<Anchors, Failure>>,
    /// Keys and delegations that validation has asked for.
    pub(crate) links: Links,
}

/// The context of one process; the newest, where its files have changed.
#[derive(Default)]
struct Kept(Mutex<Option<Arc<Context>>>);

impl Context {
    /// The context for a call: the one of the last call, unless a file has changed since.
    pub(crate) fn of(asked: &Asked<'_>) -> Arc<Context> {
        let authorities = Source::of(asked.authorities.or_else(|| first_of(&BUNDLES)));
        let anchors = Source::of(asked.anchors.or_else(|| first_of(&INSTALLED)));
        let mut kept = kept(asked.place()).0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(context) if context.authorities == authorities && context.anchors == anchors => {
                Arc::clone(context)
            }
            _ => {
                let context = Arc::new(Context {
                    authorities,
                    anchors,
                    tls: Default::default(),
                    trusted: OnceLock::new(),
                    links: Links::default(),
                });
                *kept = Some(Arc::clone(&context));
                context
            }
        }
    }

    /// What TLS needs. Sessions of the servers are kept in it, so that the next connection to one takes
    /// up the last one's keys and is spared the certificates (RFC 8446 section 2.2).
    pub(crate) fn tls(&self, scheme: Scheme) -> Result<Arc<ClientConfig>, Failure> {
        let [dns, http] = &self.tls;
        let (place, protocol) = match scheme {
            Scheme::Https => (http, Some(b"h2")),
            Scheme::Tls | Scheme::Tcp => (dns, None),
        };
        place.get_or_init(|| self.configure(protocol)).clone()
    }

    fn configure(&self, protocol: Option<&[u8; 2]>) -> Result<Arc<ClientConfig>, Failure> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::local(error.to_string()))?
            .with_root_certificates(roots(self.authorities.path.as_deref())?)
            .with_no_client_auth();
        config.alpn_protocols.extend(protocol.map(|name| name.to_vec()));
        Ok(Arc::new(config))
    }

    /// The trust anchors.
    pub(crate) fn trusted(&self) -> Result<&Anchors, Failure> {
        let read = || Anchors::read(self.anchors.path.as_deref());
        self.trusted.get_or_init(read).as_ref().map_err(Clone::clone)
    }
}

fn first_of(files: &'static [&'static str]) -> Option<&'static Path> {
    files.iter().map(Path::new).find(|path| path.exists())
}

/// The certificates in a file.
fn roots(file: Option<&Path>) -> Result<RootCertStore, Failure> {
    let Some(file) = file else {
        return Err(Failure::local("the system has no bundle of trusted certificates".into()));
    };
    let read = rustls_native_certs::load_certs_from_paths(Some(file), None);
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read.certs);
    if roots.is_empty() {
        let why = read.errors.first().map_or("no certificates in it".into(), ToString::to_string);
        return Err(Failure::local(format!("{}: {why}", file.display())));
    }
    Ok(roots)
}

/// What is kept at a place, made by the first call.
fn kept(place: &AtomicPtr<c_void>) -> &Kept {
    let mut found = place.load(Ordering::Acquire).cast::<Kept>();
    if found.is_null() {
        let made = Box::into_raw(Box::<Kept>::default());
        let null = core::ptr::null_mut();
        match place.compare_exchange(null, made.cast(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => found = made,
            Err(other) => {
                // SAFETY: nobody else has seen it.
                drop(unsafe { Box::from_raw(made) });
                found = other.cast();
            }
        }
    }
    // SAFETY: made above, by this object: the place is this object's, and begins as null in each
    // process. It is given back when no call uses the place any more.
    unsafe { &*found }
}

/// Frees what is kept at a place that no call uses any more.
pub(crate) fn forget(place: &AtomicPtr<c_void>) {
    let found = place.swap(core::ptr::null_mut(), Ordering::AcqRel).cast::<Kept>();
    if !found.is_null() {
        // SAFETY: made by `kept`, and by the caller's word nobody has it borrowed.
        drop(unsafe { Box::from_raw(found) });
    }
}
