//! What a call's lookups go by: its servers, its settings, what is known where it is.

use super::encrypted::Private;
use super::exchange::Terms;
use super::lookup::Lookup;
use crate::config::settings::{Cookies, Dnssec};
use crate::context::call::Session;
use crate::context::state::Upstream;
use core::time::Duration;

impl<'a> Lookup<'a> {
    /// A lookup by these servers.
    pub fn of(session: &'a Session, upstream: &'a Upstream) -> Lookup<'a> {
        let (settings, world) = (session.settings(), session.world());
        let options = &upstream.conf.options;
        Lookup {
            terms: Terms {
                servers: &upstream.servers,
                options,
                rotation: if options.rotate { world.rotation() } else { 0 },
                random_case: settings.random_case,
                cookies: match (settings.cookies, upstream.generation) {
                    // What a program has set in `_res` is sent as it says.
                    (Cookies::Auto, None) => Cookies::Off,
                    (wanted, _) => wanted,
                },
                hedge: settings.hedge,
                rounds: match upstream.generation {
                    Some(_) => u32::MAX,
                    None => options.attempts.max(1),
                },
                other_known: false,
                limit: Duration::MAX,
                waited: Duration::ZERO,
                private: Private::of(session),
                trace: session.trace(),
                counters: session.counters(),
                alive: None,
                used: Some(session.used()),
            },
            domains: &upstream.conf.search,
            generation: upstream.generation,
            cache: session.cache(),
            pending: &world.pending,
            max_ttl: settings.cache_max_ttl,
            negative_ttl: settings.cache_negative_ttl,
            serve_stale: settings.serve_stale,
        }
    }
}

impl<'a> Private<'a> {
    /// What it takes to ask by way of librustdns-encrypted.so; `None` where no setting needs it.
    fn of(session: &'a Session) -> Option<Private<'a>> {
        let settings = session.settings();
        let validate = settings.dnssec == Dnssec::Validate;
        (validate || !settings.upstream.encrypted.is_empty()).then(|| Private {
            place: &session.world().encrypted,
            servers: &settings.upstream,
            validate,
            authorities: settings.authorities.as_deref().unwrap_or_default(),
            anchors: settings.anchors.as_deref().unwrap_or_default(),
        })
    }
}
