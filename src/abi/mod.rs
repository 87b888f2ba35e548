//! The C boundary: what programs call. Arguments become a query here, answers become libc's
//! structures; everything between is safe code that knows no C.

#![allow(unsafe_code)]

mod codes;
mod guard;
mod hostent;
mod kept;

pub mod foreign;

pub mod addrinfo;
pub mod args;
pub mod getaddrinfo;
pub mod gethostby;
pub mod gethostent;
pub mod getnameinfo;
