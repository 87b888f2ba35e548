//! Every constant and structure that crosses the boundary, asserted by a C compiler against the
//! system's own headers: the libc crate has been wrong before (0.2.190 on mips64).

use super::nss::reply::status;
use super::nss::room::AddressTuple;
use super::{args, codes, getnameinfo};
use core::fmt::Write;
use core::mem::{align_of, offset_of, size_of};
use std::io::Write as _;
use std::process::{Command, Stdio};

const HEADERS: &str = "#define _GNU_SOURCE\n#include <errno.h>\n#include <netdb.h>\n\
    #include <netinet/in.h>\n#include <nss.h>\n#include <stddef.h>\n#include <sys/socket.h>\n\
    #include <sys/un.h>\n#include <time.h>\n";

/// `name == value`, with the name as C has it.
macro_rules! constants {
    ($($place:path => $($name:ident)+;)+) => {{
        let mut list: Vec<(&str, i64)> = Vec::new();
        $({
            use $place as place;
            $(list.push((stringify!($name), i64::from(place::$name)));)+
        })+
        list
    }};
}

/// Size, alignment and offsets of a structure; a field that C calls otherwise is `rust = c`.
macro_rules! layout {
    ($out:expr, $rust:ty = $c:literal: $($field:ident $(= $name:ident)?),+) => {{
        let c = $c;
        assert_that($out, &format!("sizeof({c})"), size_of::<$rust>());
        assert_that($out, &format!("_Alignof({c})"), align_of::<$rust>());
        $({
            let mut name = stringify!($field);
            $(name = stringify!($name);)?
            let _ = &mut name;
            assert_that($out, &format!("offsetof({c}, {name})"), offset_of!($rust, $field));
        })+
    }};
}

fn assert_that(out: &mut String, what: &str, value: impl std::fmt::Display) {
    writeln!(out, "_Static_assert({what} == ({value}), \"{what} is not {value}\");").unwrap();
}

fn assertions() -> String {
    let mut out = HEADERS.to_owned();
    let constants = constants! {
        libc => AF_UNSPEC AF_UNIX AF_INET AF_INET6;
        libc => SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_SEQPACKET SOCK_DCCP SOCK_NONBLOCK SOCK_CLOEXEC;
        libc => SOL_SOCKET SO_ERROR MSG_NOSIGNAL MSG_DONTWAIT MSG_TRUNC;
        libc => IPPROTO_TCP IPPROTO_UDP IPPROTO_IPV6;
        libc => AI_PASSIVE AI_CANONNAME AI_NUMERICHOST AI_NUMERICSERV AI_V4MAPPED AI_ALL AI_ADDRCONFIG;
        args::gnu => AI_IDN AI_CANONIDN;
        libc => NI_NUMERICHOST NI_NUMERICSERV NI_NOFQDN NI_NAMEREQD NI_DGRAM;
        getnameinfo::gnu => NI_IDN;
        libc => EAI_BADFLAGS EAI_NONAME EAI_AGAIN EAI_FAIL EAI_FAMILY EAI_SOCKTYPE EAI_SERVICE;
        libc => EAI_MEMORY EAI_SYSTEM EAI_OVERFLOW;
        codes::gnu => EAI_NODATA EAI_ADDRFAMILY EAI_IDN_ENCODE;
        codes::h => NETDB_INTERNAL HOST_NOT_FOUND TRY_AGAIN NO_RECOVERY NO_DATA;
        libc => ENOENT EINTR EIO EAGAIN ENOMEM EINVAL EMFILE ENFILE ERANGE EAFNOSUPPORT;
        libc => ECONNREFUSED ETIMEDOUT EINPROGRESS ENETUNREACH EHOSTUNREACH;
    };
    for (name, value) in constants {
        assert_that(&mut out, name, value);
    }
    for (name, value) in [
        ("NSS_STATUS_TRYAGAIN", status::TRY_AGAIN),
        ("NSS_STATUS_UNAVAIL", status::UNAVAILABLE),
        ("NSS_STATUS_NOTFOUND", status::NOT_FOUND),
        ("NSS_STATUS_SUCCESS", status::SUCCESS),
    ] {
        assert_that(&mut out, name, value);
    }
    // glibc 2.36 has the flag without a name in netdb.h; musl has the name.
    out += "#ifdef NI_NUMERICSCOPE\n";
    assert_that(&mut out, "NI_NUMERICSCOPE", getnameinfo::gnu::NI_NUMERICSCOPE);
    out += "#endif\n";
    layout!(&mut out, libc::addrinfo = "struct addrinfo":
        ai_flags, ai_family, ai_socktype, ai_protocol, ai_addrlen, ai_addr, ai_canonname, ai_next);
    layout!(&mut out, libc::sockaddr = "struct sockaddr": sa_family, sa_data);
    layout!(&mut out, libc::sockaddr_in = "struct sockaddr_in": sin_family, sin_port, sin_addr);
    layout!(&mut out, libc::sockaddr_in6 = "struct sockaddr_in6":
        sin6_family, sin6_port, sin6_flowinfo, sin6_addr, sin6_scope_id);
    layout!(&mut out, libc::sockaddr_un = "struct sockaddr_un": sun_family, sun_path);
    layout!(&mut out, libc::hostent = "struct hostent":
        h_name, h_aliases, h_addrtype, h_length, h_addr_list);
    layout!(&mut out, AddressTuple = "struct gaih_addrtuple":
        next, name, family, address = addr, scope = scopeid);
    layout!(&mut out, libc::timespec = "struct timespec": tv_sec, tv_nsec);
    for (name, size) in [
        ("int", size_of::<core::ffi::c_int>()),
        ("size_t", size_of::<usize>()),
        ("socklen_t", size_of::<libc::socklen_t>()),
        ("sa_family_t", size_of::<libc::sa_family_t>()),
        ("enum nss_status", size_of::<core::ffi::c_int>()),
        ("char *", size_of::<*mut core::ffi::c_char>()),
    ] {
        assert_that(&mut out, &format!("sizeof({name})"), size);
    }
    #[cfg(feature = "c-api")]
    {
        out += include_str!("../../include/rustdns.h");
        layout!(&mut out, super::api::Statistics = "struct rustdns_statistics":
            size, cache_hits, cache_misses, cache_evictions, cache_entries, queries, answers, timeouts);
    }
    out
}

/// What the C compiler says; empty where all of it is true.
fn compile(source: &str) -> String {
    let mut cc = Command::new("cc")
        .args(["-std=gnu11", "-Wall", "-Werror", "-fsyntax-only", "-x", "c", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    cc.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    let output = cc.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.success(), said.is_empty(), "{said}");
    said
}

#[test]
fn constants_and_layouts_are_the_systems() {
    let source = assertions();
    assert!(source.lines().filter(|line| line.starts_with("_Static_assert")).count() > 100);
    assert_eq!(compile(&source), "");
}

#[test]
fn a_wrong_one_is_found() {
    let mut source = assertions();
    assert_that(&mut source, "offsetof(struct addrinfo, ai_next)", 1);
    assert!(compile(&source).contains("ai_next) is not 1"));
}
