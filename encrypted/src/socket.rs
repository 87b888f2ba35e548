//! Sockets of tokio, which acknowledge what they receive at once: a server that waits for that before
//! it sends its next answer (Nagle's algorithm) would cost each lookup 40 milliseconds.

use core::net::SocketAddr;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use futures_util::io::{AsyncRead, AsyncWrite};
use hickory_resolver::net::runtime::iocompat::AsyncIoTokioAsStd;
use hickory_resolver::net::runtime::{
    DnsTcpStream, RuntimeProvider, TokioHandle, TokioRuntimeProvider, TokioTime,
};
use std::io;
use tokio::net::{TcpStream, UdpSocket};

/// Makes them. What it has started runs as long as one of its clones is there.
#[derive(Clone, Default)]
pub(crate) struct Sockets(TokioRuntimeProvider);

type Connecting<T> = Pin<Box<dyn Send + Future<Output = Result<T, io::Error>>>>;

impl RuntimeProvider for Sockets {
    type Handle = TokioHandle;
    type Timer = TokioTime;
    type Udp = UdpSocket;
    type Tcp = Prompt;

    fn create_handle(&self) -> TokioHandle {
        self.0.create_handle()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        own: Option<SocketAddr>,
        limit: Option<Duration>,
    ) -> Connecting<Prompt> {
        let connecting = self.0.connect_tcp(server, own, limit);
        Box::pin(async { Ok(Prompt(connecting.await?)) })
    }

    fn bind_udp(&self, own: SocketAddr, server: SocketAddr) -> Connecting<UdpSocket> {
        self.0.bind_udp(own, server)
    }
}

/// A TCP connection that acknowledges at once.
pub(crate) struct Prompt(AsyncIoTokioAsStd<TcpStream>);

impl DnsTcpStream for Prompt {
    type Time = TokioTime;
}

impl AsyncRead for Prompt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.0).poll_read(cx, room);
        if read.is_pending() {
            // Advice that the kernel forgets after some time. Without it all is slower, no more.
            let _ = self.0.0.set_quickack(true);
        }
        read
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}
