//! The Bailiwick daemon: OTLP in, exact books per tenant, module and operation, figures out.
//!
//! Rooms in the order in which data passes them; each may use only what the table in `tests/suite/tidy/imports.rs`
//! allows it. [`app`] alone knows them all.
#![deny(unsafe_code)]

pub mod app;
pub mod clock;
pub mod units;

pub mod config;
pub mod tenancy;

pub mod receiver;
pub mod otlp;
pub mod observation;
pub mod journal;
pub mod aggregator;
pub mod evaluator;
pub mod history;
pub mod frontend;

pub mod cli;
