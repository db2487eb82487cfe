//! How much of it, over how long.

mod target;
mod window;
mod objectives;

pub(crate) use objectives::{Objective, read};
pub(crate) use target::{of_percent as target_of_percent, of_ratio as target_of_ratio, read as read_target};
pub(crate) use window::{adjustment, read as read_period, rolling};
