//! A document as a tree in which every key and value remembers where it was written. It knows no key.

mod node;
mod syntax;
mod canonical;

pub(super) use canonical::canonical;
pub(super) use node::{Entry, Scalar, Spot, find_paths};
pub(crate) use node::{Node, Value};
pub(super) use syntax::{Origin, read};

#[cfg(test)]
mod tests;
