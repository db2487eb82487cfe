//! Bailiwick's domain as values. No runtime, no clock, no files, no network.
//!
//! Everything here is a pure function or a plain value, so that the daemon, its dashboards and its tests count and
//! name alike. Modules in reading order: how things are named in public ([`conventions`]) and numbers without loss
//! ([`exact`]); what a request is worth ([`outcome`]), how counts become figures ([`ratio`]), how time is cut ([`time`]),
//! how durations are bucketed ([`latency`]), what a sampled span stands for ([`weight`]), how far a proportion may be off
//! ([`interval`]), how much traces show ([`coverage`]); what an SLO means ([`spec`]) and how it is read ([`document`]);
//! its calendar ([`calendar`]), when too few events are no proof ([`gates`]), SLOs at work ([`engine`]), who the bad
//! events came from ([`attribution`]); what SLOs ask metrics for ([`taps`]) and how records become events ([`course`]); what
//! a definition means before anything is counted ([`explain`]) and which target a past could keep ([`suggest`]);
//! definitions tried by stories ([`story`]), what other tools define ([`import`]), and the same alerts as Prometheus would
//! work them out ([`rules`]).
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
//! * **SLO** – a promise about a ratio over a period; its **target** T leaves an **error budget** of 1 - T.
//! * **tap** – a metric with attributes, and what SLOs read from its points.
//! * **instance** – an SLO of one tenant x module.
//! * **burn rate** – how many times faster than evenly over the period the budget goes.
//! * **tier** – a burn rate over a long and a short window at which somebody is told: page or ticket.
//! * **incident** – all that is wrong with one instance, from its first tier to its end.
#![forbid(unsafe_code)]

pub mod conventions;
pub mod exact;
pub mod wire;
pub mod saved;

pub mod outcome;
pub mod ratio;
pub mod time;
pub mod latency;
pub mod weight;
pub mod interval;
pub mod coverage;

pub mod spec;
pub mod document;

pub mod taps;

pub mod calendar;
pub mod gates;
pub mod engine;
pub mod course;
pub mod attribution;

pub mod explain;
pub mod suggest;

pub mod story;
pub mod import;
pub mod rules;
