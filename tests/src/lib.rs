//! Harness and suites with real sockets and real clients.
#![deny(unsafe_code)]

pub mod fuzz;
pub mod reference;
