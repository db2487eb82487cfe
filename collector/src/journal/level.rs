//! How durable a record is before it is acknowledged (`ingest.md` 5.3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Record;

/// What an acknowledgement promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing: it is acknowledged when the journal has been asked.
    None,
    /// It survives the end of the process: the operating system has it.
    Os,
    /// It survives power loss: it is on the disk.
    #[default]
    Fsync,
}

impl Level {
    /// All levels, the weakest first.
    pub const ALL: [Self; 3] = [Self::None, Self::Os, Self::Fsync];

    /// As it is written in settings and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Os => "os",
            Self::Fsync => "fsync",
        }
    }
}

/// The level of a record: batches have the one that is set; what moves the clock or was ordered is always on the disk, so
/// that at least once a second everything is.
#[must_use]
pub const fn of(record: &Record, durability: Level) -> Level {
    match record {
        Record::Batch { .. } | Record::Repeat { .. } => durability,
        Record::Control(_) | Record::Tick { .. } => Level::Fsync,
    }
}
