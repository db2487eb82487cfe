//! The synthetic platform as a pure function of seed and time. It never sends and never reads a clock.

mod faults;
mod generator;
mod random;
mod request;
mod shape;
#[cfg(test)]
mod tests;

pub use faults::{Fault, Faults, UnknownFault};
pub use generator::{BACKFILL_SECONDS, Expected, Platform};
pub use request::Series;

pub(super) use request::Request;
pub(super) use shape::{Call, Conventions, Entry, ModuleClaim, Service, TenantClaim, Transport};
