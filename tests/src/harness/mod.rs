//! A real daemon, real sockets, no shared port: what every suite starts from.
//!
//! [`Daemon`] is the process under test, [`Api`] asks its HTTP listeners, [`exposition`] reads `/metrics`, and
//! [`eventually`] waits for what takes time. It knows no span and judges nothing: suites do.

mod api;
pub mod daemon;
mod eventually;
pub mod exposition;
pub mod folder;
pub mod process;
pub mod raw;

pub use api::{Api, Reply};
pub use daemon::{Daemon, binary};
pub use eventually::eventually;
pub use process::{Exit, Process};
