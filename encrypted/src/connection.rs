//! Connections: TCP, TLS over it, HTTPS over that. Each lives for one call.

use crate::call::{Asked, Scheme};
use crate::failure::Failure;
use crate::process::Context;
use crate::socket::Sockets;
use hickory_resolver::net::BufDnsStreamHandle;
use hickory_resolver::net::runtime::{RuntimeProvider, Spawn};
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::xfer::{DnsClientStream, DnsExchange, DnsMultiplexer};
use hickory_resolver::net::{h2::HttpsClientStream, tls::tls_client_connect};
use rustls::pki_types::ServerName;

/// A connection that takes questions.
pub(crate) type Connection = DnsExchange<Sockets>;

/// Connects to the server. What moves its octets runs as long as `provider` is there.
pub(crate) async fn connect(
    asked: &Asked<'_>,
    context: &Context,
    provider: &Sockets,
) -> Result<Connection, Failure> {
    match asked.scheme {
        Scheme::Tls => {
            let name = ServerName::try_from(asked.name.clone())
                .map_err(|error| Failure::local(format!("{}: {error}", asked.name)))?;
            let config = context.tls(Scheme::Tls)?;
            // hickory's own exchange leaves the server's name out of the handshake, by which servers
            // for several names choose their certificate.
            let (stream, sender) = tls_client_connect(asked.server, name, config, provider.clone());
            Ok(multiplex(stream.await?, sender, asked, provider))
        }
        Scheme::Https => {
            let config = context.tls(Scheme::Https)?;
            let mut builder = HttpsClientStream::builder(config, provider.clone());
            builder.request_timeout(asked.limit);
            let (name, path) = (asked.name.as_str().into(), asked.path.as_str().into());
            Ok(builder.exchange(asked.server, name, path).await?)
        }
        Scheme::Tcp => {
            let (stream, sender) =
                TcpClientStream::new(asked.server, None, Some(asked.limit), provider.clone());
            Ok(multiplex(stream.await?, sender, asked, provider))
        }
    }
}

/// Several questions at once on a stream, answered in any order (RFC 7766 section 6.2.1.1).
fn multiplex<S: DnsClientStream + 'static>(
    stream: S,
    sender: BufDnsStreamHandle,
    asked: &Asked<'_>,
    provider: &Sockets,
) -> Connection {
    let multiplexer = DnsMultiplexer::new(stream, sender).with_timeout(asked.limit);
    let (exchange, background) = DnsExchange::from_stream(multiplexer);
    provider.create_handle().spawn_bg(background);
    exchange
}
