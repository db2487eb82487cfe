//! What became of an item: its codes, what it says itself, what the settings say of its operation.

use bailiwick_slo::outcome::Outcome;

use super::super::batch::row::{self, Evidence, NO_CODE, flag};
use super::super::fields::{code, write_service};
use super::super::outcome::{self, Facts};
use super::super::scratch::Scratch;
use super::super::settings::FourXxError;
use super::super::slots;
use super::ItemWalk;
use crate::otlp::attributes::{Slots, Value};

impl ItemWalk<'_> {
    pub(in crate::observation) fn is_excluded(&mut self, operation: u32) -> bool {
        let place = operation as usize;
        if self.scratch.excluded.len() <= place {
            self.scratch.excluded.resize(place + 1, None);
        }
        let Scratch { exclude, excluded, .. } = &mut *self.scratch;
        let builder = &*self.builder;
        *excluded[place].get_or_insert_with(|| {
            let name = builder.text(operation);
            exclude.iter().any(|pattern| pattern.fits(name))
        })
    }

    /// The module that the row itself names (`sli.md` 1.2 a, b, d, e); empty: none.
    fn named_module(&mut self, evidence: &Evidence) -> &str {
        let resource = &self.around.resource;
        let named = [evidence.module_span, self.around.module_scope, resource.module_resource];
        let text = &mut self.scratch.text;
        text.clear();
        match named.into_iter().find(|module| *module != 0) {
            Some(module) => text.extend_from_slice(self.builder.text(module)),
            None => write_service(text, self.builder, resource),
        }
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// Whether that module serves all tenants.
    pub(in crate::observation) fn is_shared(&mut self, evidence: &Evidence) -> bool {
        let declared = &self.rules.modules.declared;
        !declared.is_empty() && declared.get(self.named_module(evidence)).is_some_and(|module| module.shared)
    }

    /// Whether the code counts as a failure of the module that the row itself names.
    pub(in crate::observation) fn failing_4xx(&mut self, evidence: &Evidence, http: Option<u16>) -> bool {
        let failing = &self.rules.modules.failing_4xx;
        let Some(http) = http.filter(|_| !failing.is_empty()) else { return false };
        failing.get(self.named_module(evidence)).is_some_and(|codes| codes.contains(&http))
    }

    /// Whether a chain may begin here (`coverage.boundaries`).
    pub(in crate::observation) fn is_boundary(&mut self, operation: u32, evidence: &Evidence) -> bool {
        if self.scratch.boundaries.is_empty() {
            return false;
        }
        self.named_module(evidence);
        let (name, operation) = (&self.scratch.text, self.builder.text(operation));
        let declared = &self.scratch.boundaries;
        declared.iter().any(|(module, fitting)| module.as_bytes() == name.as_slice() && fitting.fits(operation))
    }

    /// What an item's outcome depends on but for kind, status and what it says itself.
    pub(in crate::observation) fn facts<'a>(
        &mut self,
        codes: Codes,
        attributes: &Slots<'a>,
        evidence: &Evidence,
    ) -> Facts<'a> {
        let error_type = match attributes.get(slots::ERROR_TYPE) {
            Some(Value::Text(text)) => text,
            Some(_) => b"other",
            None => b"",
        };
        let cancels = &self.rules.requests.cancel_error_types;
        Facts {
            http: codes.http,
            grpc: codes.grpc,
            error_type,
            cancelled: !error_type.is_empty() && cancels.iter().any(|name| name.as_bytes() == error_type),
            failing_4xx: self.failing_4xx(evidence, codes.http),
            forgive_4xx_error: self.rules.requests.server_4xx_error == FourXxError::ClientError,
            ..Facts::default()
        }
    }

    pub(in crate::observation) fn outcome(&mut self, row: &mut row::Span, attributes: &Slots<'_>, evidence: &Evidence) {
        let codes = Codes::read(attributes, &mut row.flags);
        row.code = codes.stored();
        if codes.is_grpc() {
            row.flags |= flag::GRPC_CODE;
        }
        let given = attributes.get(slots::OUTCOME).and_then(|value| match value {
            Value::Text(b"success") => Some(Outcome::Success),
            Value::Text(b"failure") => Some(Outcome::Failure),
            Value::Text(b"excluded") => Some(Outcome::Excluded),
            _ => {
                row.flags |= flag::UNKNOWN_ENUM;
                None
            }
        });
        let facts = self.facts(codes, attributes, evidence);
        let (mut outcome, mut rule) = outcome::decide(&Facts { kind: row.kind, status: row.status, given, ..facts });
        // E4 is about entries, and only CLIENT and PRODUCER spans are never one.
        if !matches!(row.kind, outcome::KIND_CLIENT | outcome::KIND_PRODUCER) && given.is_none() {
            if matches!(attributes.get(slots::SYNTHETIC), Some(Value::Text(b"bot" | b"test"))) {
                (outcome, rule) = (Outcome::Excluded, 11);
            } else if self.is_excluded(row.operation) {
                (outcome, rule) = (Outcome::Excluded, 10);
            }
        }
        row.outcome = outcome as u8;
        row.outcome_rule = rule;
    }
}

/// The status codes of an item.
#[derive(Debug, Clone, Copy)]
pub(in crate::observation) struct Codes {
    http: Option<u16>,
    grpc: Option<u16>,
}

impl Codes {
    /// Reads them; a code out of range is none, and flagged.
    pub(in crate::observation) fn read(attributes: &Slots<'_>, flags: &mut u32) -> Self {
        let http = attributes.first_of(slots::HTTP_CODE, 2).map(|(_, value)| value);
        let rpc = attributes.first_of(slots::RPC_CODE, 3).map(|(_, value)| value);
        Self { http: code(http, 100..=599, |_| None, flags), grpc: code(rpc, 0..=16, outcome::grpc_code, flags) }
    }

    /// The one that a row holds.
    pub(in crate::observation) fn stored(self) -> u16 {
        self.http.or(self.grpc).unwrap_or(NO_CODE)
    }

    /// Whether that is a gRPC code.
    pub(in crate::observation) fn is_grpc(self) -> bool {
        self.http.is_none() && self.grpc.is_some()
    }
}
