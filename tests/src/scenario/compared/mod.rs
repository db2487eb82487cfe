//! What is seen against what is expected, fact by fact.

pub(super) mod figures;
pub(super) mod coverage;
pub(super) mod findings;
pub(super) mod laws;
