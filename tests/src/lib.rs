//! What Bailiwick's suites, load generator and benches share. Nothing here is part of the daemon.
//!
//! [`harness`] runs a real daemon and asks it over real sockets; [`load`] measures servers against each other.
#![deny(unsafe_code)]

pub mod crash;
pub mod fuzz;
pub mod harness;
pub mod listing;
pub mod load;
pub mod reference;
pub mod scenario;
