//! `bailiwick demo`: a synthetic multi-tenant platform with seeded faults that sends real OTLP to a daemon. In
//! reading order: what is asked for ([`DemoArguments`]), the traffic ([`Platform`]), its OTLP form, the past
//! ([`backfill`]) and the present ([`run`]). It only ever sends to the addresses that it is given.

mod arguments;
mod backfill;
mod encode;
mod guest;
#[cfg(test)]
mod fake_daemon;
mod measure;
mod platform;
mod run;
mod send;

pub use arguments::DemoArguments;
pub use backfill::{BackfillSink, backfill};
pub use guest::guest;
pub use platform::{BACKFILL_SECONDS, Expected, Fault, Faults, Platform, Series, UnknownFault};
pub use run::{Live, RunReport, prepare, run};
pub use send::{Tally, Targets};
