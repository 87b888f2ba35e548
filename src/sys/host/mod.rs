//! The system of a program that has no Rust: the core is compiled to WebAssembly, and every module of
//! this folder asks functions that a C file gives it (portable/system.c, docs/portable-c.md).
//!
//! There is one thread to an instance of the core, so nothing here needs to be safe for more.
//!
//! A call that can fail returns a number that is not negative, or a fault (see [`fault`]). Errors that
//! the core gives itself have numbers of our own ([`super::errno`]), for `errno`'s differ between
//! architectures; those of the kernel pass through as they are.

use super::Fault;

/// The functions, all from the module `rustdns_sys`. Lengths and sizes are in octets; pointers are
/// offsets into the instance's memory, valid for the length that goes with them.
pub mod calls {
    #[link(wasm_import_module = "rustdns_sys")]
    unsafe extern "C" {
        /// Nanoseconds on the clock that goes on while the machine is suspended.
        pub fn clock() -> u64;
        /// Nanoseconds since 1970 on the wall clock.
        pub fn wall_clock() -> u64;
        /// Fills the place with unpredictable octets; 0 where there are none.
        pub fn random(place: *mut u8, len: usize) -> i32;
        /// A number that others can't foresee, as far as that takes no waiting.
        pub fn seed() -> u64;
        /// The process id.
        pub fn process_id() -> i32;
        /// The calling thread's id.
        pub fn thread_id() -> i32;
        /// Tells threads that run at the same time from one another, without a system call.
        pub fn thread_place() -> u64;
        /// What the calling thread can leave: 0 nothing, 1 its root, 2 its network namespace as well.
        pub fn freedom() -> i32;
        /// Not 0 where the process can give up what it may see.
        pub fn may_give_up_rights() -> i32;
        /// Keeps a file's content for the process and its children; 0 where there is no memory.
        pub fn content_keep(
            number: u32,
            path: *const u8,
            path_len: usize,
            text: *const u8,
            len: usize,
        ) -> i32;
        /// What was kept of the file at this path in this root directory; its length, which may be above
        /// the room, or -1.
        pub fn content_kept(
            number: u32,
            path: *const u8,
            path_len: usize,
            place: *mut u8,
            room: usize,
        ) -> i32;
        /// Notes a fingerprint for the process and its children.
        pub fn version_add(fingerprint: u64);
        /// Not 0 for one that was noted.
        pub fn version_is_known(fingerprint: u64) -> i32;
        /// Not 0 where torsocks is in the process.
        pub fn is_torsocks_here() -> i32;
        /// A number of its network namespace: 1 where no other ever has it, 2 where a later one may, 0
        /// where there is none to be had.
        pub fn network_namespace(number: *mut u64) -> i32;
        /// The number that /proc has for it; 0 where there is none.
        pub fn network_number() -> u64;
        /// Three numbers of its root directory and mount namespace; 0 where there are none to be had.
        pub fn root_directory(numbers: *mut u64) -> i32;
        /// This host's name; its length, 0 for none.
        pub fn host_name(place: *mut u8, room: usize) -> usize;
        /// An environment variable; its length, which may be above the room, or -1.
        pub fn variable(name: *const u8, len: usize, place: *mut u8, room: usize) -> i32;

        /// Seven numbers that tell a file's versions apart: see [`crate::sys::files`].
        pub fn file_identity(path: *const u8, len: usize, numbers: *mut u64) -> i32;
        /// Opens a file for reading, with its numbers; the descriptor.
        pub fn file_open(path: *const u8, len: usize, numbers: *mut u64) -> i32;
        /// Reads; how much.
        pub fn file_read(descriptor: i32, place: *mut u8, room: usize) -> i32;
        /// Closes a file or a socket.
        pub fn close(descriptor: i32);

        /// A socket of family 4 or 6, for a stream or for datagrams.
        pub fn socket_open(family: i32, is_stream: i32) -> i32;
        /// Connects to a peer of [`crate::sys::socket`]'s form.
        pub fn socket_connect(descriptor: i32, peer: *const u8) -> i32;
        /// Takes the peer away.
        pub fn socket_disconnect(descriptor: i32) -> i32;
        /// 1 for an IPv6 socket that takes no IPv4 peer.
        pub fn socket_is_v6_only(descriptor: i32) -> i32;
        /// Sends; how much.
        pub fn socket_send(descriptor: i32, octets: *const u8, len: usize) -> i32;
        /// Receives; how much, with bit 30 set where the datagram was cut.
        pub fn socket_receive(descriptor: i32, place: *mut u8, room: usize) -> i32;
        /// A socket for a stream, connected to the one at a path.
        pub fn socket_unix(path: *const u8, len: usize) -> i32;
        /// Sends and receives by this interface alone.
        pub fn socket_bind_to(descriptor: i32, interface: u32) -> i32;
        /// Has what goes to groups of family 4 or 6 travel as far as a datagram may.
        pub fn socket_multicast(descriptor: i32, family: i32) -> i32;
        /// Sends what goes to IPv4 groups by this interface.
        pub fn socket_multicast_by(descriptor: i32, interface: u32) -> i32;
        /// Sends a datagram to a peer; how much.
        pub fn socket_send_to(
            descriptor: i32,
            octets: *const u8,
            len: usize,
            peer: *const u8,
        ) -> i32;
        /// Receives a datagram, and in 24 octets where it is from; its length.
        pub fn socket_receive_from(
            descriptor: i32,
            place: *mut u8,
            room: usize,
            peer: *mut u8,
        ) -> i32;
        /// How a connection attempt has ended.
        pub fn socket_outcome(descriptor: i32) -> i32;
        /// The local address into 16 octets; its family, 4 or 6.
        pub fn socket_address(descriptor: i32, place: *mut u8) -> i32;
        /// Waits until one of `count` interests (descriptor, wants to write, is ready: a number each)
        /// is ready, or the clock says `deadline`.
        pub fn wait(interests: *mut i32, count: usize, deadline: u64) -> i32;

        /// An interface's index, 0 for none.
        pub fn interface_index(name: *const u8, len: usize) -> u32;
        /// An interface's name into 16 octets; its length, 0 for none.
        pub fn interface_name(index: u32, place: *mut u8) -> usize;
        /// 1 for a tunnel.
        pub fn interface_is_tunnel(index: u32) -> i32;
        /// A routing socket on which a request has been sent.
        pub fn routing_ask(request: *const u8, len: usize) -> i32;
        /// The next datagram of the answer; its length.
        pub fn routing_receive(descriptor: i32, place: *mut u8, room: usize) -> i32;

        /// Writes a line of the trace to standard error (0), a file (1), the system's log (2).
        pub fn log_line(sink: i32, path: *const u8, path_len: usize, line: *const u8, len: usize);
        /// 1 where the program listens to the trace.
        pub fn log_is_heard() -> i32;
        /// Tells the program's listener a line, which ends in NUL.
        pub fn log_tell(level: i32, line: *const u8, len: usize);

        /// Asks the next library for a name's addresses of a family (0: both). They are written to the place, as
        /// many as fit, and behind them the canonical name; the addresses' number comes back with the name's
        /// length in the upper half, or a fault: -1 no name, -2 again, -3 no memory.
        pub fn foreign_look_up(
            node: *const u8,
            len: usize,
            family: u32,
            place: *mut u8,
            room: usize,
        ) -> i32;

        /// Converts from the locale's encoding to UTF-8 (0) or back (1); the length, -1 where it can't
        /// be converted, -2 where the encoding is UTF-8, -3 where there is no memory.
        pub fn convert(
            direction: i32,
            text: *const u8,
            len: usize,
            place: *mut u8,
            room: usize,
        ) -> i32;
    }
}

/// What a call's result means: negative ones are faults, `-(class * 65536 + errno)`.
pub(super) fn fault(result: i32) -> Result<usize, Fault> {
    let Ok(code) = u32::try_from(-i64::from(result)) else {
        return Ok(result.unsigned_abs() as usize);
    };
    if code == 0 {
        return Ok(0);
    }
    let errno = (code & 0xffff) as i32;
    Err(match code >> 16 {
        1 => Fault::WouldBlock,
        2 => Fault::Refused,
        3 => Fault::Unreachable,
        4 => Fault::Missing,
        5 => Fault::Exhausted(errno),
        7 => Fault::Other(super::errno::NO_ACCESS),
        8 => Fault::Other(super::errno::NOT_PERMITTED),
        _ => Fault::Other(errno),
    })
}
