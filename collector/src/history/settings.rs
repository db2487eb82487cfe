//! How often the state of the rooms is kept (`history.`).

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Period;

/// What outlives the process besides the journal (`history.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Settings {
    /// How often the state of all figures is written, so that a start reads no more of the journal than came since.
    pub checkpoint_every: Period,
}

impl Default for Settings {
    fn default() -> Self {
        Self { checkpoint_every: Period::seconds(30) }
    }
}
