//! The handlers: read the question, ask the views, answer. No figure is computed here.

pub(crate) mod query;

mod alternatives;

pub(crate) mod ingest;
pub(crate) mod limits;
pub(crate) mod requests;

pub(crate) mod coverage;
pub(crate) mod findings;
pub(crate) mod graph;

pub(crate) mod incidents;
pub(crate) mod history;
pub(crate) mod orders;
pub(crate) mod instance;
pub(crate) mod slos;

pub(crate) mod documents;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod nowhere;
