//! SLOs and incidents as they are told: what a report of the evaluator holds, in public words. Nothing is evaluated
//! here.
//!
//! Reading order: numbers and times of a report ([`number`]), tiers ([`tier`]), an instance ([`item`]), an incident
//! ([`incident`]), what operators order ([`correction`], [`silence`]), what
//! definitions mean ([`explanation`]), what is wrong with documents ([`finding`]) and what came of a trial ([`backtest`]).

pub(crate) mod number;
pub(crate) mod tier;

pub(crate) mod item;

pub(crate) mod incident;

pub(crate) mod correction;
pub(crate) mod silence;

pub(crate) mod explanation;
pub(crate) mod finding;
pub(crate) mod backtest;
