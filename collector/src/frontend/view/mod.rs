//! What faces show, as plain structs: page, API and command line print the same ones.
//!
//! Rows come from a snapshot ([`row`]) or a report, are filtered, sorted and paged ([`list`]) and become items
//! ([`item`], [`coverage`], [`finding`], [`graph`], [`slo`], [`ingest`], [`limit`]). Counts are added here, never
//! divided; durations are merged for the rows of a page only.

pub(crate) mod figure;
pub(crate) mod list;
pub(crate) mod row;

pub(crate) mod coverage;
pub(crate) mod finding;
pub(crate) mod graph;
pub(crate) mod ingest;
pub(crate) mod item;
pub(crate) mod limit;
pub(crate) mod slo;
