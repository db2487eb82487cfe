//! Requests counted: by slot and hour of their end, and since the daemon began.

mod table;
pub(super) mod intervals;
pub(super) mod totals;
