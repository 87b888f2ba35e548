//! The configuration files that a call goes by.

use super::Session;
use crate::base::error::Failure;
use crate::base::text::Text;
use crate::config::gai::{self, Policy};
use crate::config::hosts::{self, Hosts};
use crate::config::note::Notes;
use crate::config::nsswitch::{self, Database};
use crate::config::services::{self, Services};
use crate::config::watch::Watched;
use crate::context::inherited::{GAI, Inherited, NSSWITCH, Source};
use crate::observe::trace::Line;
use crate::sys;
use crate::sys::files::Unreadable;
use crate::sys::mem::NoMemory;
use crate::sys::process;
use crate::sys::set_once::Chosen;
use crate::sys::shared::Shared;
use core::ffi::CStr;
use core::sync::atomic::Ordering::Relaxed;

/// What the program has put in place of nsswitch.conf's line.
static CHOSEN: Chosen<Shared<Database>> = Chosen::nothing();

fn accepted(database: Shared<Database>) -> Result<Shared<Database>, Failure> {
    if database.refused { Err(Failure::NoService(sys::errno::INVALID)) } else { Ok(database) }
}

impl Session {
    /// A followed file's content; `load` makes it.
    pub(super) fn file<T>(
        &self,
        watched: &Watched<T>,
        path: &CStr,
        load: impl FnOnce(Result<Vec<u8>, Unreadable>) -> Result<T, NoMemory>,
    ) -> Result<Shared<T>, NoMemory> {
        self.good_until.set(self.good_until.get().min(watched.fresh_until(self.now)));
        watched.get(path, (self.now, self.epoch), load)
    }

    /// /etc/hosts.
    pub fn hosts(&self) -> Result<Shared<Hosts>, NoMemory> {
        let path = &self.environment.paths.hosts;
        self.file(&self.world.files.hosts, path, |octets| {
            let hosts = hosts::index(self.content(path, octets).unwrap_or_default())?;
            if self.trace().is_on() {
                self.say(path, &hosts.notes()?);
            }
            Ok(hosts)
        })
    }

    /// Says that a line of the hosts file has the name that is looked up.
    #[inline(never)]
    pub fn say_line(&self, hosts: &Hosts, line: &hosts::Line<'_>) {
        let trace = self.trace();
        if trace.is_on() {
            let (ip, name) = (line.address.ip, Text(line.canonical));
            let file = self.environment.paths.hosts.to_bytes();
            let number = hosts.number(line);
            trace.remark(Line { file, number }, format_args!("{name}: {ip}"));
        }
    }

    /// nsswitch.conf's line for hosts, or the program's.
    ///
    /// # Errors
    /// [`Failure::NoService`] for a line that can't be read.
    pub fn hosts_database(&self) -> Result<Shared<Database>, Failure> {
        if let Some(database) = CHOSEN.get() {
            return accepted(database.clone());
        }
        let path = &self.environment.paths.nsswitch;
        let database = self.file(&self.world.files.nsswitch, path, |octets| {
            let database =
                nsswitch::parse(self.kept(&NSSWITCH, path, octets)?.as_deref(), b"hosts")?;
            self.say(path, &database.notes);
            let line = Line { file: path.to_bytes(), number: database.line };
            self.trace().remark(line, format_args!("{} services", database.steps.len()));
            Ok(database)
        })?;
        accepted(database)
    }

    /// Puts the program's own line in place of nsswitch.conf's, for good.
    pub fn choose_hosts_database(line: &[u8]) -> Result<(), NoMemory> {
        let database = nsswitch::read_services(line, 0)?;
        CHOSEN.set(Shared::new(database)?)
    }

    /// gai.conf.
    pub fn policy(&self) -> Result<Shared<Policy>, NoMemory> {
        let path = &self.environment.paths.gai;
        self.file(&self.world.files.gai, path, |octets| {
            let policy = gai::parse(self.kept(&GAI, path, octets)?.as_deref())?;
            self.say(path, &policy.notes);
            Ok(policy)
        })
    }

    /// /etc/services.
    pub fn services(&self) -> Result<Shared<Services>, NoMemory> {
        let path = &self.environment.paths.services;
        self.file(&self.world.files.services, path, |octets| {
            let services = services::index(self.content(path, octets).unwrap_or_default())?;
            self.say(path, services.notes());
            Ok(services)
        })
    }

    /// The port of a service's name under a protocol's.
    pub fn port(&self, name: &[u8], protocol: &[u8]) -> Result<Option<u16>, NoMemory> {
        Ok(self.services()?.port(name, Some(protocol)).map(|(port, _)| port))
    }

    /// The content of a file that a process goes by which may not read it any more; where there is none, says why.
    #[inline(never)]
    pub(super) fn kept(
        &self,
        file: &Inherited,
        path: &CStr,
        octets: Result<Vec<u8>, Unreadable>,
    ) -> Result<Option<Vec<u8>>, NoMemory> {
        match file.or_before(path, octets) {
            Ok((text, Source::File)) => Ok(Some(text)),
            Ok((text, Source::Before)) => {
                let path = Text(path.to_bytes());
                self.trace()
                    .decision(format_args!("{path}: may not be read, and counts as it was before"));
                Ok(Some(text))
            }
            Err(Unreadable::NoMemory) => Err(NoMemory),
            Err(why) => Ok(self.content(path, Err(why))),
        }
    }

    /// Reads what a child may have to go by that may not read it, at the first lookup of a process that can give up its
    /// rights.
    pub fn read_ahead(&self) {
        if self.state.has_read_ahead.load(Relaxed) || self.state.has_read_ahead.swap(true, Relaxed)
        {
            return;
        }
        if process::may_give_up_rights() {
            // What fails is said by the lookup that needs it.
            let _ = self.followed_upstream();
            let _ = self.policy();
        }
    }

    /// A file's content; where there is none, says why.
    #[inline(never)]
    fn content(&self, path: &CStr, octets: Result<Vec<u8>, Unreadable>) -> Option<Vec<u8>> {
        match octets {
            Ok(octets) => Some(octets),
            Err(why) => {
                let path = Text(path.to_bytes());
                self.trace().decision(format_args!("{path}: no content ({why}), defaults apply"));
                None
            }
        }
    }

    /// Says what was ignored in a file, by line.
    pub(super) fn say(&self, path: &CStr, notes: &Notes) {
        self.trace().notes(path.to_bytes(), notes);
    }
}
