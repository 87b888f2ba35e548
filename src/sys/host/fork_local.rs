//! One value per process that a forked child does not inherit: here one per instance of the core, of
//! which a child makes new ones.

use crate::sys::mem::NoMemory;
use std::sync::OnceLock;

/// The place of an instance-wide `T`.
pub struct PerProcess<T: 'static>(OnceLock<T>);

impl<T: Sync + 'static> PerProcess<T> {
    /// A place whose value is made at first use.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> PerProcess<T> {
        PerProcess(OnceLock::new())
    }

    /// The value, made by `make` if there is none yet.
    pub fn get(
        &'static self,
        make: impl FnOnce() -> Result<T, NoMemory>,
    ) -> Result<&'static T, NoMemory> {
        if let Some(value) = self.0.get() {
            return Ok(value);
        }
        let value = make()?;
        Ok(self.0.get_or_init(|| value))
    }

    /// The value, where it was made.
    pub fn made(&'static self) -> Option<&'static T> {
        self.0.get()
    }
}
