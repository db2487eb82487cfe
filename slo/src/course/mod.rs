//! SLOs over time: records in, events out. A running daemon and a backtest go the same course.
//!
//! In reading order: what operators order ([`control`], [`recurrence`]), what a record holds ([`record`]), how records
//! are written down (`codec`) and kept ([`ledger`]), what they come to ([`run`], `delta`, `orders`), the words of the alert log
//! ([`log`]), and definitions tried on records that are over ([`backtest`]).

pub mod control;
pub mod recurrence;
pub mod record;
mod codec;
pub mod ledger;
pub mod run;
mod delta;
mod orders;
pub mod log;
pub mod backtest;
