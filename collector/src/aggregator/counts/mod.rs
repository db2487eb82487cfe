//! Requests counted: by slot and hour of their end, and since the daemon began.

pub(super) mod table;
pub(super) mod intervals;
pub(super) mod tiers;
pub(super) mod messages;
pub(super) mod totals;
pub(super) mod times;
