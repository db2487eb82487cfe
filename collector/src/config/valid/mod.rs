//! Whether what was written can be used: keys and kinds against the shape of the settings, typed values, rules between
//! them. Each pass goes over what the last could use.

mod shape;
mod suggest;
mod structure;
mod typed;
mod rules;

pub(super) use rules::check as check_rules;
pub(super) use shape::Shape;
pub(super) use structure::{check as check_structure, unknown_key};
pub(super) use typed::read as read_settings;
