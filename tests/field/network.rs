//! The host's network changes under an unchanged resolv.conf.
