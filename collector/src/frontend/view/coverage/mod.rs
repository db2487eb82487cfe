//! How much of what really happened the traces show: counts of a window ([`sums`], [`independent`], [`reading`]) and what is said of them
//! ([`item`]). The figures themselves are `bailiwick_slo::coverage`.

mod sums;
mod independent;
pub(crate) mod reading;

pub(crate) mod breaks;
pub(crate) mod item;
