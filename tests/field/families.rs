//! How long one family of addresses is waited for when the other is known.
