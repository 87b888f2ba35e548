//! Answers at the end of an alias, and for how long they are kept.
