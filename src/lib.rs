//! rustdns: libc's name resolution, replaced in programs that are already built.
