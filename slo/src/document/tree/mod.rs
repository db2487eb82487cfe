//! A document as a tree in which every key and value remembers where it was written. It knows no key.

mod node;
mod syntax;
mod canonical;

pub(super) use canonical::canonical;
pub(crate) use node::{Entry, Node, Spot, Value};
pub(super) use node::{Scalar, find_paths};
pub(super) use syntax::{Origin, read};

#[cfg(test)]
mod tests;
