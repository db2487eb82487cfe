//! The observation batch: one accepted request as one contiguous run of bytes (`ingest.md` 4).
//!
//! Little-endian, sections 8-byte aligned, in the order of [`layout::Section`]. The same request, settings and clock
//! give the same bytes. [`row`] says what a row holds, [`Builder`] writes, [`Batch::check`] and [`View`] read. The
//! journal stores these bytes as they are.

mod builder;
mod claims;
pub mod layout;
pub mod row;
mod strings;
mod view;

pub use builder::{Builder, Head, Meta, NoString};
pub use view::{Batch, Damage, View};
