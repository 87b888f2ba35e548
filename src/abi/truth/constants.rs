//! Constants: the libc crate's, and our own where it lacks them.

use super::{Assertion, equal};
use crate::abi::codes;
use crate::sys::{addresses, interfaces, netlink, own_object, process, routes};

/// Each name as C has it, with the value that the module in front of `=>` has for it.
macro_rules! values {
    ($($place:path => $($name:ident)+;)+) => {
        &[$($({
            use $place as place;
            equal(stringify!($name), place::$name as i128)
        }),+),+]
    };
}

/// The same where the two names differ, or C's is an expression.
macro_rules! renamed {
    ($($c:literal $ours:expr;)+) => { &[$(equal($c, $ours as i128)),+] };
}

pub(super) const SOCKETS: &[Assertion] = values! {
    libc => AF_UNSPEC AF_UNIX AF_INET AF_INET6 AF_NETLINK;
    libc => SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_SEQPACKET SOCK_DCCP SOCK_NONBLOCK SOCK_CLOEXEC;
    libc => SOL_SOCKET SO_ERROR SO_BINDTODEVICE MSG_NOSIGNAL MSG_DONTWAIT MSG_TRUNC;
    libc => IPPROTO_TCP IPPROTO_UDP IPPROTO_IPV6 IPV6_V6ONLY;
    libc => IPPROTO_IP IP_MULTICAST_IF IP_MULTICAST_TTL IPV6_MULTICAST_HOPS;
    libc => AI_PASSIVE AI_CANONNAME AI_NUMERICHOST AI_NUMERICSERV AI_V4MAPPED AI_ALL AI_ADDRCONFIG;
    libc => NI_NUMERICHOST NI_NUMERICSERV NI_NOFQDN NI_NAMEREQD NI_DGRAM;
    libc => EAI_BADFLAGS EAI_NONAME EAI_AGAIN EAI_FAIL EAI_FAMILY EAI_SOCKTYPE EAI_SERVICE;
    libc => EAI_MEMORY EAI_SYSTEM EAI_OVERFLOW;
    codes::h => HOST_NOT_FOUND TRY_AGAIN NO_RECOVERY NO_DATA;
};

pub(super) const ERRNO: &[Assertion] = values! {
    libc => ENOENT EACCES ESRCH EINTR EIO EPERM EFBIG EAGAIN EWOULDBLOCK ENOMEM ENOTDIR EINVAL EMFILE ENFILE ERANGE;
    libc => EMSGSIZE EAFNOSUPPORT EADDRNOTAVAIL ENETUNREACH ENOBUFS ETIMEDOUT ECONNREFUSED;
    libc => EHOSTUNREACH EINPROGRESS ECANCELED EFAULT ENOSYS;
};

pub(super) const SYSTEM: &[Assertion] = values! {
    libc => O_RDONLY O_WRONLY O_CREAT O_APPEND O_NONBLOCK O_NOCTTY O_CLOEXEC O_NOFOLLOW;
    libc => IPC_PRIVATE IPC_CREAT IPC_RMID IPC_STAT SHM_RDONLY;
    libc => S_IFMT S_IFREG STDIN_FILENO STDOUT_FILENO STDERR_FILENO;
    libc => TCSANOW ICANON ECHO ISIG TIOCGWINSZ SIGINT SIGTERM SIGHUP;
    libc => PROT_READ PROT_WRITE MAP_PRIVATE MAP_ANONYMOUS MADV_WIPEONFORK;
    libc => POLLIN POLLOUT CLOCK_BOOTTIME CLOCK_MONOTONIC CLOCK_REALTIME CODESET LC_CTYPE AT_SECURE;
    libc => AT_PHDR PT_LOAD PT_DYNAMIC PATH_MAX F_OK;
    libc => PTHREAD_CREATE_DETACHED SIG_SETMASK SIGKILL SIGABRT SIGBUS SIGSEGV PR_SET_PDEATHSIG;
    libc => SIOCGIFHWADDR NETLINK_ROUTE RTLD_NOW RTLD_LAZY RTLD_LOCAL RTLD_NOLOAD RTLD_NODELETE;
    libc => SYS_capget SYS_close SYS_futex SYS_getsockopt SYS_gettid SYS_readlinkat SYS_rt_sigqueueinfo;
    libc => SYS_socket SYS_statx FUTEX_WAIT FUTEX_WAKE FUTEX_PRIVATE_FLAG;
    libc => SYS_connect SYS_getrandom SYS_getsockname SYS_ioctl SYS_madvise SYS_munmap SYS_openat SYS_read;
    libc => SYS_recvfrom SYS_recvmsg SYS_rt_sigpending SYS_rt_sigprocmask SYS_rt_sigtimedwait;
    libc => SYS_sched_yield SYS_sendmsg SYS_sendto SYS_setsockopt SYS_uname SYS_write SYS_getpid;
    libc => AT_PAGESZ AT_SYSINFO_EHDR SIOCGIFINDEX SIOCGIFNAME SYS_clock_gettime;
};

/// System calls that not every machine has.
pub(super) const CALLS: &[&[Assertion]] = &[
    #[cfg(has_access)]
    values! { libc => SYS_access SYS_poll; },
    #[cfg(not(has_access))]
    values! { libc => SYS_faccessat SYS_ppoll; },
    #[cfg(has_mmap2)]
    values! { libc => SYS_mmap2; },
    #[cfg(not(has_mmap2))]
    values! { libc => SYS_mmap; },
    #[cfg(has_ipc)]
    values! { libc => SYS_ipc; },
    #[cfg(not(has_ipc))]
    values! { libc => SYS_shmget SYS_shmat SYS_shmctl SYS_shmdt; },
    #[cfg(has_stat)]
    values! { libc => SYS_newfstatat; },
    #[cfg(any(target_arch = "x86", target_arch = "s390x"))]
    values! { libc => SYS_socketcall; },
    #[cfg(all(target_env = "gnu", any(target_arch = "x86", target_arch = "arm")))]
    values! { libc => SYS_fstatat64; },
];

/// What Linux's headers call otherwise, or spread over several names.
pub(super) const KERNEL: &[Assertion] = renamed! {
    "PTHREAD_CANCEL_ENABLE" process::CANCEL_ENABLE;
    "PTHREAD_CANCEL_DISABLE" process::CANCEL_DISABLE;
    "PTHREAD_CANCEL_DEFERRED" process::CANCEL_DEFERRED;
    "(long)RTLD_NEXT" octets(libc::RTLD_NEXT);
    "(long)RTLD_DEFAULT" octets(libc::RTLD_DEFAULT);
    "(long)MAP_FAILED" octets(libc::MAP_FAILED);
    "(long)SIG_DFL" libc::SIG_DFL;
    "(long)SIG_IGN" libc::SIG_IGN;
    "DT_FLAGS_1" own_object::FLAGS_1;
    "DF_1_NODELETE" own_object::FLAG_NODELETE;
    "IFNAMSIZ" interfaces::NAME_ROOM;
    "ARPHRD_TUNNEL" interfaces::TUNNELS[0];
    "ARPHRD_TUNNEL6" interfaces::TUNNELS[1];
    "ARPHRD_SIT" interfaces::TUNNELS[2];
    "AF_INET" addresses::INET;
    "AF_INET6" addresses::INET6;
    "NLMSG_DONE" netlink::DONE;
    "NLMSG_ERROR" netlink::ERROR;
    "RTM_NEWADDR" addresses::NEW_ADDRESS;
    "RTM_GETADDR" addresses::GET_ADDRESS;
    "NLM_F_REQUEST" netlink::REQUEST;
    "NLM_F_REQUEST | NLM_F_DUMP" netlink::REQUEST_DUMP;
    "NLM_F_MULTI" netlink::MULTIPART;
    "sizeof(struct ifaddrmsg)" netlink::IFADDRMSG;
    "sizeof(struct ifinfomsg)" netlink::IFINFOMSG;
    "RTM_NEWLINK" addresses::NEW_LINK;
    "RTM_GETLINK" addresses::GET_LINK;
    "sizeof(struct rtmsg)" netlink::RTMSG;
    "RTM_NEWROUTE" routes::NEW_ROUTE;
    "RTM_GETROUTE" routes::GET_ROUTE;
    "RTA_DST" routes::TO;
    "RTA_OIF" routes::INTERFACE;
    "RTA_GATEWAY" routes::GATEWAY;
    "RTA_PRIORITY" routes::PRIORITY;
    "RTA_PREFSRC" routes::SOURCE;
    "RTA_MULTIPATH" routes::MULTIPATH;
    "RTA_VIA" routes::VIA;
    "RT_TABLE_MAIN" routes::MAIN;
    "RTN_UNICAST" routes::UNICAST;
    "RT_SCOPE_LINK" addresses::SCOPE_LINK;
    "RT_SCOPE_HOST" addresses::SCOPE_HOST;
    "IFA_ADDRESS" addresses::ATTRIBUTE_ADDRESS;
    "IFA_LOCAL" addresses::ATTRIBUTE_LOCAL;
    "IFA_FLAGS" addresses::ATTRIBUTE_FLAGS;
    "IFLA_CARRIER_CHANGES" addresses::CARRIER_CHANGES;
    "IFA_F_TEMPORARY" addresses::FLAG_TEMPORARY;
    "IFA_F_HOMEADDRESS" addresses::FLAG_HOME;
    "IFA_F_DEPRECATED | IFA_F_OPTIMISTIC" addresses::FLAGS_DEPRECATED;
    "IFA_F_TENTATIVE" addresses::FLAG_TENTATIVE;
    "IFF_UP" addresses::IFF_UP;
    "IFF_LOOPBACK" addresses::IFF_LOOPBACK;
    "IFF_POINTOPOINT" addresses::IFF_POINT_TO_POINT;
    "IFF_MULTICAST" addresses::IFF_MULTICAST;
};

/// What such a pointer is made of.
const fn octets(pointer: *mut core::ffi::c_void) -> isize {
    // SAFETY: these constants are numbers in the clothes of pointers; they point to nothing.
    #[allow(ptr_to_integer_transmute_in_consts, reason = "the compiler refuses a cast here")]
    unsafe {
        core::mem::transmute::<*mut core::ffi::c_void, isize>(pointer)
    }
}

/// What only GNU's headers have.
#[cfg(target_env = "gnu")]
pub(super) mod gnu {
    use super::super::equal_if_defined;
    use super::*;
    use crate::abi::nss::reply::status;
    use crate::abi::{args, getnameinfo};
    use crate::abi::{getaddrinfo_a, notification};
    use crate::context::manual::option;
    use crate::sys::res_state::SEARCH_ROOM;

    pub(in super::super) const NAMED: &[Assertion] = values! {
        args::gnu => AI_IDN AI_CANONIDN;
        getnameinfo::gnu => NI_IDN;
        codes::gnu => EAI_NODATA EAI_ADDRFAMILY EAI_IDN_ENCODE;
        codes::h => NETDB_INTERNAL;
        libc => AT_FDCWD AT_EMPTY_PATH STATX_BASIC_STATS;
        getaddrinfo_a::gnu => EAI_INPROGRESS EAI_ALLDONE EAI_INTR GAI_WAIT GAI_NOWAIT;
        getaddrinfo_a => EAI_CANCELED;
        notification => SIGEV_SIGNAL SIGEV_THREAD SI_ASYNCNL;
    };

    pub(in super::super) const RENAMED: &[Assertion] = renamed! {
        "NSS_STATUS_TRYAGAIN" status::TRY_AGAIN;
        "NSS_STATUS_UNAVAIL" status::UNAVAILABLE;
        "NSS_STATUS_NOTFOUND" status::NOT_FOUND;
        "NSS_STATUS_SUCCESS" status::SUCCESS;
        "MAXNS" crate::config::resolv::MAX_SERVERS;
        "MAXDNSRCH + 1" SEARCH_ROOM;
        "RES_INIT" option::INIT;
        "RES_USEVC" option::USEVC;
        "RES_IGNTC" option::IGNTC;
        "RES_RECURSE" option::RECURSE;
        "RES_DEFNAMES" option::DEFNAMES;
        "RES_DNSRCH" option::DNSRCH;
        "RES_NOALIASES" option::NOALIASES;
        "RES_ROTATE" option::ROTATE;
        "RES_USE_EDNS0" option::USE_EDNS0;
        "RES_SNGLKUP" option::SNGLKUP;
        "RES_SNGLKUPREOP" option::SNGLKUPREOP;
        "RES_USE_DNSSEC" option::USE_DNSSEC;
        "RES_NOTLDQUERY" option::NOTLDQUERY;
    };

    /// Not in the headers of every glibc.
    pub(in super::super) const LATE: &[Assertion] = &[
        equal_if_defined("MADV_POPULATE_WRITE", libc::MADV_POPULATE_WRITE as i128),
        equal_if_defined("CLONE_NEWNET", libc::CLONE_NEWNET as i128),
        equal_if_defined("CLONE_NEWNS", libc::CLONE_NEWNS as i128),
        equal_if_defined("RTLD_DEEPBIND", libc::RTLD_DEEPBIND as i128),
        equal_if_defined("O_LARGEFILE", libc::O_LARGEFILE as i128),
        equal_if_defined("SIGPIPE", libc::SIGPIPE as i128),
        equal_if_defined("SIGXFSZ", libc::SIGXFSZ as i128),
        equal_if_defined("SIG_BLOCK", libc::SIG_BLOCK as i128),
        equal_if_defined("SO_COOKIE", libc::SO_COOKIE as i128),
        equal_if_defined("SO_NETNS_COOKIE", libc::SO_NETNS_COOKIE as i128),
        equal_if_defined("NI_NUMERICSCOPE", getnameinfo::gnu::NI_NUMERICSCOPE as i128),
        equal_if_defined("RES_TRUSTAD", option::TRUSTAD as i128),
        equal_if_defined("RES_NOAAAA", option::NOAAAA as i128),
        equal_if_defined("MADV_POPULATE_WRITE", libc::MADV_POPULATE_WRITE as i128),
    ];
}
