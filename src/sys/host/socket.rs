//! Sockets that live for one call: non-blocking, close-on-exec, closed when dropped.

use crate::sys::Fault;
use crate::sys::host::{calls, fault};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An open socket.
#[derive(Debug)]
pub struct Socket(i32);

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours alone.
        unsafe { calls::close(self.0) };
    }
}

/// What one datagram or one read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Octets now in the buffer.
    pub len: usize,
    /// The datagram was longer than the buffer, and its end is lost.
    pub cut: bool,
}

/// The bit that says so.
const CUT: usize = 1 << 30;

impl Socket {
    /// A UDP socket connected to `peer`: the kernel picks the source port, and drops what comes
    /// from elsewhere.
    pub fn udp(peer: &SocketAddr) -> Result<Socket, Fault> {
        let socket = Socket::open(peer.is_ipv6(), false)?;
        socket.connect(peer)?;
        Ok(socket)
    }

    /// A UDP socket of IPv4 or IPv6 that has no peer yet.
    pub fn unconnected(v6: bool) -> Result<Socket, Fault> {
        Socket::open(v6, false)
    }

    /// A TCP socket on its way to `peer`: writable once the connection stands.
    pub fn tcp(peer: &SocketAddr) -> Result<Socket, Fault> {
        let socket = Socket::open(peer.is_ipv6(), true)?;
        match socket.connect(peer) {
            Ok(()) | Err(Fault::WouldBlock) => Ok(socket),
            Err(fault) => Err(fault),
        }
    }

    fn open(v6: bool, stream: bool) -> Result<Socket, Fault> {
        // SAFETY: plain integers.
        let opened = unsafe { calls::socket_open(if v6 { 6 } else { 4 }, stream.into()) };
        fault(opened).map(|_| Socket(opened))
    }

    /// Connects to `peer`. A UDP socket may be connected again, to another peer.
    pub fn connect(&self, peer: &SocketAddr) -> Result<(), Fault> {
        let peer = encode(peer);
        // SAFETY: the address has the form that is asked for.
        fault(unsafe { calls::socket_connect(self.0, peer.as_ptr()) }).map(|_| ())
    }

    /// Takes a UDP socket's peer and its own address away: the next [`Socket::connect`] chooses anew.
    pub fn disconnect(&self) -> Result<(), Fault> {
        // SAFETY: a plain integer.
        fault(unsafe { calls::socket_disconnect(self.0) }).map(|_| ())
    }

    /// True for an IPv6 socket that takes no IPv4 peer (ipv6(7), `IPV6_V6ONLY`), and where it can't say.
    pub fn is_v6_only(&self) -> bool {
        // SAFETY: a plain integer.
        unsafe { calls::socket_is_v6_only(self.0) != 0 }
    }

    /// Sends `bytes`; returns how many of them were taken. Never raises SIGPIPE.
    pub fn send(&self, bytes: &[u8]) -> Result<usize, Fault> {
        // SAFETY: `bytes` is valid for its length.
        fault(unsafe { calls::socket_send(self.0, bytes.as_ptr(), bytes.len()) })
    }

    /// Receives into `buffer`. Zero octets on a TCP socket: the peer has closed its side.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Received, Fault> {
        // SAFETY: the buffer is valid for the length given.
        let got =
            fault(unsafe { calls::socket_receive(self.0, buffer.as_mut_ptr(), buffer.len()) })?;
        Ok(Received { len: got & !CUT, cut: got & CUT != 0 })
    }

    /// The outcome of a TCP connection attempt, once the socket is writable.
    pub fn connection_error(&self) -> Result<(), Fault> {
        // SAFETY: a plain integer.
        fault(unsafe { calls::socket_outcome(self.0) }).map(|_| ())
    }

    /// The local address that the socket is bound to, which for a connected UDP socket is the
    /// source address that the kernel has chosen.
    pub fn local_address(&self) -> Result<IpAddr, Fault> {
        let mut octets = [0; 16];
        // SAFETY: the place has the 16 octets of the longest address.
        let family = fault(unsafe { calls::socket_address(self.0, octets.as_mut_ptr()) })?;
        let [a, b, c, d, ..] = octets;
        Ok(match family {
            4 => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            _ => IpAddr::V6(Ipv6Addr::from(octets)),
        })
    }

    /// The descriptor, for waiting.
    pub(super) fn descriptor(&self) -> i32 {
        self.0
    }
}

/// A socket address as the C file reads it: 16 octets of address (IPv4: the first four), the scope and
/// the port in the least significant octet first, the family (4 or 6).
fn encode(peer: &SocketAddr) -> [u8; 24] {
    let mut out = [0; 24];
    let mut places = out.iter_mut();
    let mut put = |octets: &[u8]| {
        for (place, octet) in
            octets.iter().zip(places.by_ref()).map(|(&octet, place)| (place, octet))
        {
            *place = octet;
        }
    };
    match peer {
        SocketAddr::V4(peer) => {
            put(&peer.ip().octets());
            put(&[0; 12]);
        }
        SocketAddr::V6(peer) => put(&peer.ip().octets()),
    }
    put(&if let SocketAddr::V6(peer) = peer { peer.scope_id() } else { 0 }.to_le_bytes());
    put(&peer.port().to_le_bytes());
    put(&[if peer.is_ipv4() { 4 } else { 6 }]);
    out
}
