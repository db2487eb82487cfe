//! What is good of what.

mod openslo;
mod ours;

pub(crate) use openslo::{Indicator, check, check_comparison, keys, place, read};
pub(crate) use ours::{OurSli, read as read_ours, weight_of};
