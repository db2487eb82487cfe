//! What other tools define, as documents of `bailiwick/v1` (`slo.md` 5). Text in, documents and findings out; no files.
//!
//! A tool's texts are read as trees that know their lines; what stands there becomes an outline of an SLO, or of a
//! named set of tiers; documents are made of these, written, and read again like any other, so that what is wrong with
//! them is told at once, at the place in the source. Nothing is dropped in silence: a key that nobody knows is 004, and
//! so, as a note, is one that has no counterpart here.
//!
//! Queries of other systems are kept as they are. Such an SLO is inactive (024) until a map says which module it speaks
//! of, and what is good there.
//!
//! ```
//! use bailiwick_slo::import::{Options, Tool, import};
//! let text = "
//! version: prometheus/v1
//! service: checkout
//! slos:
//!   - name: availability
//!     objective: 99.9
//!     sli: {events: {error_query: 'sum(rate(e[{{.window}}]))', total_query: 'sum(rate(t[{{.window}}]))'}}
//!     alerting: {}
//! ";
//! let map = "checkout-availability: {module: checkout_api, sli: {kind: availability}}";
//! let options = Options { map: Some(("map.yaml", map)), ..Options::default() };
//! let imported = import(Tool::Sloth, &[("sloth.yaml", text)], &options);
//! assert!(imported.findings.is_empty(), "{:#?}", imported.findings);
//! assert_eq!(imported.documents[0].name(), "checkout-availability");
//! ```

mod run;
mod map;
mod outline;
mod sloth;
mod pyrra;
mod slo_generator;
mod openslo;
mod finish;

pub use run::{Imported, Options, Tool, UnknownTool, import};
