//! What the parts of the reference write into, and the rules that they go by.

use bailiwick_collector::observation::Rules;
use bailiwick_collector::observation::batch::row::flag;
use bailiwick_collector::observation::report::{Reason, Warning};
use opentelemetry_proto::tonic::common::v1::KeyValue;

use super::attributes::Used;
use super::names;
use super::table::Table;

/// A batch in the making.
pub(super) struct Books<'r> {
    pub(super) rules: &'r Rules,
    pub(super) observed_at_ns: u64,
    pub(super) tenant_auth: u32,
    pub(super) table: Table,
}

impl Books<'_> {
    /// The place of a label; `flags` learn that it was cut.
    pub(super) fn label(&mut self, text: &str, flags: &mut u32) -> u32 {
        let (text, was_cut) = names::cut(text, self.rules.limits.label_bytes_max as usize);
        if was_cut {
            *flags |= flag::TRUNCATED;
        }
        self.table.string(text)
    }

    /// As much of a text as a row holds.
    pub(super) fn cut<'t>(&self, text: &'t str) -> &'t str {
        names::cut(text, self.rules.limits.label_bytes_max as usize).0
    }

    /// As many attributes as may be, and why their carrier is refused if there are more.
    pub(super) fn within<'a>(&self, attributes: &'a [KeyValue]) -> (&'a [KeyValue], Option<Reason>) {
        match attributes.get(..self.rules.limits.attributes_max as usize) {
            Some(first) if first.len() < attributes.len() => (first, Some(Reason::TooManyAttributes)),
            _ => (attributes, None),
        }
    }

    pub(super) fn warn(&mut self, flags: u32) {
        for (bit, warning) in [
            (flag::CLOCK_ANOMALY, Warning::ClockAnomaly),
            (flag::TENANT_CONFLICT, Warning::TenantConflict),
            (flag::TRUNCATED, Warning::Truncated),
            (flag::ATTRIBUTE_SHAPE, Warning::AttributeShape),
            (flag::STRINDEX, Warning::Strindex),
            (flag::UNKNOWN_ENUM, Warning::UnknownEnum),
            (flag::DUPLICATE_KEY, Warning::DuplicateKey),
        ] {
            if flags & bit != 0 {
                self.table.warn(warning);
            }
        }
    }
}

/// What was odd about attributes, as flags.
pub(super) fn odd(used: &Used) -> u32 {
    let bit = |set: bool, flag: u32| if set { flag } else { 0 };
    bit(used.shape, flag::ATTRIBUTE_SHAPE)
        | bit(used.duplicate, flag::DUPLICATE_KEY)
        | bit(used.strindex, flag::STRINDEX)
}
