//! Sockets that live for one call: non-blocking, close-on-exec, closed when dropped.

use super::received::Received;
use crate::sys::Fault;
use crate::sys::host::{calls, fault};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// An open socket.
#[derive(Debug)]
pub struct Socket(i32);

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours alone.
        unsafe { calls::close(self.0) };
    }
}

/// The longest path of a socket, without its NUL (unix(7)).
const PATH_ROOM: usize = 107;

/// The bit that says that a datagram was cut.
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

    /// A stream socket that is connected to the one at the path which the parts make (unix(7)). Would
    /// block where too many others wait there.
    pub fn unix(parts: &[&[u8]]) -> Result<Socket, Fault> {
        let mut path = [0; PATH_ROOM];
        let mut len = 0;
        for part in parts {
            let room = path.get_mut(len..len + part.len()).ok_or(Fault::Missing)?;
            room.copy_from_slice(part);
            len += part.len();
        }
        // SAFETY: the path is valid for that length.
        let opened = unsafe { calls::socket_unix(path.as_ptr(), len) };
        fault(opened).map(|_| Socket(opened))
    }

    /// A UDP socket for questions to a multicast group, whose answers nobody else gets (RFC 6762
    /// section 11 wants 255 hops).
    pub fn multicast(v6: bool) -> Result<Socket, Fault> {
        let socket = Socket::unconnected(v6)?;
        // SAFETY: plain integers.
        fault(unsafe { calls::socket_multicast(socket.0, number(v6)) })?;
        Ok(socket)
    }

    fn open(v6: bool, stream: bool) -> Result<Socket, Fault> {
        // SAFETY: plain integers.
        let opened = unsafe { calls::socket_open(number(v6), stream.into()) };
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

    /// Sends and receives by this interface alone (socket(7), `SO_BINDTODEVICE`).
    pub fn bind_to(&self, interface: u32) -> Result<(), Fault> {
        // SAFETY: plain integers.
        fault(unsafe { calls::socket_bind_to(self.0, interface) }).map(|_| ())
    }

    /// Sends what goes to IPv4 groups by this interface (ip(7), `IP_MULTICAST_IF`).
    pub fn multicast_by(&self, interface: u32) -> Result<(), Fault> {
        // SAFETY: plain integers.
        fault(unsafe { calls::socket_multicast_by(self.0, interface) }).map(|_| ())
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

    /// # Safety
    /// `place` is valid for writing `len` octets.
    pub(super) unsafe fn receive_at(&self, place: *mut u8, len: usize) -> Result<Received, Fault> {
        // SAFETY: by the function's contract.
        let got = fault(unsafe { calls::socket_receive(self.0, place, len) })?;
        Ok(Received { len: got & !CUT, cut: got & CUT != 0 })
    }

    /// Sends a datagram to `peer`.
    pub fn send_to(&self, bytes: &[u8], peer: &SocketAddr) -> Result<(), Fault> {
        let (len, peer) = (bytes.len(), encode(peer));
        // SAFETY: `bytes` is valid for its length, the address has the form that is asked for.
        fault(unsafe { calls::socket_send_to(self.0, bytes.as_ptr(), len, peer.as_ptr()) })
            .map(|_| ())
    }

    /// Receives a datagram into `buffer`; what is longer is cut. Returns its length and where it is from.
    pub fn receive_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), Fault> {
        let mut peer = [0; 24];
        let (place, room) = (buffer.as_mut_ptr(), buffer.len());
        // SAFETY: both places are valid for their lengths.
        let len =
            fault(unsafe { calls::socket_receive_from(self.0, place, room, peer.as_mut_ptr()) })?;
        Ok((len, decode(&peer)))
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
        Ok(ip_of(octets, family == 6))
    }

    /// The descriptor, for waiting.
    pub(super) fn descriptor(&self) -> i32 {
        self.0
    }
}

/// The C file's number for a family.
fn number(v6: bool) -> i32 {
    if v6 { 6 } else { 4 }
}

fn ip_of(octets: [u8; 16], v6: bool) -> IpAddr {
    let [a, b, c, d, ..] = octets;
    if v6 { Ipv6Addr::from(octets).into() } else { Ipv4Addr::new(a, b, c, d).into() }
}

/// A socket address as the C file writes it: see [`encode`].
pub(super) fn decode(octets: &[u8; 24]) -> SocketAddr {
    let (ip, rest) = octets.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    let &[s0, s1, s2, s3, p0, p1, family, _] = rest.first_chunk().unwrap_or(&[0; 8]);
    let port = u16::from_le_bytes([p0, p1]);
    match ip_of(*ip, family == 6) {
        IpAddr::V6(ip) => {
            SocketAddrV6::new(ip, port, 0, u32::from_le_bytes([s0, s1, s2, s3])).into()
        }
        ip => SocketAddr::new(ip, port),
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
