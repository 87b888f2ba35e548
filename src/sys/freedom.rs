//! What a thread can leave, and what a network namespace is known by: the same however the system is asked
//! (`sys::namespaces`).

/// What a thread can leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Freedom {
    /// Neither network namespace nor root.
    Nothing,
    /// Its root, by chroot(2): `CAP_SYS_CHROOT`, which containers leave to their root user.
    Root,
    /// Both: `CAP_SYS_ADMIN`.
    All,
}

impl Freedom {
    /// That of a number, [`Freedom::Nothing`] being 0 and so on.
    pub fn of(number: u32) -> Freedom {
        match number {
            0 => Freedom::Nothing,
            1 => Freedom::Root,
            _ => Freedom::All,
        }
    }
}

/// What a network namespace is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// `SO_NETNS_COOKIE` (Linux 5.14), which no other one ever has.
    Cookie(u64),
    /// Its number in /proc, which a later one may have when this one is gone.
    Number(u64),
}
