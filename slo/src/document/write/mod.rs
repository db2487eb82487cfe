//! Documents as text: objects of `bailiwick/v1`, in an order that never changes, with quotes wherever a reader could
//! take a text for something else. It knows no key; what belongs into a document is its maker's affair.

mod value;
mod render;
mod object;

pub use object::{Document, write};
pub(crate) use value::{Fields, Yaml};

#[cfg(test)]
mod tests;
