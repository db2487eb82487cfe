//! Spans to rows: claims, module, operation, outcome, and the reasons why a span may be refused.
//!
//! A span is refused for the first of: too many attributes, ids, times, tenant, strings that are not UTF-8.

mod extras;
mod peer;

use super::batch::NoString;
use super::batch::row::{self, Evidence, extra, flag};
use super::fields::{id, in_range, label, oddity_flags, spoken_flags};
use super::items::{ItemWalk, Refusal};
use super::naming::write_operation;
use super::outcome;
use super::report::Reason;
use super::slots;
use crate::otlp::attributes::{Slots, Value};
use crate::otlp::header::Header;
use crate::otlp::trace::{Link, Span, TraceSink};

impl ItemWalk<'_> {
    fn times(&self, span: &Span<'_>, flags: &mut u32) -> Result<(), Refusal> {
        if span.start_ns == 0 || span.end_ns == 0 {
            return Err(Refusal(Reason::MissingTime));
        }
        if let Some(reason) = self.rules.ingest.judge(span.end_ns, self.observed_at_ns) {
            return Err(Refusal(reason));
        }
        if span.end_ns < span.start_ns {
            *flags |= flag::CLOCK_ANOMALY;
        }
        Ok(())
    }

    fn operation(&mut self, span: &Span<'_>, attributes: &Slots<'_>, flags: &mut u32) -> Result<u32, NoString> {
        self.scratch.text.clear();
        write_operation(&mut self.scratch.text, attributes, span.name);
        label(self.builder, self.rules, &self.scratch.text, flags)
    }

    fn links(&mut self, row: &mut row::Span, links: &[Link<'_>]) {
        for link in links {
            let (Ok(trace_id), Ok(span_id)) = (link.trace_id.try_into(), link.span_id.try_into()) else { continue };
            let place = self.builder.link(&row::Link { trace_id, span_id });
            if row.links == 0 {
                row.first_link = place;
            }
            row.links += 1;
        }
    }

    fn row(&mut self, span: &Span<'_>, attributes: &Slots<'_>, links: &[Link<'_>]) -> Result<u32, Refusal> {
        if span.over_attributes {
            return Err(Refusal(Reason::TooManyAttributes));
        }
        if let Some(reason) = self.around_refusal() {
            return Err(Refusal(reason));
        }
        let mut row = row::Span {
            trace_id: id(span.trace_id)?,
            span_id: id(span.span_id)?,
            start_ns: span.start_ns,
            end_ns: span.end_ns,
            flags: spoken_flags(span.flags) | oddity_flags(attributes.oddities()),
            ..row::Span::default()
        };
        match span.parent_span_id.try_into() {
            Ok(parent) => row.parent_id = parent,
            Err(_) if span.parent_span_id.is_empty() => {}
            Err(_) => row.flags |= flag::ATTRIBUTE_SHAPE,
        }
        self.times(span, &mut row.flags)?;
        row.kind = in_range(span.kind, 5, 1, &mut row.flags);
        row.status = in_range(span.status, 2, 0, &mut row.flags);
        let mut evidence = Evidence::default();
        self.evidence(attributes, &mut evidence, &mut row.flags)?;
        if evidence.module_span == 0 && self.around.module_scope == 0 {
            self.module_by_prefix(span.name, &mut evidence, &mut row.flags)?;
        }
        let data_pattern = self.data(attributes, &mut evidence)?;
        self.judge_tenant(&evidence, row.parent_id != [0; 8], &mut row.flags)?;
        row.operation = self.operation(span, attributes, &mut row.flags)?;
        let mut peer_kind = None;
        if matches!(row.kind, outcome::KIND_CLIENT | outcome::KIND_PRODUCER) {
            peer_kind = self.peer(&mut row, attributes)?;
        }
        if let Some(value) = attributes.get(slots::ERROR_TYPE) {
            row.error_type = self.label(value, &mut row.flags)?;
        }
        let asgi = attributes.get(slots::ASGI_EVENT).is_some();
        if asgi || self.scratch.is_ignored(span.name) {
            row.flags |= flag::IGNORED_NAME;
        }
        if matches!(attributes.get(slots::MESSAGING_TYPE), Some(Value::Text(b"receive"))) {
            row.flags |= flag::RECEIVE;
        }
        self.outcome(&mut row, attributes, &evidence);
        if self.is_boundary(row.operation, &evidence) {
            row.flags |= flag::BOUNDARY;
        }
        row.evidence = self.builder.evidence(&evidence);
        row.context = self.context_row();
        if !links.is_empty() {
            self.links(&mut row, links);
        }
        if !span.trace_state.is_empty() || attributes.any_of(slots::EXTRAS, slots::EXTRAS_SLOTS) {
            self.extras(&mut row, span.trace_state, attributes);
        }
        if let Some(kind) = peer_kind {
            self.add_number(&mut row, extra::PEER_KIND, kind as u64);
        }
        if let Some(number) = data_pattern {
            self.add_number(&mut row, extra::DATA_PATTERN, number);
        }
        self.builder.span(&row);
        Ok(row.flags)
    }
}

impl<'a> TraceSink<'a> for ItemWalk<'_> {
    fn restart(&mut self) {
        self.builder.begin();
        self.begin();
    }

    fn resource(&mut self, header: &Header<'_, 'a>) {
        self.enter_resource(header);
    }

    fn scope(&mut self, header: &Header<'_, 'a>) {
        self.enter_scope(header);
    }

    fn span(&mut self, span: &Span<'a>, attributes: &Slots<'a>, links: &[Link<'a>]) {
        let item = self.report.received;
        self.report.received += 1;
        match self.row(span, attributes, links) {
            Ok(flags) => {
                self.report.accepted += 1;
                self.warn(flags);
            }
            Err(Refusal(reason)) => {
                let tenant = self.claimed(attributes);
                self.builder.reject(tenant, reason, (item, 1));
                self.report.refuse(reason, self.position);
            }
        }
        self.position.item += 1;
    }
}
