//! `/metrics`: figures of one snapshot as plain families, written in the format that the scraper asked for.
//!
//! Reading order: what is published ([`catalogue`]), how a family is held ([`family`]), where its samples come from
//! ([`requests`], [`coverage`], [`slo`], [`graph`], [`own`], [`process`]), what other rooms recorded ([`recorded`]),
//! how it is written ([`line`], [`text`], [`openmetrics`]) and how a whole document comes about ([`document`]). No family
//! occurs twice in a document, and no sample is NaN: what is empty or unmeasured has no sample.

pub(crate) mod catalogue;
pub(crate) mod family;

pub(crate) mod coverage;
pub(crate) mod graph;
pub(crate) mod own;
pub(crate) mod process;
pub(crate) mod recorded;
pub(crate) mod requests;
pub(crate) mod slo;

mod line;

pub(crate) mod document;
pub(crate) mod openmetrics;
pub(crate) mod text;

pub(crate) mod reference;
