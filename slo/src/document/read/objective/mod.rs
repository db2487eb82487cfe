//! How much of it, over how long.

mod target;
mod window;
mod objectives;

pub(crate) use objectives::{Objective, read};
pub(crate) use target::read as read_target;
pub(crate) use window::{adjustment, read as read_period, rolling};
