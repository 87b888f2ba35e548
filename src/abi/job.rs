//! One lookup of `getaddrinfo_a`, apart from the control block that asked for it.

use super::getaddrinfo::translate;
use super::getaddrinfo_a::Gaicb;
use super::{args, guard};
use crate::sys::mem::{NoMemory, c_string};
use core::ffi::{c_char, c_int};
use core::ptr::null_mut;
use std::ffi::CString;

/// A copy of what a block asks for: when its request is given up, names and hints go with it.
pub(super) struct Job {
    node: Option<CString>,
    service: Option<CString>,
    hints: Option<libc::addrinfo>,
}

impl Job {
    /// # Safety
    /// `block` is valid, and so are the strings and hints that it points to.
    pub(super) unsafe fn read(block: *const Gaicb) -> Result<Job, NoMemory> {
        // SAFETY: by the function's contract.
        let (node, service, hints) = unsafe {
            let hints = (*block).ar_request;
            let hints = (!hints.is_null()).then(|| hints.read_unaligned());
            (args::text((*block).ar_name), args::text((*block).ar_service), hints)
        };
        let copy = |text: Option<&[u8]>| match text {
            Some(text) => c_string(&[text]),
            None => Ok(None),
        };
        Ok(Job { node: copy(node)?, service: copy(service)?, hints })
    }

    /// `getaddrinfo` with it: the code, and with 0 the list.
    pub(super) fn run(&self) -> (c_int, *mut libc::addrinfo) {
        let pointer = |text: &Option<CString>| -> *const c_char {
            text.as_ref().map_or(core::ptr::null(), |text| text.as_ptr())
        };
        let hints = self.hints.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
        let mut list = null_mut();
        // SAFETY: strings, hints and the place for the list live through the call.
        let work = || unsafe {
            translate(pointer(&self.node), pointer(&self.service), hints, &raw mut list)
        };
        let code = guard::run((libc::EAI_FAIL, None), work);
        (code, list)
    }
}
