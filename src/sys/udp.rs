//! UDP sockets that are connected to one peer after the other, IPv4 ones and IPv6 ones. Connecting sends
//! nothing.

use super::Fault;
use super::socket::Socket;
use core::net::{IpAddr, SocketAddr};

/// A UDP socket, and which peers it can have.
#[derive(Debug)]
pub struct Udp {
    /// The socket.
    pub socket: Socket,
    /// Its peers.
    pub peers: Peers,
    /// A peer was asked for since it was last taken away, whether it was had or not.
    is_used: bool,
}

/// The peers that a socket can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peers {
    /// IPv4 ones.
    V4,
    /// IPv6 ones; whether IPv4 ones too is not known.
    V6,
    /// IPv6 ones alone (ipv6(7), `IPV6_V6ONLY`).
    OnlyV6,
    /// Both: an IPv6 socket.
    Both,
}

impl Udp {
    /// A socket without a peer.
    pub fn unconnected(v6: bool) -> Result<Udp, Fault> {
        let peers = if v6 { Peers::V6 } else { Peers::V4 };
        Ok(Udp { socket: Socket::unconnected(v6)?, peers, is_used: false })
    }

    /// A connected socket that can have these peers.
    pub fn of_connected(socket: Socket, peers: Peers) -> Udp {
        Udp { socket, peers, is_used: true }
    }

    /// A socket connected to `peer`, of its family.
    pub fn connected(peer: &SocketAddr) -> Result<Udp, Fault> {
        let peers = if peer.is_ipv6() { Peers::V6 } else { Peers::V4 };
        Ok(Udp { socket: Socket::udp(peer)?, peers, is_used: true })
    }

    /// A socket connected to `peer` that can have peers of both families after it, where there are such
    /// sockets; else one of the peer's.
    #[inline(never)]
    pub fn connected_of_both(peer: &SocketAddr) -> Result<Udp, Fault> {
        let both = || {
            let socket = Socket::unconnected(true)?;
            socket.connect(&mapped(peer)).map(|()| socket)
        };
        match peer {
            SocketAddr::V4(_) => match both() {
                Ok(socket) => Ok(Udp { socket, peers: Peers::Both, is_used: true }),
                // IPv6 is not there, or kept apart (net.ipv6.bindv6only), or not for this process.
                Err(_) => Udp::connected(peer),
            },
            SocketAddr::V6(_) => Udp::connected(peer),
        }
    }

    /// The source address that the kernel would use towards `peer`; `None` where there is no route.
    #[inline(never)]
    pub fn source(&mut self, peer: &SocketAddr) -> Option<IpAddr> {
        if self.is_used {
            // Else the source that was chosen for the last peer would stay; and where that one could not
            // be had, the interface of its zone, to which Linux binds the socket before it looks for a
            // way (RFC 4007 section 6; udp(7) has AF_UNSPEC, which unbinds it).
            self.socket.disconnect().ok()?;
        }
        self.is_used = true;
        let to = if self.peers == Peers::V4 { *peer } else { mapped(peer) };
        if self.socket.connect(&to).is_err() {
            // No route; or the socket can't have such peers, where it has never had one.
            if peer.is_ipv4() && self.peers == Peers::V6 {
                let alone = self.socket.is_v6_only();
                self.peers = if alone { Peers::OnlyV6 } else { Peers::Both };
            }
            return None;
        }
        if peer.is_ipv4() && self.peers == Peers::V6 {
            self.peers = Peers::Both;
        }
        let own = self.socket.local_address().ok()?;
        Some(if peer.is_ipv4() { own.to_canonical() } else { own })
    }
}

/// The peer as an IPv6 socket has it.
fn mapped(peer: &SocketAddr) -> SocketAddr {
    match peer.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), peer.port()),
        IpAddr::V6(_) => *peer,
    }
}
