//! Types and structures: sizes, alignments, and where the members lie.

use super::{Assertion, equal};
use core::ffi::{c_char, c_int, c_long};
use core::mem::{align_of, offset_of, size_of};

/// Size and alignment of a structure, place and size of its members. A member that C calls otherwise is
/// `rust = "c"`.
macro_rules! layout {
    ($rust:ty = $c:literal: $($($field:ident).+ $(= $name:literal)?),+) => {
        &[
            equal(concat!("sizeof(", $c, ")"), size_of::<$rust>() as i128),
            equal(concat!("_Alignof(", $c, ")"), align_of::<$rust>() as i128),
            $(
                equal(
                    concat!("offsetof(", $c, ", ", layout!(@name $($field).+ $(= $name)?), ")"),
                    offset_of!($rust, $($field).+) as i128,
                ),
                equal(
                    concat!("sizeof(((", $c, " *)0)->", layout!(@name $($field).+ $(= $name)?), ")"),
                    size_of_member::<$rust, _>(|it| &it.$($field).+) as i128,
                ),
            )+
        ]
    };
    (@name $($field:ident).+ = $name:literal) => { $name };
    (@name $($field:ident).+) => { stringify!($($field).+) };
}

const fn size_of_member<T, M>(_: fn(&T) -> &M) -> usize {
    size_of::<M>()
}

pub(super) const TYPES: &[Assertion] = &[
    equal("sizeof(int)", size_of::<c_int>() as i128),
    equal("sizeof(long)", size_of::<c_long>() as i128),
    equal("sizeof(size_t)", size_of::<usize>() as i128),
    equal("sizeof(char *)", size_of::<*mut c_char>() as i128),
    equal("sizeof(socklen_t)", size_of::<libc::socklen_t>() as i128),
    equal("sizeof(sa_family_t)", size_of::<libc::sa_family_t>() as i128),
    equal("sizeof(nfds_t)", size_of::<libc::nfds_t>() as i128),
    equal("sizeof(pid_t)", size_of::<libc::pid_t>() as i128),
    equal("sizeof(uid_t)", size_of::<libc::uid_t>() as i128),
    equal("sizeof(pthread_t)", size_of::<libc::pthread_t>() as i128),
    equal("sizeof(pthread_attr_t)", size_of::<libc::pthread_attr_t>() as i128),
    equal("_Alignof(pthread_attr_t)", align_of::<libc::pthread_attr_t>() as i128),
    equal("sizeof(sigset_t)", size_of::<libc::sigset_t>() as i128),
    equal("_Alignof(sigset_t)", align_of::<libc::sigset_t>() as i128),
    equal("sizeof(iconv_t)", size_of::<libc::iconv_t>() as i128),
];

pub(super) const ADDRESSES: &[&[Assertion]] = &[
    layout!(libc::addrinfo = "struct addrinfo": ai_flags, ai_family, ai_socktype, ai_protocol, ai_addrlen,
        ai_addr, ai_canonname, ai_next),
    layout!(libc::sockaddr = "struct sockaddr": sa_family, sa_data),
    layout!(libc::sockaddr_in = "struct sockaddr_in": sin_family, sin_port, sin_addr, sin_addr.s_addr),
    layout!(libc::sockaddr_in6 = "struct sockaddr_in6": sin6_family, sin6_port, sin6_flowinfo, sin6_addr,
        sin6_addr.s6_addr, sin6_scope_id),
    layout!(libc::sockaddr_un = "struct sockaddr_un": sun_family, sun_path),
    layout!(libc::sockaddr_storage = "struct sockaddr_storage": ss_family),
    layout!(libc::sockaddr_nl = "struct sockaddr_nl": nl_family, nl_pid, nl_groups),
    layout!(libc::hostent = "struct hostent": h_name, h_aliases, h_addrtype, h_length, h_addr_list),
];

pub(super) const SYSTEM: &[&[Assertion]] = &[
    layout!(libc::timespec = "struct timespec": tv_sec, tv_nsec),
    layout!(libc::shmid_ds = "struct shmid_ds": shm_segsz),
    layout!(libc::pollfd = "struct pollfd": fd, events, revents),
    layout!(libc::iovec = "struct iovec": iov_base, iov_len),
    layout!(libc::msghdr = "struct msghdr": msg_name, msg_namelen, msg_iov, msg_iovlen, msg_control,
        msg_controllen, msg_flags),
    layout!(libc::ifreq = "struct ifreq": ifr_name),
    layout!(libc::Dl_info = "Dl_info": dli_fname),
    &[equal("offsetof(struct ifreq, ifr_hwaddr.sa_family)", IFREQ_FAMILY as i128)],
    STATUS,
];

const IFREQ_FAMILY: usize =
    offset_of!(libc::ifreq, ifr_ifru) + offset_of!(libc::sockaddr, sa_family);

#[cfg(not(all(target_env = "gnu", target_pointer_width = "32")))]
const STATUS: &[Assertion] = layout!(libc::stat = "struct stat": st_dev, st_ino, st_mode, st_uid, st_nlink, st_size,
    st_mtime = "st_mtim.tv_sec", st_mtime_nsec = "st_mtim.tv_nsec", st_ctime = "st_ctim.tv_sec",
    st_ctime_nsec = "st_ctim.tv_nsec");
#[cfg(all(target_env = "gnu", target_pointer_width = "32"))]
const STATUS: &[Assertion] = layout!(libc::statx = "struct statx": stx_mode, stx_uid, stx_nlink, stx_ino, stx_size, stx_mtime,
    stx_mtime.tv_sec, stx_mtime.tv_nsec, stx_ctime, stx_dev_major, stx_dev_minor);

#[cfg(feature = "c-api")]
pub(super) const OURS: &[Assertion] = layout!(super::super::api::Statistics = "struct rustdns_statistics":
    size, cache_hits, cache_misses, cache_evictions, cache_entries, queries, answers, timeouts, lookups, failures,
    negative, stale, coalesced, queries_udp, queries_tcp, servers_dead, cache_octets, latency,
    queries_private, secure, insecure, bogus);

/// What only GNU's headers have.
#[cfg(target_env = "gnu")]
pub(super) mod gnu {
    use super::*;
    use crate::abi::getaddrinfo_a::Gaicb;
    use crate::abi::notification::{Queued, SignalEvent, SignalValue};
    use crate::abi::nss::room::AddressTuple;
    use crate::sys::res_state::{ResState, SortPair};

    pub(in super::super) const ALL: &[&[Assertion]] = &[
        &[equal("sizeof(enum nss_status)", size_of::<c_int>() as i128)],
        layout!(AddressTuple = "struct gaih_addrtuple": next, name, family, address = "addr",
            scope = "scopeid"),
        layout!(Gaicb = "struct gaicb": ar_name, ar_service, ar_request, ar_result, code = "__return",
            reserved = "__glibc_reserved"),
        layout!(ResState = "struct __res_state": retrans, retry, options, nscount, nsaddr_list, id, dnsrch,
            defdname, pfcode, sort_list, res_h_errno, vcsock = "_vcsock", flags = "_flags", ext = "_u",
            ext.nscount = "_u._ext.nscount", ext.nsmap = "_u._ext.nsmap", ext.nssocks = "_u._ext.nssocks",
            ext.nscount6 = "_u._ext.nscount6", ext.nsinit = "_u._ext.nsinit", ext.nsaddrs = "_u._ext.nsaddrs"),
        &[
            equal("sizeof(((struct __res_state *)0)->sort_list[0])", size_of::<SortPair>() as i128),
            equal("sizeof(union sigval)", size_of::<SignalValue>() as i128),
            equal("offsetof(siginfo_t, si_pid)", offset_of!(Queued, sender.process) as i128),
            equal("offsetof(siginfo_t, si_uid)", offset_of!(Queued, sender.user) as i128),
            equal("offsetof(siginfo_t, si_value)", offset_of!(Queued, sender.value) as i128),
        ],
        layout!(libc::siginfo_t = "siginfo_t": si_signo, si_errno, si_code),
        // The whole of it is libc's to read: the kernel has no part in it.
        &[
            equal("offsetof(struct sigevent, sigev_value)", offset_of!(SignalEvent, value) as i128),
            equal(
                "offsetof(struct sigevent, sigev_signo)",
                offset_of!(SignalEvent, signal) as i128,
            ),
            equal(
                "offsetof(struct sigevent, sigev_notify)",
                offset_of!(SignalEvent, notify) as i128,
            ),
            equal(
                "offsetof(struct sigevent, sigev_notify_function)",
                offset_of!(SignalEvent, function) as i128,
            ),
            equal(
                "offsetof(struct sigevent, sigev_notify_attributes)",
                offset_of!(SignalEvent, attributes) as i128,
            ),
        ],
    ];
}
