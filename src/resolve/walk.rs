//! nsswitch.conf's way through its services: the one loop that every lookup of a host takes.

use crate::base::error::Failure;
use crate::config::nsswitch::{Action, Service, Status};
use crate::context::call::Session;
use core::fmt::Display;

/// Asks the services of nsswitch.conf's `hosts:` line in order, until one has the answer or an action
/// says stop. `about` names the matter in the trace.
///
/// `libc` is asked last, where the settings have `foreign libc`, nobody knew the name and a service
/// that is not ours stands on the line; and where torsocks is in the process, for the services that ask a
/// network.
///
/// # Errors
/// The last service's failure; one that is not available does not count. [`Failure::Memory`] ends the
/// walk, whatever nsswitch.conf says.
/// [`Failure::NoService`] where none was asked that is ours.
pub fn walk<T>(
    session: &Session,
    about: &dyn Display,
    ask: &mut dyn FnMut(&Service) -> Result<T, Failure>,
    libc: &mut dyn FnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let trace = session.trace();
    let database = session.hosts_database()?;
    session.read_ahead();
    let mut last = Failure::NoName;
    let (mut foreign, mut asked) = (false, false);
    for (number, step) in (1..).zip(&database.steps) {
        asked |= step.service.is_ours();
        let aside = session.stands_aside(&step.service);
        let outcome = if aside { Err(Failure::Unavailable) } else { ask(&step.service) };
        let status = match &outcome {
            Ok(_) => Status::Success,
            Err(failure) => failure.status(),
        };
        let action = step.action(status);
        trace.decision(format_args!("{about}: {} says {status}: {action}", step.service));
        #[cfg(feature = "command")]
        crate::observe::witness::service(&step.service, status, outcome.as_ref().err(), action);
        match (outcome, action) {
            (Ok(found), Action::Return) => return Ok(found),
            // A success that is not taken is forgotten: what follows decides.
            (Ok(_), Action::Continue) => last = Failure::NoName,
            // Hosts can't be merged: libc gives up before the service that follows. Where none does, the
            // answer is whole.
            (Ok(found), Action::Merge) if number == database.steps.len() => return Ok(found),
            (Ok(_), Action::Merge) => return Err(Failure::NoName),
            // Another service might know another answer.
            (Err(Failure::Memory), _) => return Err(Failure::Memory),
            (Err(Failure::Unavailable), action) => {
                foreign |= aside || matches!(step.service, Service::Other(_));
                if action == Action::Return {
                    break;
                }
            }
            (Err(failure), action) => {
                last = failure;
                if action == Action::Return {
                    break;
                }
            }
        }
    }
    if foreign && last == Failure::NoName && session.asks_libc() {
        let whom = match session.settings().stands_aside {
            true => "torsocks",
            false => "libc (foreign libc)",
        };
        trace.decision(format_args!("{about}: asking {whom}"));
        let outcome = libc();
        #[cfg(feature = "command")]
        crate::observe::witness::libc(outcome.as_ref().err());
        return outcome;
    }
    if !asked {
        return Err(Failure::NoService(crate::sys::errno::NO_ENTRY));
    }
    Err(last)
}
