//! The order of addresses, and what a NULL node and AI_ADDRCONFIG stand for.
