//! The live-trace index: spans of traces that are still coming, put together and judged (`sli.md` 1.3, 2, 3).
//!
//! A batch is indexed whole ([`index`]); at ticks the traces that it touched are judged ([`kin`] finds parents,
//! [`judge`] modules, tenants and entries), and traces that have settled are searched for gaps ([`chains`]), callers
//! ([`graph`]) and leaks ([`leaks`]). What is decided here is booked by the fold. Everything but the index itself is
//! pure: spans of one trace in, decisions out, the same in whatever order the spans came.

pub(super) mod span;
pub(super) mod pool;
pub(super) mod sample;
pub(super) mod kin;
pub(super) mod judge;
pub(super) mod chains;
pub(super) mod calls;
pub(super) mod leaks;
pub(super) mod index;
