//! Threads in network namespaces and roots of their own.
