//! Sockets that live for one call: non-blocking, close-on-exec, closed when dropped.

use super::errno::retry;
use super::received::Received;
use super::{Fault, calls, interfaces, kernel, process};
use core::ffi::c_int;
use core::mem::{size_of, zeroed};
use core::net::{IpAddr, SocketAddr, SocketAddrV6};

/// An open socket.
#[derive(Debug)]
pub struct Socket(c_int);

impl Drop for Socket {
    fn drop(&mut self) {
        release(self.0);
    }
}

/// Closes a descriptor that was noted as opened ([`calls::opened`]). Keeps `errno`.
pub(super) fn release(descriptor: c_int) {
    let errno = process::errno();
    close(descriptor);
    calls::closed(descriptor);
    process::set_errno(errno);
}

/// Closes a descriptor that is ours alone.
pub(super) fn close(descriptor: c_int) {
    // SAFETY: by the caller's word nobody else uses it. No retry on EINTR: Linux has released it by then.
    unsafe { kernel::close(descriptor) };
}

/// The number that no other socket ever has (socket(7), `SO_COOKIE`, Linux 4.12). `None` where there is none,
/// and for what is not a socket.
pub(super) fn cookie(descriptor: c_int) -> Option<u64> {
    let mut cookie = 0u64;
    let mut len = size_of::<u64>() as libc::socklen_t;
    // SAFETY: `cookie` is valid for `len` octets.
    let result = unsafe {
        let value = (&raw mut cookie).cast();
        kernel::getsockopt(descriptor, libc::SOL_SOCKET, libc::SO_COOKIE, value, &raw mut len)
    };
    (result == 0).then_some(cookie)
}

/// The longest path of a socket, without its NUL (unix(7)).
const PATH_ROOM: usize = 107;

impl Socket {
    /// A UDP socket connected to `peer`: the kernel picks the source port, and drops what comes
    /// from elsewhere.
    pub fn udp(peer: &SocketAddr) -> Result<Socket, Fault> {
        let socket = Socket::open(peer, libc::SOCK_DGRAM)?;
        socket.connect(peer)?;
        Ok(socket)
    }

    /// A UDP socket of IPv4 or IPv6 that has no peer yet.
    pub fn unconnected(v6: bool) -> Result<Socket, Fault> {
        let family = if v6 { libc::AF_INET6 } else { libc::AF_INET };
        Socket::of_family(family, libc::SOCK_DGRAM)
    }

    /// A TCP socket on its way to `peer`: writable once the connection stands.
    pub fn tcp(peer: &SocketAddr) -> Result<Socket, Fault> {
        let socket = Socket::open(peer, libc::SOCK_STREAM)?;
        match socket.connect(peer) {
            Ok(()) | Err(Fault::WouldBlock) => Ok(socket),
            Err(fault) => Err(fault),
        }
    }

    /// A stream socket that is connected to the one at the path which the parts make (unix(7)). Would
    /// block where too many others wait there.
    pub fn unix(parts: &[&[u8]]) -> Result<Socket, Fault> {
        // SAFETY: sockaddr_un is plain data, for which zero is a value.
        let mut address: libc::sockaddr_un = unsafe { zeroed() };
        address.sun_family = libc::AF_UNIX as libc::sa_family_t;
        // SAFETY: every octet of the path is a value of either type; the last stays NUL.
        let path = unsafe { &mut *(&raw mut address.sun_path).cast::<[u8; PATH_ROOM]>() };
        let mut len = 0;
        for part in parts {
            let room = path.get_mut(len..len + part.len()).ok_or(Fault::Missing)?;
            room.copy_from_slice(part);
            len += part.len();
        }
        let socket = Socket::of_family(libc::AF_UNIX, libc::SOCK_STREAM)?;
        let len = size_of::<libc::sockaddr_un>() as libc::socklen_t;
        // SAFETY: `address` is valid for `len` octets. The call is not interrupted: the socket is
        // non-blocking.
        if unsafe { kernel::connect(socket.0, (&raw const address).cast(), len) } == 0 {
            return Ok(socket);
        }
        Err(Fault::last())
    }

    fn open(peer: &SocketAddr, kind: c_int) -> Result<Socket, Fault> {
        Socket::of_family(if peer.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 }, kind)
    }

    fn of_family(family: c_int, kind: c_int) -> Result<Socket, Fault> {
        let kind = kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: socket(2) takes plain integers.
        let descriptor = retry(|| unsafe { kernel::socket(family, kind, 0) })?;
        calls::opened(descriptor);
        Ok(Socket(descriptor))
    }

    /// Connects to `peer`. A UDP socket may be connected again, to another peer.
    pub fn connect(&self, peer: &SocketAddr) -> Result<(), Fault> {
        let (address, len) = encode(peer);
        // SAFETY: `address` holds a socket address of `len` octets. EINTR is not retried: the
        // connection goes on in the background, as with EINPROGRESS.
        if unsafe { kernel::connect(self.0, (&raw const address).cast(), len) } == 0 {
            return Ok(());
        }
        if process::errno() == libc::EINTR { Err(Fault::WouldBlock) } else { Err(Fault::last()) }
    }

    /// Takes a UDP socket's peer and its own address away: the next [`Socket::connect`] chooses anew.
    pub fn disconnect(&self) -> Result<(), Fault> {
        // SAFETY: sockaddr is plain data, for which zero is a value.
        let mut none: libc::sockaddr = unsafe { zeroed() };
        none.sa_family = libc::AF_UNSPEC as libc::sa_family_t;
        let len = size_of::<libc::sockaddr>() as libc::socklen_t;
        // SAFETY: `none` is valid for `len` octets.
        let result = retry(|| unsafe { kernel::connect(self.0, &raw const none, len) });
        result.map(|_| ())
    }

    /// Sends and receives by this interface alone (socket(7), `SO_BINDTODEVICE`).
    pub fn bind_to(&self, interface: u32) -> Result<(), Fault> {
        let mut buffer = [0; interfaces::NAME_ROOM];
        let name = interfaces::name(interface, &mut buffer).ok_or(Fault::Missing)?;
        let mut device = [0u8; interfaces::NAME_ROOM];
        device.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
        self.set(libc::SOL_SOCKET, libc::SO_BINDTODEVICE, &device)
    }

    /// True for an IPv6 socket that takes no IPv4 peer (ipv6(7), `IPV6_V6ONLY`), and where it can't say.
    pub fn is_v6_only(&self) -> bool {
        let mut only: c_int = 1;
        self.option(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, &mut only).is_err() || only != 0
    }

    /// Sends `bytes`; returns how many of them were taken. Never raises SIGPIPE.
    pub fn send(&self, bytes: &[u8]) -> Result<usize, Fault> {
        // SAFETY: `bytes` is valid for its length.
        let sent = retry(|| unsafe {
            kernel::send(self.0, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL)
        })?;
        Ok(sent.unsigned_abs())
    }

    /// # Safety
    /// `place` is valid for writing `len` octets.
    pub(super) unsafe fn receive_at(&self, place: *mut u8, len: usize) -> Result<Received, Fault> {
        // SAFETY: all fields are integers or pointers, for which zero is a value.
        let mut vector: libc::iovec = unsafe { zeroed() };
        vector.iov_base = place.cast();
        vector.iov_len = len;
        // SAFETY: as above.
        let mut header: libc::msghdr = unsafe { zeroed() };
        header.msg_iov = &raw mut vector;
        header.msg_iovlen = 1;
        // SAFETY: the header names one vector, which is valid by the function's contract; both outlive the call.
        let len = retry(|| unsafe { kernel::recvmsg(self.0, &raw mut header, 0) })?;
        Ok(Received { len: len.unsigned_abs(), cut: header.msg_flags & libc::MSG_TRUNC != 0 })
    }

    /// The outcome of a TCP connection attempt, once the socket is writable.
    pub fn connection_error(&self) -> Result<(), Fault> {
        let mut errno: c_int = 0;
        self.option(libc::SOL_SOCKET, libc::SO_ERROR, &mut errno)?;
        if errno == 0 { Ok(()) } else { Err(Fault::from_errno(errno)) }
    }

    fn option(&self, level: c_int, name: c_int, value: &mut c_int) -> Result<(), Fault> {
        let mut len = size_of::<c_int>() as libc::socklen_t;
        // SAFETY: `value` is valid for `len` octets.
        let result = unsafe {
            kernel::getsockopt(self.0, level, name, core::ptr::from_mut(value).cast(), &raw mut len)
        };
        if result == 0 { Ok(()) } else { Err(Fault::last()) }
    }

    /// A UDP socket for questions to a multicast group, whose answers nobody else gets (RFC 6762
    /// section 11 wants 255 hops).
    pub fn multicast(v6: bool) -> Result<Socket, Fault> {
        let socket = Socket::unconnected(v6)?;
        match v6 {
            true => socket.set(libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_HOPS, &255)?,
            false => socket.set(libc::IPPROTO_IP, libc::IP_MULTICAST_TTL, &255)?,
        }
        Ok(socket)
    }

    /// Sends what goes to IPv4 groups by this interface (ip(7), `IP_MULTICAST_IF`).
    pub fn multicast_by(&self, interface: u32) -> Result<(), Fault> {
        // An ip_mreqn: two addresses, both left to the kernel, and the index.
        let request: [c_int; 3] = [0, 0, interface.cast_signed()];
        self.set(libc::IPPROTO_IP, libc::IP_MULTICAST_IF, &request)
    }

    fn set<T>(&self, level: c_int, name: c_int, value: &T) -> Result<(), Fault> {
        let len = size_of::<T>() as libc::socklen_t;
        // SAFETY: `value` is valid for `len` octets.
        let result = unsafe {
            kernel::setsockopt(self.0, level, name, core::ptr::from_ref(value).cast(), len)
        };
        if result == 0 { Ok(()) } else { Err(Fault::last()) }
    }

    /// Sends a datagram to `peer`.
    pub fn send_to(&self, bytes: &[u8], peer: &SocketAddr) -> Result<(), Fault> {
        let (address, len) = encode(peer);
        // SAFETY: `bytes` is valid for its length, `address` for `len` octets.
        retry(|| unsafe {
            let to = (&raw const address).cast();
            kernel::sendto(self.0, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL, to, len)
        })?;
        Ok(())
    }

    /// Receives a datagram into `buffer`; what is longer is cut. Returns its length and where it is from.
    pub fn receive_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), Fault> {
        // SAFETY: sockaddr_storage is plain data, for which zero is a value.
        let mut storage: libc::sockaddr_storage = unsafe { zeroed() };
        let mut len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        // SAFETY: `buffer` is valid for writing over its whole length, `storage` for `len` octets.
        let received = retry(|| unsafe {
            let from = (&raw mut storage).cast();
            kernel::recvfrom(
                self.0,
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                0,
                from,
                &raw mut len,
            )
        })?;
        Ok((received.unsigned_abs(), decode(&storage)?))
    }

    /// The local address that the socket is bound to, which for a connected UDP socket is the
    /// source address that the kernel has chosen.
    pub fn local_address(&self) -> Result<IpAddr, Fault> {
        // SAFETY: sockaddr_storage is plain data, for which zero is a value.
        let mut storage: libc::sockaddr_storage = unsafe { zeroed() };
        let mut len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        // SAFETY: `storage` is valid for `len` octets.
        if unsafe { kernel::getsockname(self.0, (&raw mut storage).cast(), &raw mut len) } != 0 {
            return Err(Fault::last());
        }
        decode(&storage).map(|address| address.ip())
    }

    /// The descriptor, for waiting.
    pub(super) fn descriptor(&self) -> c_int {
        self.0
    }
}

/// A socket address as the kernel writes it.
fn decode(storage: &libc::sockaddr_storage) -> Result<SocketAddr, Fault> {
    let storage = &raw const *storage;
    // SAFETY: sockaddr_storage is aligned for, and longer than, every address type, and every
    // bit pattern of their fields is a value; which of the two it is, ss_family says.
    unsafe {
        match c_int::from((*storage).ss_family) {
            libc::AF_INET => {
                let v4 = &*storage.cast::<libc::sockaddr_in>();
                let ip = u32::from_be(v4.sin_addr.s_addr).into();
                Ok(SocketAddr::new(IpAddr::V4(ip), u16::from_be(v4.sin_port)))
            }
            libc::AF_INET6 => {
                let v6 = &*storage.cast::<libc::sockaddr_in6>();
                let (ip, port) = (v6.sin6_addr.s6_addr.into(), u16::from_be(v6.sin6_port));
                Ok(SocketAddrV6::new(ip, port, 0, v6.sin6_scope_id).into())
            }
            _ => Err(Fault::Other(libc::EAFNOSUPPORT)),
        }
    }
}

/// A socket address as the kernel reads it.
pub(crate) fn encode(peer: &SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    // SAFETY: sockaddr_storage is plain data, for which zero is a value.
    let mut storage: libc::sockaddr_storage = unsafe { zeroed() };
    let len = match peer {
        SocketAddr::V4(peer) => {
            // SAFETY: sockaddr_storage is aligned for, and longer than, every address type.
            let v4 = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in>() };
            v4.sin_family = libc::AF_INET as libc::sa_family_t;
            v4.sin_port = peer.port().to_be();
            v4.sin_addr.s_addr = u32::from_ne_bytes(peer.ip().octets());
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(peer) => {
            // SAFETY: as above.
            let v6 = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in6>() };
            v6.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            v6.sin6_port = peer.port().to_be();
            v6.sin6_addr.s6_addr = peer.ip().octets();
            v6.sin6_scope_id = peer.scope_id();
            size_of::<libc::sockaddr_in6>()
        }
    };
    (storage, len as libc::socklen_t)
}
