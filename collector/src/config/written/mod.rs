//! What the operator wrote, as a tree that remembers where: text, environment and flags, before anybody judges it.

mod tree;
mod syntax;
mod expand;
mod assignment;

pub(super) use assignment::{from_environment, from_flag};
pub use expand::Environment;
pub(super) use expand::expand;
pub(super) use syntax::read;
pub use tree::{Entry, Node, Scalar, Value};
pub(super) use tree::{Meaning, merge};
