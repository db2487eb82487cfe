//! SLOs at work: instances that take what each tick counted and say what state they are in and what happened. Pure: the
//! same ticks give the same words, live, in a replay and in a backtest.
//!
//! In reading order: what a tick counts ([`sums`]), cells by time (`store`), windows as running sums ([`windows`]),
//! what windows say ([`truth`]), how events count ([`counting`]), where slices of time lie (`cuts`) and what they count
//! (`slices`), tiers ([`tiers`]), what becomes of it ([`incident`]), one instance with all of that ([`instance`],
//! [`forecast`], [`status`]), all of them ([`fleet`]), those that are told by others (`composite`, `assembly`), what a
//! change of SLOs does to them (`redefine`), what [`corrections`] do, and what people read ([`text`]).

pub mod sums;
mod store;
pub mod windows;
pub mod truth;
pub mod counting;
mod cuts;
mod slices;
pub mod tiers;
pub mod incident;
pub mod instance;
pub mod forecast;
pub mod status;
pub mod fleet;
mod composite;
mod assembly;
mod redefine;
pub mod corrections;
pub mod text;

#[cfg(test)]
pub(crate) mod tests;
