//! One accept loop for every OTLP listener: who may connect, how long a connection may take over what, when it ends.
//!
//! [`Ageing`] decides, [`Seats`] counts, [`run`] and the connection's task act. Nothing here knows what a request is.

mod activity;
mod ageing;
mod connection;
mod listener;
mod seats;
mod socket;

#[cfg(test)]
mod tests;

pub use activity::{Activity, Tracked};
pub use ageing::{Ageing, Verdict, Vitals};
pub use connection::{Handler, Peer, Server};
pub use listener::{House, run};
pub use seats::{NoSeat, Occupancy, Seats, SeatsMax};
