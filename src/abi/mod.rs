//! The C boundary: what programs call. Arguments become a query here, answers become libc's
//! structures; everything between is safe code that knows no C.

#![allow(unsafe_code)]

mod codes;
mod guard;
mod hostent;
mod hostent_static;
#[cfg(target_env = "gnu")]
mod job;
// The command has the library in itself, and does nothing before it is asked.
#[cfg(not(any(feature = "command", test)))]
mod loaded;
#[cfg(target_env = "gnu")]
mod notification;
#[cfg(target_env = "gnu")]
mod requests;
#[cfg(target_env = "gnu")]
mod waiting;

#[cfg(feature = "command")]
#[doc(hidden)]
pub mod libc_client;

pub mod addrinfo;
#[cfg(feature = "c-api")]
pub mod api;
pub mod args;
#[cfg(all(feature = "preload", target_env = "gnu"))]
pub mod cancel;
#[cfg(target_env = "gnu")]
pub mod configure_lookup;
pub mod getaddrinfo;
#[cfg(target_env = "gnu")]
pub mod getaddrinfo_a;
pub mod gethostby;
pub mod gethostent;
pub mod getnameinfo;
#[cfg(any(feature = "nss", feature = "truth", test))]
pub mod nss;
#[cfg(target_env = "gnu")]
mod res_addresses;
#[cfg(target_env = "gnu")]
pub mod res_close;
#[cfg_attr(not(target_env = "gnu"), path = "res_state_none.rs")]
mod res_state;
pub mod resolver;

#[cfg(any(feature = "truth", test))]
mod truth;
