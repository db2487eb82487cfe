//! Measures servers against each other as `speed.md` 5 says: same bytes, one core each, CPU per span.
//!
//! Reading order: what is sent ([`workload`], [`series`], [`pool`]), how ([`client`]), to whom ([`target`], and in it
//! the yardsticks [`null_sink`] and [`peer`]), one measured [`cell`], what must be right before a figure counts
//! ([`books`]), and the [`table`]. The generator never shares a process with a server.

pub mod random;
pub mod workload;
pub mod series;
mod spans;
pub mod pool;
pub mod fresh;
pub mod client;
pub mod null_sink;
pub mod peer;
pub mod target;
pub mod usage;
pub mod books;
pub mod cell;
pub mod table;
