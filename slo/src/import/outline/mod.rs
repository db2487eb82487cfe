//! What the definitions of all tools have: keys that are read or told of, lengths of time, tiers, and SLOs as an
//! outline of which a document is made.

pub(super) mod keys;
pub(super) mod duration;
pub(super) mod tier;
mod slo;

pub(super) use slo::{Made, Outline, names_of, ratio, raw, source, windows};
