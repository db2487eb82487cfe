//! Where SLOs come from and how many there may be (`slo.`).

use bailiwick_slo::engine::fleet::Limits;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::ByteSize;

/// SLOs (`slo.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Settings {
    /// Files with SLO definitions, by pattern (`/etc/bailiwick/slo/*.yaml`). They are taken all or none.
    pub files: Vec<String>,
    /// Most instances (SLO x tenant x module). Further ones are refused and counted.
    #[garde(range(min = 1, max = 1_000_000))]
    pub instances_max: u32,
    /// Most bytes of their history. Over it no further instance is made, and those with most forget the oldest of it:
    /// their windows then begin later, as `period.from` tells.
    pub memory_max: ByteSize,
    /// Most bytes of the tick ledger, from which other definitions are tried (`slo backtest`); over it the oldest
    /// records leave.
    pub ledger_max: ByteSize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { files: Vec::new(), instances_max: 10_000, memory_max: ByteSize::mib(256), ledger_max: ByteSize::mib(64) }
    }
}

impl Settings {
    /// What a fleet may take.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { instances_max: self.instances_max as usize, memory_bytes_max: self.memory_max.bytes() }
    }
}
