//! C arguments: `getaddrinfo`, `getnameinfo`, `gethostbyname2_r`, called by Rust's paths with the
//! configuration in `tests/root`, which has no `dns` in it.

use std::ffi::{CStr, CString, c_char, c_int};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::Once;

use rustdns::abi;

const GUARD: u8 = 0xa5;

/// Every later call in this process reads its configuration below `tests/root`.
pub fn use_fixture() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        // The crate of the fuzz targets is a folder of this one.
        let root = [crate_folder.join("tests/root"), crate_folder.join("../tests/root")];
        let root = root.iter().find(|root| root.is_dir()).expect("tests/root is there");
        // SAFETY: only the checks' own threads run, all of which wait here before they go on, and
        // nothing in them changes or reads the environment but the library, later.
        unsafe {
            std::env::set_var("RUSTDNS_ROOT", root.canonicalize().unwrap());
            std::env::set_var("RUSTDNS_MODE", "test-only");
        }
        // The library's first call silences panics, which here are what is looked for.
        let hook = std::panic::take_hook();
        // SAFETY: null is allowed everywhere but for the list, which is not written to.
        unsafe { abi::getaddrinfo::getaddrinfo(null(), null(), null(), null_mut()) };
        std::panic::set_hook(hook);
    });
}

type GetAddrInfo = unsafe extern "C-unwind" fn(
    *const c_char,
    *const c_char,
    *const libc::addrinfo,
    *mut *mut libc::addrinfo,
) -> c_int;
type GetNameInfo = unsafe extern "C-unwind" fn(
    *const libc::sockaddr,
    libc::socklen_t,
    *mut c_char,
    libc::socklen_t,
    *mut c_char,
    libc::socklen_t,
    c_int,
) -> c_int;

/// A function of libc's own, whatever is linked in front of it.
fn of_libc(name: &CStr) -> usize {
    // SAFETY: libc is loaded, and stays so; both strings end in NUL.
    let place =
        unsafe { libc::dlsym(libc::dlopen(c"libc.so.6".as_ptr(), libc::RTLD_NOW), name.as_ptr()) };
    assert!(!place.is_null(), "{name:?}");
    place.expose_provenance()
}

/// The beginning of an input: numbers that a call's arguments are made of. A short input has zeros.
fn numbers<const N: usize>(input: &[u8]) -> ([u8; N], &[u8]) {
    let mut head = [0; N];
    let (given, rest) = input.split_at(N.min(input.len()));
    head[..given.len()].copy_from_slice(given);
    (head, rest)
}

/// Mostly one of the usual values, at times any.
fn one_of(usual: &[c_int], number: u8) -> c_int {
    usual.get(usize::from(number % 16)).copied().unwrap_or(c_int::from(number) - 64)
}

/// A list that is well formed, or a code that getaddrinfo(3) has; the same twice; and where neither
/// node nor service has to be looked up, libc's own answer.
///
/// Would find: flags or families that are judged in another order than libc's, a list with a node
/// too many, an address of the wrong length, a panic on any text, memory that is lost or freed twice
/// (under the fuzzer's sanitizer).
pub fn getaddrinfo(input: &[u8]) {
    use_fixture();
    let ([flags, high, family, socktype, protocol, shape], texts) = numbers(input);
    let mut parts = texts.splitn(2, |&b| b == 0);
    let node = CString::new(parts.next().unwrap_or_default()).unwrap();
    let service = parts.next().unwrap_or_default().split(|&b| b == 0).next().unwrap();
    let service = CString::new(service).unwrap();
    // SAFETY: all of it may be zero.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_flags = c_int::from(flags) | c_int::from(high & 7) << 8;
    hints.ai_family = one_of(&[0, libc::AF_INET, libc::AF_INET6, 0, libc::AF_INET], family);
    hints.ai_socktype = one_of(&[0, 1, 2, 3, 5, 6, 0, 1], socktype);
    hints.ai_protocol = one_of(&[0, 6, 17, 132, 136, 33, 0, 0], protocol);
    let hints: *const libc::addrinfo = if shape & 3 == 3 { null() } else { &raw const hints };
    let node_ptr = if shape & 0x1c == 4 { null() } else { node.as_ptr() };
    let service_ptr = if shape & 0x60 == 0x20 { null() } else { service.as_ptr() };
    let ask = |function: GetAddrInfo| {
        let mut list = null_mut();
        // SAFETY: strings that end in NUL or null, hints that are valid or null, a place for a list.
        let code = unsafe { function(node_ptr, service_ptr, hints, &raw mut list) };
        assert_eq!(code == 0, !list.is_null());
        assert_ne!(code, libc::EAI_FAIL, "a panic was caught");
        if code != 0 {
            return format!("{code}");
        }
        let text = shown(list);
        // SAFETY: a list of ours or of libc's, which either library's function frees.
        unsafe { abi::getaddrinfo::freeaddrinfo(list) };
        text
    };
    let ours = ask(abi::getaddrinfo::getaddrinfo);
    assert_eq!(ours, ask(abi::getaddrinfo::getaddrinfo), "the same a second time");
    // SAFETY: hints are null or valid.
    let flags = if hints.is_null() { 0 } else { unsafe { (*hints).ai_flags } };
    let is_number = |text: &CStr| text.to_bytes().iter().all(u8::is_ascii_digit);
    let known_service =
        service_ptr.is_null() || flags & libc::AI_NUMERICSERV != 0 || is_number(&service);
    // The locale is C: with AI_IDN libc would convert from it, and we know no locale's names here.
    if flags & libc::AI_NUMERICHOST != 0 && known_service && flags & 0xc0 == 0 {
        // SAFETY: libc's function of that name has this type (netdb.h).
        let libcs: GetAddrInfo = unsafe {
            std::mem::transmute(std::ptr::with_exposed_provenance::<()>(of_libc(c"getaddrinfo")))
        };
        assert_eq!(ours, ask(libcs), "{node:?} {service:?} flags {flags:#x}");
    }
}

/// A list as text, its form checked.
fn shown(list: *mut libc::addrinfo) -> String {
    let mut text = String::new();
    let mut next = list;
    while !next.is_null() {
        // SAFETY: nodes of a list are valid until it is freed.
        let node = unsafe { &*next };
        let name = (!node.ai_canonname.is_null()).then(|| {
            // SAFETY: a canonical name is a string that ends in NUL.
            unsafe { CStr::from_ptr(node.ai_canonname) }
        });
        assert!(next == list || name.is_none(), "only the first node has a canonical name");
        // SAFETY: ai_addr points to ai_addrlen octets.
        let octets = unsafe {
            std::slice::from_raw_parts(node.ai_addr.cast::<u8>(), node.ai_addrlen as usize)
        };
        assert_eq!(octets.len(), if node.ai_family == libc::AF_INET { 16 } else { 28 });
        assert_eq!(c_int::from(u16::from_ne_bytes([octets[0], octets[1]])), node.ai_family);
        let libc::addrinfo { ai_flags, ai_family, ai_socktype, ai_protocol, .. } = *node;
        writeln!(text, "{ai_flags} {ai_family} {ai_socktype} {ai_protocol} {octets:?} {name:?}")
            .unwrap();
        next = node.ai_next;
        assert!(text.len() < 1 << 20, "the list ends");
    }
    text
}

/// Names end in NUL within the buffers and nothing is written beyond; a larger buffer gives the same
/// name; and where no name has to be looked up, host and service are libc's.
///
/// Would find: a buffer that is one octet too small and not said to be, a socket address that is
/// read beyond its length, a zone that is shown where libc shows none, or another order of checks.
pub fn getnameinfo(input: &[u8]) {
    use_fixture();
    let ([family, length, flags, high, host_room, service_room, shape], rest) = numbers(input);
    let (address, _) = numbers::<26>(rest);
    let mut socket = [0u8; 160];
    let family = one_of(&[libc::AF_INET, libc::AF_INET6, libc::AF_INET6, libc::AF_UNIX], family);
    socket[..2].copy_from_slice(&u16::try_from(family & 0xffff).unwrap().to_ne_bytes());
    socket[2..28].copy_from_slice(&address);
    // A zone's number is an interface's: a small one.
    socket[25..28].fill(0);
    let length = match length % 4 {
        0 => 16,
        1 => 28,
        2 => 110,
        _ => length / 4,
    };
    let flags = c_int::from(flags) | c_int::from(high & 1) << 8;
    let rooms =
        [host_room, service_room].map(|room| if room > 100 { 300 } else { usize::from(room) });
    let ask = |function: GetNameInfo, rooms: [usize; 2]| {
        let mut host = [GUARD; 400];
        let mut service = [GUARD; 400];
        let place = |buffer: &mut [u8; 400], is_null: bool| -> *mut c_char {
            if is_null { null_mut() } else { buffer.as_mut_ptr().cast() }
        };
        // SAFETY: `socket` has more octets than `length`, the buffers more than their rooms.
        let code = unsafe {
            function(
                socket.as_ptr().cast(),
                libc::socklen_t::from(length),
                place(&mut host, shape & 7 == 1),
                rooms[0] as libc::socklen_t,
                place(&mut service, shape & 0x38 == 8),
                rooms[1] as libc::socklen_t,
                flags,
            )
        };
        assert_ne!(code, libc::EAI_FAIL, "a panic was caught");
        for (buffer, room) in [(&host, rooms[0]), (&service, rooms[1])] {
            assert!(buffer[room..].iter().all(|&b| b == GUARD), "wrote beyond {room}");
        }
        let text = |buffer: &[u8; 400]| {
            let end = buffer.iter().position(|&b| b == 0);
            (code == 0).then(|| end.map(|end| buffer[..end].escape_ascii().to_string()))
        };
        format!("{code} {:?} {:?}", text(&host), text(&service))
    };
    let ours = ask(abi::getnameinfo::getnameinfo, rooms);
    let roomy =
        ask(abi::getnameinfo::getnameinfo, rooms.map(|room| if room == 0 { 0 } else { 300 }));
    assert!(ours == roomy || ours.starts_with(&libc::EAI_OVERFLOW.to_string()), "{ours} {roomy}");
    let numeric = libc::NI_NUMERICHOST | libc::NI_NUMERICSERV;
    // glibc has no NI_NUMERICSCOPE (docs/divergences.md). Of a local socket it tells the host's name,
    // which belongs to no test.
    if flags & (numeric | 0x100) == numeric && family != libc::AF_UNIX {
        // SAFETY: libc's function of that name has this type (netdb.h).
        let libcs: GetNameInfo = unsafe {
            std::mem::transmute(std::ptr::with_exposed_provenance::<()>(of_libc(c"getnameinfo")))
        };
        let libcs = ask(libcs, rooms);
        assert_eq!(ours, libcs, "family {family}, length {length}, flags {flags:#x}, {rooms:?}");
    }
}

/// All that the structure points to lies in the caller's buffer, whatever its size and alignment;
/// the answer is the same in each size that does; and too small a one is ERANGE.
///
/// Would find: a size that is computed from other parts than are written, padding that is forgotten,
/// a pointer into memory of ours.
pub fn gethostbyname_r(input: &[u8]) {
    use_fixture();
    let ([family, low, high, offset], name) = numbers(input);
    let name = CString::new(name.split(|&b| b == 0).next().unwrap()).unwrap();
    let family = one_of(&[libc::AF_INET, libc::AF_INET6, libc::AF_INET, libc::AF_INET6], family);
    let size = usize::from(u16::from_le_bytes([low, high])) % 1500;
    let offset = usize::from(offset % 16);
    let small = ask_host(&name, family, size, offset);
    let large = ask_host(&name, family, 9000, offset);
    assert!(small == large || small == Err((libc::ERANGE, -1)), "{small:?} {large:?}");
    // Sizes that do are all above those that don't.
    if small == large && large.is_ok() {
        assert_eq!(ask_host(&name, family, size + 1, offset), large);
    }
}

/// Name, aliases, addresses.
type Host = (String, Vec<String>, Vec<IpAddr>);

fn ask_host(
    name: &CStr,
    family: c_int,
    size: usize,
    offset: usize,
) -> Result<Host, (c_int, c_int)> {
    #[repr(align(16))]
    struct Aligned([u8; 9100]);
    let mut memory = Aligned([GUARD; 9100]);
    // SAFETY: pointers and numbers, which may be zero.
    let mut host: libc::hostent = unsafe { std::mem::zeroed() };
    let (mut result, mut h_errno) = (null_mut(), 0);
    let place = memory.0[offset..].as_mut_ptr();
    // SAFETY: the name ends in NUL; the buffer has `size` octets; all else is ours to be written.
    let code = unsafe {
        abi::gethostby::gethostbyname2_r(
            name.as_ptr(),
            family,
            &raw mut host,
            place.cast(),
            size,
            &raw mut result,
            &raw mut h_errno,
        )
    };
    let within = place.addr()..place.addr() + size;
    let is_untouched = |at: usize| memory.0[at] == GUARD;
    assert!((0..offset).chain(offset + size..memory.0.len()).all(is_untouched));
    if result.is_null() {
        return Err((code, h_errno));
    }
    assert_eq!((code, result), (0, &raw mut host));
    let text = |name: *mut c_char| {
        assert!(within.contains(&name.addr()));
        // SAFETY: within the buffer, and ended by NUL, as the function says.
        let text = unsafe { CStr::from_ptr(name) };
        assert!(name.addr() + text.count_bytes() < within.end);
        text.to_bytes().escape_ascii().to_string()
    };
    let pointers = |mut list: *mut *mut c_char| {
        let mut all = Vec::new();
        loop {
            assert!(list.is_aligned() && within.contains(&list.addr()));
            // SAFETY: within the buffer and aligned; the list ends in a null pointer.
            let one = unsafe { *list };
            if one.is_null() {
                return all;
            }
            all.push(one);
            list = list.wrapping_add(1);
        }
    };
    let addresses = pointers(host.h_addr_list).into_iter().map(|place| {
        let length = if host.h_addrtype == libc::AF_INET { 4 } else { 16 };
        assert_eq!(host.h_length, length as c_int);
        assert!(within.contains(&place.addr()) && place.addr() + length <= within.end);
        // SAFETY: as many octets, just seen to be in the buffer.
        let octets = unsafe { std::slice::from_raw_parts(place.cast::<u8>(), length) };
        match octets.first_chunk::<16>() {
            Some(&octets) => IpAddr::from(octets),
            None => IpAddr::from(*octets.first_chunk::<4>().unwrap()),
        }
    });
    let addresses = addresses.collect();
    Ok((text(host.h_name), pointers(host.h_aliases).into_iter().map(text).collect(), addresses))
}
