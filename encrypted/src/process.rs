//! What outlives a call, and is this process's alone: trusted certificates, TLS sessions, trust anchors,
//! keys of zones. What was read of files before it was needed ([`prepare`]) its children have too.

#![allow(unsafe_code)]

use crate::anchors::{Anchors, INSTALLED};
use crate::call::{Asked, Scheme};
use crate::chain::Links;
use crate::contract::{Files, Octets};
use crate::failure::Failure;
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, Ordering};
use rustls::{ClientConfig, RootCertStore};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
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
#[derive(Clone, PartialEq)]
struct Source {
    /// As the settings name it; `None`: the first of the usual ones.
    asked: Option<PathBuf>,
    path: Option<PathBuf>,
    changed: Option<SystemTime>,
}

impl Source {
    /// The file that `asked` or else `usual` stands for now. Where it can't be seen any more, because the
    /// process has given up its rights or its root directory (`is_moved`), it is what it was `before`.
    fn of(
        asked: Option<&Path>,
        usual: &'static [&'static str],
        before: Option<&Source>,
        is_moved: bool,
    ) -> Source {
        let before = before.filter(|before| before.asked.as_deref() == asked);
        if let Some(before) = before.filter(|_| is_moved) {
            return before.clone();
        }
        let path = asked.or_else(|| first_of(usual));
        let seen = path.map(|path| path.metadata().and_then(|metadata| metadata.modified()));
        match (seen, before) {
            (Some(Err(error)), Some(before)) if error.kind() == ErrorKind::PermissionDenied => {
                before.clone()
            }
            (None, Some(before)) => before.clone(),
            (seen, _) => Source {
                asked: asked.map(Path::to_owned),
                path: path.map(Path::to_owned),
                changed: seen.and_then(Result::ok),
            },
        }
    }
}

/// The files, and the root directory in which they were looked at.
#[derive(Clone)]
struct Sources {
    authorities: Source,
    anchors: Source,
    root: Option<(u64, u64)>,
}

impl Sources {
    fn of(authorities: Option<&Path>, anchors: Option<&Path>, before: Option<&Sources>) -> Sources {
        let root = Path::new("/").metadata().ok().map(|root| (root.dev(), root.ino()));
        let is_moved = before.is_some_and(|before| before.root != root);
        let (certificates, keys) =
            (before.map(|before| &before.authorities), before.map(|before| &before.anchors));
        Sources {
            authorities: Source::of(authorities, &BUNDLES, certificates, is_moved),
            anchors: Source::of(anchors, &INSTALLED, keys, is_moved),
            // What was read elsewhere belongs there.
            root: before.filter(|_| is_moved).map_or(root, |before| before.root),
        }
    }

    fn are(&self, others: &Sources) -> bool {
        self.authorities == others.authorities && self.anchors == others.anchors
    }
}

/// What was read before it was needed. Never changed and never freed: a child may be reading it.
struct Prepared {
    sources: Sources,
    roots: Option<Arc<RootCertStore>>,
    trusted: Option<Arc<Anchors>>,
}

static PREPARED: AtomicPtr<Prepared> = AtomicPtr::new(core::ptr::null_mut());

fn prepared() -> Option<&'static Prepared> {
    // SAFETY: null, or stored by `prepare`: whole, and never freed.
    unsafe { PREPARED.load(Ordering::Acquire).as_ref() }
}

/// Reads the files of the settings, unless that was done before.
///
/// # Safety
/// What the files point to is there until this returns.
pub(crate) unsafe fn prepare(files: &Files) {
    // SAFETY: by the function's contract.
    let (authorities, anchors) = unsafe { (path(files.authorities), path(files.anchors)) };
    let before = prepared();
    let is_done = before.is_some_and(|before| {
        let Sources { authorities: certificates, anchors: keys, .. } = &before.sources;
        certificates.asked.as_deref() == authorities
            && keys.asked.as_deref() == anchors
            && (before.roots.is_some() || !files.private)
            && (before.trusted.is_some() || !files.validate)
    });
    if is_done {
        return;
    }
    let sources = Sources::of(authorities, anchors, before.map(|before| &before.sources));
    let roots = files.private.then(|| roots(sources.authorities.path.as_deref()).ok()).flatten();
    let trusted =
        files.validate.then(|| Anchors::read(sources.anchors.path.as_deref()).ok()).flatten();
    if roots.is_some() || trusted.is_some() {
        let made = Prepared { sources, roots: roots.map(Arc::new), trusted: trusted.map(Arc::new) };
        PREPARED.store(Box::into_raw(Box::new(made)), Ordering::Release);
    }
}

/// The path in octets of the settings; `None` where there are none.
///
/// # Safety
/// What the octets point to is there for `'a`.
pub(crate) unsafe fn path<'a>(octets: Octets) -> Option<&'a Path> {
    // SAFETY: by the function's contract.
    match unsafe { octets.get::<'a>() } {
        [] => None,
        path => Some(Path::new(OsStr::from_bytes(path))),
    }
}

/// Everything that is made of the settings' files, each part when it is first needed.
pub(crate) struct Context {
    sources: Sources,
    tls: [OnceLock<Result<Arc<ClientConfig>, Failure>>; 2],
    trusted: OnceLock<Result<Arc<Anchors>, Failure>>,
    /// Keys and delegations that validation has asked for.
    pub(crate) links: Links,
}

/// The context of one process; the newest, where its files have changed.
#[derive(Default)]
struct Kept(Mutex<Option<Arc<Context>>>);

impl Context {
    /// The context for a call: the one of the last call, unless a file has changed since.
    pub(crate) fn of(asked: &Asked<'_>) -> Arc<Context> {
        let mut kept = kept(asked.place()).0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match &*kept {
            Some(context) => Some(&context.sources),
            None => prepared().map(|prepared| &prepared.sources),
        };
        let sources = Sources::of(asked.authorities, asked.anchors, before);
        match &*kept {
            Some(context) if context.sources.are(&sources) => Arc::clone(context),
            _ => {
                let context = Arc::new(Context {
                    sources,
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
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        config.alpn_protocols.extend(protocol.map(|name| name.to_vec()));
        Ok(Arc::new(config))
    }

    /// The certificates that are trusted.
    fn roots(&self) -> Result<Arc<RootCertStore>, Failure> {
        let file = &self.sources.authorities;
        let prepared = prepared().filter(|prepared| prepared.sources.authorities == *file);
        match prepared.and_then(|prepared| prepared.roots.as_ref()) {
            Some(roots) => Ok(Arc::clone(roots)),
            None => roots(file.path.as_deref()).map(Arc::new),
        }
    }

    /// The trust anchors.
    pub(crate) fn trusted(&self) -> Result<&Anchors, Failure> {
        let file = &self.sources.anchors;
        let read = || {
            let prepared = prepared().filter(|prepared| prepared.sources.anchors == *file);
            match prepared.and_then(|prepared| prepared.trusted.as_ref()) {
                Some(trusted) => Ok(Arc::clone(trusted)),
                None => Anchors::read(file.path.as_deref()).map(Arc::new),
            }
        };
        match self.trusted.get_or_init(read) {
            Ok(trusted) => Ok(trusted),
            Err(failure) => Err(failure.clone()),
        }
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
