//! What a scenario file says.

pub(super) mod moment;
pub(super) mod story;
pub(super) mod expectation;
