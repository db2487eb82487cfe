//! The slow reference: the same batch as the observer's, from prost's structs, written after the specification.
//!
//! It shares with the daemon what a row's bytes are (`observation::batch::{layout, row}`), the settings and the names
//! of reasons and warnings, and nothing that decides. It is written to be compared with the specification line by
//! line, not to be fast; where two readings are possible it says which it takes. Of limits on numbers of things it knows
//! those of attributes, links and buckets.

mod spans;
mod around;
mod claims;
mod names;
mod outcome;
mod sampling;
mod metrics;
mod points;
mod attributes;
mod keys;
mod books;
mod table;
mod difference;

pub use difference::difference;
pub use keys::{is_used_of_points, is_used_of_scopes, is_used_of_spans};
pub use metrics::batch_of_metrics;
pub use points::points;
pub use spans::batch_of_traces;
