//! Records as payloads, and back again after everything about them was checked.

use std::sync::Arc;

use bailiwick_slo::course::control::Control;

use super::format::Kind;
use crate::journal::Record;
use crate::observation::batch::{Batch, Damage};
use crate::observation::budget::Charge;

/// What a record is as bytes.
#[must_use]
pub const fn kind_of(record: &Record) -> Kind {
    match record {
        Record::Batch { .. } => Kind::Batch,
        Record::Tick { .. } => Kind::Tick,
        Record::Control(_) => Kind::Control,
        Record::Repeat { .. } => Kind::Repeat,
    }
}

/// Appends a record's payload.
pub fn write(record: &Record, out: &mut Vec<u8>) {
    match record {
        Record::Batch { batch, .. } => out.extend_from_slice(batch.bytes()),
        Record::Tick { now_ns } => out.extend_from_slice(&now_ns.to_le_bytes()),
        Record::Control(control) => control.write(out),
        Record::Repeat { original, batch, .. } => {
            out.extend_from_slice(&original.to_le_bytes());
            out.extend_from_slice(batch.bytes());
        }
    }
}

/// Why a payload is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It is damaged, though its checksum holds.
    Damaged,
    /// Its batch was written by a newer version.
    Newer(u16),
}

/// Reads a payload.
///
/// # Errors
/// Why it is none.
pub fn read(kind: Kind, payload: &[u8]) -> Result<Record, Unusable> {
    match kind {
        Kind::Batch => Ok(Record::Batch { batch: batch(payload)?, charge: Charge::none() }),
        Kind::Tick => {
            let now_ns = payload.try_into().map_err(|_| Unusable::Damaged)?;
            Ok(Record::Tick { now_ns: u64::from_le_bytes(now_ns) })
        }
        Kind::Control => {
            let control = Control::read(payload).map_err(|_| Unusable::Damaged)?;
            Ok(Record::Control(Arc::new(control)))
        }
        Kind::Repeat => {
            let (original, rest) = payload.split_first_chunk::<8>().ok_or(Unusable::Damaged)?;
            let original = u64::from_le_bytes(*original);
            Ok(Record::Repeat { original, batch: batch(rest)?, charge: Charge::none() })
        }
    }
}

fn batch(bytes: &[u8]) -> Result<Batch, Unusable> {
    Batch::check(bytes.to_vec()).map_err(|damage| match damage {
        Damage::Newer(version) => Unusable::Newer(version),
        _ => Unusable::Damaged,
    })
}

/// When a record is from, by its payload; none of its own: an order.
#[must_use]
pub fn time_of(kind: Kind, payload: &[u8]) -> Option<u64> {
    let at = match kind {
        Kind::Batch => 8,
        Kind::Repeat => 16,
        Kind::Tick => 0,
        Kind::Control => return None,
    };
    let bytes = payload.get(at..at + 8)?.try_into().ok()?;
    Some(u64::from_le_bytes(bytes))
}
