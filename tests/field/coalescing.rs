//! Questions under way, asked once whatever else waits.
