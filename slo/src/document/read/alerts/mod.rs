//! Who is told of what when.

mod tiers;
mod policies;

pub(crate) use policies::{Alerting, check, check_condition, check_target, read, receiver};
pub(crate) use tiers::{TierAt, Tiers, check as check_windows, read as read_tiers};
