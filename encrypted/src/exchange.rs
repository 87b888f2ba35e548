//! One call: a runtime, a connection, the questions on it, and then nothing is left of any of them.

use crate::call::{Asked, Scheme};
use crate::chain::Chain;
use crate::connection::{Connection, connect};
use crate::contract::kind;
use crate::failure::Failure;
use crate::process::Context;
use crate::security::{self, Judged};
use crate::socket::Sockets;
use core::time::Duration;
use futures_util::future::{Either, join_all, select};
use futures_util::pin_mut;
use hickory_resolver::net::dnssec::DnssecDnsHandle;
use hickory_resolver::net::xfer::FirstAnswer;
use hickory_resolver::net::{DnsError, DnsHandle, NetError};
use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::proto::op::{
    DnsRequest, DnsRequestOptions, DnsResponse, Message, OpCode, Query,
};
use hickory_resolver::proto::rr::DNSClass;
use hickory_resolver::proto::rr::rdata::opt::EdnsOption;
use std::sync::Arc;
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

/// How often a sign of life is given.
const BEAT: Duration = Duration::from_millis(200);
/// Queries are padded to a multiple of this (RFC 8467 section 4.1).
const BLOCK: usize = 128;
/// The option that pads (RFC 7830).
const PADDING: u16 = 12;
/// What the option takes beside the padding.
const OPTION_HEADER: usize = 4;

/// Asks, and tells what has become of each question.
pub(crate) fn run(asked: &Asked<'_>) {
    let runtime = match Builder::new_current_thread().enable_io().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => return asked.fail_rest(&Failure::from(&error)),
    };
    let late = runtime.block_on(async {
        let (work, life) = (timeout(asked.limit, ask(asked)), beat(asked));
        pin_mut!(work, life);
        match select(work, life).await {
            Either::Left((outcome, _)) => outcome.is_err(),
            Either::Right(((), _)) => true,
        }
    });
    if late {
        asked.fail_rest(&Failure::silent());
    }
}

/// Gives signs of life for ever.
async fn beat(asked: &Asked<'_>) {
    loop {
        asked.beat();
        sleep(BEAT).await;
    }
}

async fn ask(asked: &Asked<'_>) {
    let (context, provider) = (Context::of(asked), Sockets::default());
    let prepared = async {
        let connection = connect(asked, &context, &provider).await?;
        let chain = Chain { connection, context: Arc::clone(&context) };
        let anchors = match asked.validate {
            true => Some(context.trusted()?.resolve(&chain).await?),
            false => None,
        };
        Ok::<_, Failure>((chain, anchors))
    };
    let (chain, anchors) = match prepared.await {
        Ok(prepared) => prepared,
        Err(failure) => return asked.fail_rest(&failure),
    };
    let ask = async |(index, octets)| match question(asked, octets, &chain, anchors.clone()).await {
        Ok(Judged { kind, message, text }) => {
            asked.tell(index, kind, &message, &text);
            None
        }
        Err(failure) if failure.is_refused_stream => Some((index, octets)),
        Err(failure) => {
            asked.fail(index, &failure);
            None
        }
    };
    // Those that the server takes no two of at once follow one by one.
    for refused in join_all(asked.questions().map(ask)).await.into_iter().flatten() {
        if let Some((index, _)) = ask(refused).await {
            asked.fail(index, &Failure::broken("refused"));
        }
    }
}

async fn question(
    asked: &Asked<'_>,
    octets: &[u8],
    chain: &Chain,
    anchors: Option<Arc<TrustAnchors>>,
) -> Result<Judged, Failure> {
    let query = Message::from_vec(octets)
        .map_err(|error| Failure::local(format!("the query can't be read: {error}")))?;
    let mut request = query.clone();
    if asked.scheme != Scheme::Tcp {
        pad(&mut request);
    }
    let request = DnsRequest::new(request, DnsRequestOptions::default());
    // What no anchor says anything about is nobody's to check (RFC 4035 section 4.3, indeterminate).
    let leads = |asked: &Query| {
        asked.query_class() == DNSClass::IN
            && chain.context.trusted().is_ok_and(|anchors| anchors.lead_to(asked.name()))
    };
    let is_checked = query.op_code == OpCode::Query && query.queries.first().is_some_and(leads);
    match anchors.filter(|_| is_checked) {
        None => {
            let response = send(&chain.connection, request).await?;
            security::unjudged(&query, response)
        }
        Some(anchors) => {
            let validator = DnssecDnsHandle::with_trust_anchor(chain.clone(), anchors);
            let (response, denial) = match validator.send(request).first_answer().await {
                Ok(response) => (response, None),
                Err(NetError::Dns(DnsError::Nsec { response, proof, .. })) => {
                    (*response, Some(proof))
                }
                Err(error) => return Err(error.into()),
            };
            let judged = security::judge(&query, response, denial)?;
            if judged.kind == kind::BOGUS {
                chain.context.links.forget();
            }
            Ok(judged)
        }
    }
}

async fn send(connection: &Connection, request: DnsRequest) -> Result<DnsResponse, NetError> {
    connection.send(request).first_answer().await
}

/// Pads a query that has EDNS: others are sent as a program has written them.
fn pad(request: &mut Message) {
    let length = request.to_vec().map_or(0, |octets| octets.len()) + OPTION_HEADER;
    let padding = vec![0; length.next_multiple_of(BLOCK) - length];
    if let Some(edns) = &mut request.edns {
        edns.options_mut().insert(EdnsOption::Unknown(PADDING, padding));
    }
}
