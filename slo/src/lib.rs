//! Bailiwick's domain as values. No runtime, no clock, no files, no network.
//!
//! Everything here is a pure function or a plain value, so that the daemon, its dashboards and its tests count and
//! name alike. Modules in reading order: what a request is worth ([`outcome`]), how counts become figures
//! ([`ratio`]), how time is cut ([`time`]), how durations are bucketed ([`latency`]), what a sampled span stands for
//! ([`weight`]), how far a proportion may be off ([`interval`]), how much traces show ([`coverage`]), how things are
//! named in public ([`conventions`]).
//!
//! # Glossary (one meaning each)
//!
//! * **tenant** – who is served; isolation is per tenant.
//! * **module** – a part of the platform that is answerable for requests (`rag_hub`).
//! * **operation** – what is asked of a module (`POST /rag/query`), always with an entry type.
//! * **request** – one entry span.
//! * **outcome** – success, failure, client_error, cancelled or excluded.
//! * **observation** – one span or data point reduced to what the books need.
//! * **series** – tenant x module x operation (x entry type).
//! * **slot** – a closed 10 s interval of a series.
//! * **window** – a union of whole slots that a figure speaks about.
//! * **snapshot** – the immutable figures of one moment.
#![forbid(unsafe_code)]

pub mod conventions;
pub mod coverage;
pub mod attribution;
pub mod calendar;
pub mod gates;
pub mod engine;
pub mod exact;
pub mod interval;
pub mod latency;
pub mod outcome;
pub mod ratio;
pub mod spec;
pub mod time;
pub mod weight;
