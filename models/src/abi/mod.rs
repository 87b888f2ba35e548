//! getaddrinfo_a's waiting.

#[path = "../../../src/abi/waiting.rs"]
mod waiting;

mod notification {
    /// Told when all requests are done.
    pub(super) struct Notification(pub(super) Box<dyn Fn() + Send + Sync>);

    impl Notification {
        pub(super) fn send(&self) {
            (self.0)();
        }
    }
}

use crate::sys::shared::Shared;
use notification::Notification;
use waiting::{Group, Suspended, Watcher};

/// Requests of one call.
#[derive(Clone)]
pub struct Requests(Shared<Group>);

impl Requests {
    /// So many; `done` is called when the last one is.
    pub fn new(count: usize, done: impl Fn() + Send + Sync + 'static) -> Requests {
        let group = Group::new(Some(Notification(Box::new(done)))).unwrap();
        group.begin(count);
        Requests(group)
    }

    pub fn one_less(&self) {
        self.0.one_less(true);
    }

    pub fn wait(&self) {
        self.0.wait();
    }
}

/// Somebody who waits for one request.
#[derive(Clone)]
pub struct Watched(Shared<Watcher>);

impl Watched {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Watched {
        Watched(Watcher::new().unwrap())
    }

    pub fn fire(&self) {
        self.0.fire();
    }

    /// True where the request is done.
    pub fn wait(&self) -> bool {
        matches!(self.0.wait(None), Suspended::Done)
    }
}
