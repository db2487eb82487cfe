//! Harness and suites with real sockets and real clients.
