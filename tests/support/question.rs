//! What a client has asked a scripted server.

use std::net::SocketAddr;
use std::time::Instant;

use super::dns::Transport;
use super::wire::Query;

/// One question that a client asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Lower-cased, no final dot (the root is `.`), escaped as in master files.
    pub name: String,
    /// The same as it was sent.
    pub name_as_sent: String,
    pub qtype: u16,
    pub qclass: u16,
    pub transport: Transport,
    /// Who asked.
    pub source: SocketAddr,
    /// Where it was asked.
    pub server: SocketAddr,
    pub id: u16,
    /// Recursion desired, authentic data, checking disabled (RFC 4035 section 3.2).
    pub rd: bool,
    pub ad: bool,
    pub cd: bool,
    /// The payload size offered, if the query had an OPT record.
    pub edns: Option<u16>,
    /// DNSSEC OK (RFC 3225).
    pub dnssec_ok: bool,
    /// The data of the cookie option (RFC 7873).
    pub cookie: Option<Vec<u8>>,
    /// The whole message.
    pub raw: Vec<u8>,
    /// The question section as sent.
    pub question: Vec<u8>,
    pub arrived: Instant,
    /// Which question of this connection it is, from 0; always 0 over UDP.
    pub position: usize,
}

impl Question {
    /// The question in a datagram from `source`, for servers that a test writes itself.
    pub fn read(raw: &[u8], source: SocketAddr) -> Option<Question> {
        Question::parse(raw, source, source, Transport::Udp, 0)
    }

    pub(super) fn parse(
        raw: &[u8],
        source: SocketAddr,
        server: SocketAddr,
        transport: Transport,
        position: usize,
    ) -> Option<Question> {
        let query = Query::parse(raw)?;
        Some(Question {
            name: query.name.to_ascii_lowercase(),
            name_as_sent: query.name,
            qtype: query.qtype,
            qclass: query.qclass,
            transport,
            source,
            server,
            id: query.id,
            rd: query.flags & 0x0100 != 0,
            ad: query.flags & 0x0020 != 0,
            cd: query.flags & 0x0010 != 0,
            edns: query.edns.map(|(payload, _)| payload),
            dnssec_ok: query.edns.is_some_and(|(_, flags)| flags & 0x8000 != 0),
            cookie: query.cookie,
            raw: raw.to_vec(),
            question: query.question,
            arrived: Instant::now(),
            position,
        })
    }
}
