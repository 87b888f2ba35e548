//! What is done when the library is loaded, long before the first lookup: a look at the settings.
//!
//! Where they ask for encrypted servers or signatures, it takes a second object and files (certificates,
//! trust anchors) that a daemon may not reach any more when it looks its first name up: it has changed its
//! root directory or its user by then. So they are opened here, on the thread that loads us. Where there
//! are no settings at all it is not even called (`abi::loaded`).

use crate::config::settings::{self, Settings};
use crate::sys::files::{self, Inode, Unreadable};
use crate::sys::mem::{NoMemory, TryPush};
use crate::sys::set_once::Chosen;
use crate::sys::{Fault, encrypted, interfaces, process};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// rustdns.conf(5).
pub const FILE: &core::ffi::CStr = c"/etc/rustdns.conf";

/// The settings file of the root directory that the process began in, as it was read last: for a child or a
/// process that can't read it any more.
static KEPT: Chosen<Kept> = Chosen::nothing();

struct Kept {
    /// `None`: there was none, or it could not be read.
    text: Option<Box<[u8]>>,
    root: Option<Inode>,
}

/// The process began without settings: none are kept.
static BEGAN_WITHOUT: AtomicBool = AtomicBool::new(false);

/// Called when the library is loaded where there are no settings.
#[cfg(not(target_family = "wasm"))]
pub fn begin_without_settings() {
    BEGAN_WITHOUT.store(true, Relaxed);
}

/// The text of rustdns.conf.
///
/// Where it can't be read any more, or the root directory is another one, which has none, it is what it was
/// where the process began: a program that locks itself in goes on asking the servers that its administrator
/// has chosen, and asks nobody in plain text who was to be asked in private.
pub fn settings_text() -> Result<Vec<u8>, Unreadable> {
    let read = files::read(FILE).map(|(text, _)| text);
    if BEGAN_WITHOUT.load(Relaxed) {
        return read;
    }
    let root = files::inode(c"/");
    let kept = KEPT.get();
    let is_first = kept.is_none_or(|kept| kept.root == root);
    let known = kept.and_then(|kept| kept.text.as_deref());
    match read {
        Ok(text) => {
            if is_first && known != Some(&*text) {
                KEPT.set(Kept { text: Some(crate::sys::mem::copy(&text)?), root })?;
            }
            Ok(text)
        }
        Err(Unreadable::NoMemory) => Err(Unreadable::NoMemory),
        Err(why) => {
            if kept.is_none() {
                KEPT.set_first(Kept { text: None, root })?;
            }
            let is_gone = is_first && matches!(why, Unreadable::Fault(Fault::Missing));
            match known.filter(|_| !is_gone) {
                Some(text) => Ok(crate::sys::mem::copy(text)?.into_vec()),
                None => Err(why),
            }
        }
    }
}

/// A setting's key, and its value in the environment.
pub type Variable = (&'static str, Box<[u8]>);

/// The settings that the environment has.
pub fn variables() -> Result<Vec<Variable>, NoMemory> {
    let mut variables = Vec::new();
    for (key, environment) in settings::VARIABLES {
        if let Some(value) = crate::sys::environment::variable(environment)? {
            variables.try_push((key, value))?;
        }
    }
    Ok(variables)
}

/// The settings, and why their file has no content.
pub fn settings(variables: &[Variable]) -> Result<(Settings, Option<Unreadable>), NoMemory> {
    let mut settings = Settings::default();
    let mut unreadable = None;
    match settings_text() {
        Ok(text) => settings = settings::parse(&text, &interfaces::index)?,
        Err(Unreadable::NoMemory) => return Err(NoMemory),
        // There need be none.
        Err(Unreadable::Fault(Fault::Missing)) => {}
        Err(why) => unreadable = Some(why),
    }
    for (key, value) in variables {
        settings.set(key.as_bytes(), value, 0, &interfaces::index)?;
    }
    Ok((settings, unreadable))
}

/// Opens what the settings will need, in a process that may lose sight of it; in others that is done where it
/// is needed.
pub fn open_what_is_needed(settings: &Settings) {
    if let Some(needs) = settings.needs()
        && process::may_give_up_rights()
    {
        encrypted::prepare(&needs);
    }
}

/// Called when the library is loaded.
#[cfg(not(target_family = "wasm"))]
pub fn begin() {
    encrypted::note_root();
    // The two variables that may ask for it, before all of them are looked for.
    let is_asked = |text: &[u8]| {
        [&b"://"[..], b"validate"].iter().any(|word| text.windows(word.len()).any(|at| at == *word))
    };
    let variable = |name| crate::sys::environment::variable(name).ok().flatten();
    let asks = |name| variable(name).is_some_and(|value| is_asked(&value));
    let in_file = settings_text().is_ok_and(|text| is_asked(&text));
    if !in_file && !asks(c"RUSTDNS_UPSTREAM") && !asks(c"RUSTDNS_DNSSEC") {
        return;
    }
    if let Ok((settings, _)) = variables().and_then(|variables| settings(&variables))
        && settings.needs().is_some()
    {
        // What fails is said by the lookup that needs it.
        let _ = encrypted::locate();
        open_what_is_needed(&settings);
    }
}
