//! Calls under way: C has the notes here, and throws an instance away whose call is gone.

use core::time::Duration;

/// How long a thread waits until it looks whether it is cancelled.
pub const PAUSE: Duration = Duration::MAX;

/// C waits, and knows itself who was cancelled.
pub fn is_cancelled() -> bool {
    false
}

/// Nobody waits for another thread here.
pub fn is_listening() -> bool {
    false
}
