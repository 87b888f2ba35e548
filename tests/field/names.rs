//! Names that this host knows itself, and files that have them.
