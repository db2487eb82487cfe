//! Figures out on :4319. It reads snapshots and shows them; it computes nothing that another face would compute again.
//! What operators order goes into the journal ([`Orders`]).
//!
//! Reading order: what the handlers share ([`State`]), whether the daemon is ready ([`Readiness`]), the views that all
//! faces print ([`view`]) with their formatter ([`format`]), `/metrics` ([`exposition`]), the handlers ([`api`]) on
//! HTTP as it is spoken here ([`http`]), and the listener ([`Bound`], [`Server`]).

mod settings;
mod inventory;
mod orders;
mod state;

mod readiness;

mod format;
mod scope;
mod view;

mod exposition;

mod api;
mod http;
mod openapi;
mod router;

mod recorder;
mod server;

pub use exposition::reference::markdown as metrics_markdown;
pub use inventory::{DeclaredModule, Inventory, Position};
pub use openapi::openapi_json;
pub use orders::Orders;
pub use readiness::{Check, Facts, Readiness, readiness};
pub use recorder::{Recorded, recorder};
pub use router::router;
pub use server::{Bound, ListenError, Server};
pub use settings::{MetricsSettings, ServerSettings};
pub use state::{DefinitionsReader, LimitsReader, Parts, ReportReader, SnapshotReader, State};
pub use view::slo::backtest::BacktestDocument;
pub use view::slo::explanation::explanation_json;
pub use view::slo::finding::CheckDocument;
