//! What OpenSLO has no words for.

mod patch;
mod whole;

pub(crate) use whole::{Extension, RuleAt, read};
