//! One call: a runtime, a connection, the questions on it, and then nothing is left of any of them.

use crate::call::{Asked, Scheme};
use crate::chain::Chain;
use crate::connection::connect;
use crate::contract::kind;
use crate::failure::Failure;
use crate::process::Context;
use crate::security::{self, Judged, Worth};
use crate::socket::Sockets;
use core::time::Duration;
use futures_util::future::{Either, join_all, select};
use futures_util::pin_mut;
use hickory_resolver::net::dnssec::DnssecDnsHandle;
use hickory_resolver::net::xfer::FirstAnswer;
use hickory_resolver::net::{DnsError, DnsHandle, NetError};
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
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

/// Gives signs of life until nobody waits any more.
async fn beat(asked: &Asked<'_>) {
    while asked.beat() {
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
    let request = as_sent(asked, &query);
    // What no anchor says anything about is nobody's to check (RFC 4035 section 4.3, indeterminate).
    let Some(trusted) = anchors else { return unchecked(&query, request, chain).await };
    let anchors = chain.context.trusted()?;
    let leads = |asked: &Query| {
        asked.query_class() == DNSClass::IN && anchors.above(asked.name()).is_some()
    };
    if query.op_code != OpCode::Query || !query.queries.first().is_some_and(leads) {
        return unchecked(&query, request, chain).await;
    }
    let validator = DnssecDnsHandle::with_trust_anchor(chain.clone(), trusted);
    let (response, denial) = validated(&validator, request).await?;
    let mut worth = security::worth(&query, &response, denial, anchors);
    if let Worth::Open(end, is_secure) = &worth
        && anchors.above(end).is_some()
    {
        let mut further = query.clone();
        further.queries.iter_mut().for_each(|query| query.name = end.clone());
        let (answer, denial) = validated(&validator, as_sent(asked, &further)).await?;
        let has_same_code = answer.response_code == response.response_code;
        worth = match security::worth(&further, &answer, denial, anchors) {
            Worth::Secure | Worth::Insecure
                if !has_same_code || security::end(&further, &answer) != Some(end) =>
            {
                Worth::Bogus(format!("{end}: the answer leaves out what it leads to"))
            }
            Worth::Secure if !is_secure => Worth::Insecure,
            other => other,
        };
    } else if let Worth::Open(..) = &worth {
        worth = Worth::Insecure;
    }
    let judged = security::judged(&query, response, worth)?;
    if judged.kind == kind::BOGUS {
        chain.context.links.forget();
    }
    Ok(judged)
}

/// The answer as it comes.
async fn unchecked(query: &Message, request: DnsRequest, chain: &Chain) -> Result<Judged, Failure> {
    let response = chain.connection.send(request).first_answer().await?;
    security::unjudged(query, response)
}

/// A response whose records have their proofs, and what the one of a denial was, where that failed.
async fn validated(
    validator: &DnssecDnsHandle<Chain>,
    request: DnsRequest,
) -> Result<(DnsResponse, Option<Proof>), Failure> {
    match validator.send(request).first_answer().await {
        Ok(response) => Ok((response, None)),
        Err(NetError::Dns(DnsError::Nsec { response, proof, .. })) => Ok((*response, Some(proof))),
        Err(error) => Err(error.into()),
    }
}

/// The query as it is sent.
fn as_sent(asked: &Asked<'_>, query: &Message) -> DnsRequest {
    let mut request = query.clone();
    if asked.scheme != Scheme::Tcp {
        pad(&mut request);
    }
    DnsRequest::new(request, DnsRequestOptions::default())
}

/// Pads a query that has EDNS: others are sent as a program has written them.
fn pad(request: &mut Message) {
    let length = request.to_vec().map_or(0, |octets| octets.len()) + OPTION_HEADER;
    let padding = vec![0; length.next_multiple_of(BLOCK) - length];
    if let Some(edns) = &mut request.edns {
        edns.options_mut().insert(EdnsOption::Unknown(PADDING, padding));
    }
}
