//! The links of DNSSEC's chain, keys and delegations, as a validator asks for them: each from the
//! server once, then from memory until its TTL ends. Most lookups share all but the last of them.

use crate::connection::Connection;
use crate::process::Context;
use crate::socket::Sockets;
use core::pin::Pin;
use core::time::Duration;
use futures_util::future::ready;
use futures_util::stream::{Stream, StreamExt, once};
use hickory_resolver::net::{DnsHandle, NetError};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse, Query, ResponseCode};
use hickory_resolver::proto::rr::RecordType;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// More links than this are not kept: the zones of a busy process, and then some.
const MAX_LINKS: usize = 512;
/// None is kept longer.
const MAX_TTL: Duration = Duration::from_secs(3600);

/// Links that are still true.
#[derive(Default)]
pub(crate) struct Links(Mutex<HashMap<Query, (Instant, DnsResponse)>>);

impl Links {
    fn get(&self, query: &Query) -> Option<DnsResponse> {
        let links = self.0.lock().ok()?;
        let (until, response) = links.get(query)?;
        (*until > Instant::now()).then(|| response.clone())
    }

    fn put(&self, query: Query, response: &DnsResponse) {
        let records = response.answers.iter().chain(&response.authorities);
        let Some(ttl) = records.map(|record| record.ttl).min() else { return };
        let now = Instant::now();
        let until = now + Duration::from_secs(ttl.into()).min(MAX_TTL);
        let Ok(mut links) = self.0.lock() else { return };
        if links.len() >= MAX_LINKS {
            links.retain(|_, (until, _)| *until > now);
        }
        if links.len() < MAX_LINKS {
            links.insert(query, (until, response.clone()));
        }
    }

    /// Forgets what a validation went by that has failed: it may have been bad itself.
    pub(crate) fn forget(&self) {
        if let Ok(mut links) = self.0.lock() {
            links.clear();
        }
    }
}

/// A connection, and the links that are known without it.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) connection: Connection,
    pub(crate) context: Arc<Context>,
}

impl DnsHandle for Chain {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = Sockets;

    fn send(&self, request: DnsRequest) -> Self::Response {
        let is_link =
            |query: &&Query| matches!(query.query_type, RecordType::DNSKEY | RecordType::DS);
        let Some(query) = request.queries.first().filter(is_link).cloned() else {
            return Box::pin(self.connection.send(request));
        };
        if let Some(known) = self.context.links.get(&query) {
            return Box::pin(once(ready(Ok(known))));
        }
        let context = Arc::clone(&self.context);
        Box::pin(self.connection.send(request).map(move |response| {
            if let Ok(response) = &response
                && matches!(response.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
            {
                context.links.put(query.clone(), response);
            }
            response
        }))
    }
}
