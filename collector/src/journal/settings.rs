//! How much journal there may be, and how durable it is (`journal.`).

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Level;
use crate::units::ByteSize;

/// What was accepted, on the disk (`journal.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Settings {
    /// When an export is acknowledged: `fsync` once it is on the disk (survives power loss), `os` once the operating
    /// system has it (survives the end of the process; on the disk within a second), `none` at once (no promise).
    pub durability: Level,
    /// Bytes of one file. Small ones are for tests.
    pub segment_bytes: ByteSize,
    /// Least room on the disk; with less, exports are told to come back (`disk_full`).
    pub min_free_bytes: ByteSize,
    /// Most bytes of all files together; with more, exports are told to come back (`journal_full`).
    pub bytes_max: ByteSize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            durability: Level::Fsync,
            segment_bytes: ByteSize::mib(64),
            min_free_bytes: ByteSize::mib(256),
            bytes_max: ByteSize::mib(4_096),
        }
    }
}
