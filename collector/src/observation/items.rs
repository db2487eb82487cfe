//! What spans and data points share: where their rows go, what their resource and scope say, under whom they are booked.

mod claimed;
mod headers;
mod judged;

pub(super) use judged::Codes;

use super::batch::row::{Context, flag};
use super::batch::{Builder, NoString};
use super::fields::label;
use super::naming::write_text;
use super::observer::Request;
use super::report::{Position, Reason, Report, Warning};
use super::scratch::Scratch;
use super::settings::Rules;
use crate::otlp::attributes::Value;

/// Why an item gets no row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal(pub(super) Reason);

impl From<NoString> for Refusal {
    fn from(_: NoString) -> Self {
        Self(Reason::InvalidUtf8)
    }
}

/// What is known of the resource and scope of the items that follow.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    pub(super) resource: Context,
    /// The resource's tenant claim is no tenant id.
    bad_tenant: bool,
    /// A used string of resource or scope is not UTF-8, or it has too many attributes.
    resource_refusal: Option<Reason>,
    scope_refusal: Option<Reason>,
    pub(super) module_scope: u32,
    scope_name: u32,
    row: Option<u32>,
}

/// The walk's sink: one request.
#[derive(Debug)]
pub(super) struct ItemWalk<'w> {
    pub(super) rules: &'w Rules,
    pub(super) builder: &'w mut Builder,
    pub(super) scratch: &'w mut Scratch,
    pub(super) observed_at_ns: u64,
    tenant_text: &'w str,
    tenant_auth: u32,
    pub(super) around: Surroundings,
    pub(super) position: Position,
    pub(super) report: Report,
}

impl<'w> ItemWalk<'w> {
    pub(super) fn new(
        rules: &'w Rules,
        builder: &'w mut Builder,
        scratch: &'w mut Scratch,
        request: &Request<'w>,
    ) -> Self {
        let mut walk = Self {
            rules,
            builder,
            scratch,
            observed_at_ns: request.observed_at_ns,
            tenant_text: request.meta.tenant_auth,
            tenant_auth: 0,
            around: Surroundings::default(),
            position: Position::default(),
            report: Report::default(),
        };
        walk.begin();
        walk
    }

    pub(super) fn begin(&mut self) {
        self.scratch.begin();
        self.tenant_auth = self.builder.string(self.tenant_text.as_bytes()).unwrap_or(0);
        // Counted from 1 while walking, so that the first resource, scope and span have number 0 afterwards.
        self.position = Position { resource: u32::MAX, ..Position::default() };
        self.report = Report::default();
    }

    pub(super) fn finish(self) -> Report {
        self.report
    }

    /// Why the items of this resource and scope are refused, if they are.
    pub(super) fn around_refusal(&self) -> Option<Reason> {
        self.around.resource_refusal.or(self.around.scope_refusal)
    }

    /// The index of a label: cut at `label_bytes_max`, `_other` when the batch is full.
    pub(super) fn label(&mut self, value: Value<'_>, flags: &mut u32) -> Result<u32, NoString> {
        match value {
            Value::Text(text) => label(self.builder, self.rules, text, flags),
            other => {
                self.scratch.text.clear();
                write_text(&mut self.scratch.text, other);
                label(self.builder, self.rules, &self.scratch.text, flags)
            }
        }
    }

    pub(super) fn context_row(&mut self) -> u32 {
        if let Some(row) = self.around.row {
            return row;
        }
        let around = &self.around;
        let row = self.builder.context(&Context {
            module_scope: around.module_scope,
            scope_name: around.scope_name,
            ..around.resource
        });
        self.around.row = Some(row);
        row
    }

    pub(super) fn warn(&mut self, flags: u32) {
        const OF_FLAGS: [(u32, Warning); 7] = [
            (flag::CLOCK_ANOMALY, Warning::ClockAnomaly),
            (flag::TENANT_CONFLICT, Warning::TenantConflict),
            (flag::TRUNCATED, Warning::Truncated),
            (flag::ATTRIBUTE_SHAPE, Warning::AttributeShape),
            (flag::STRINDEX, Warning::Strindex),
            (flag::UNKNOWN_ENUM, Warning::UnknownEnum),
            (flag::DUPLICATE_KEY, Warning::DuplicateKey),
        ];
        // The lowest of these flags is bit 9: most spans end here.
        if flags >= flag::CLOCK_ANOMALY {
            for (bit, warning) in OF_FLAGS {
                self.report.warnings[warning as usize] += u32::from(flags & bit != 0);
            }
        }
    }
}
