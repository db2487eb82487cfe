//! Spans to rows: claims, module, operation, outcome, and the reasons why a span may be refused.
//!
//! A span is refused for the first of: too many attributes, ids, times, tenant, strings that are not UTF-8.

mod claimed;
mod extras;
mod judged;
mod peer;

use super::batch::row::{self, Context, Evidence, extra, flag};
use super::batch::{Builder, NoString};
use super::claims::Claim;
use super::fields::{id, in_range, label, oddity_flags, spoken_flags};
use super::naming::{write_operation, write_text};
use super::observer::Request;
use super::outcome;
use super::report::{Position, Reason, Report, Warning};
use super::scratch::Scratch;
use super::settings::Rules;
use super::slots;
use crate::otlp::attributes::{Slots, Value};
use crate::otlp::header::Header;
use crate::otlp::trace::{Link, Span, TraceSink};

/// Why an item gets no row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal(pub(super) Reason);

impl From<NoString> for Refusal {
    fn from(_: NoString) -> Self {
        Self(Reason::InvalidUtf8)
    }
}

/// What is known of the resource and scope of the spans that follow.
#[derive(Debug, Default)]
struct Surroundings {
    resource: Context,
    /// The resource's tenant claim is no tenant id.
    bad_tenant: bool,
    /// A used string of resource or scope is not UTF-8, or it has too many attributes.
    resource_refusal: Option<Reason>,
    scope_refusal: Option<Reason>,
    module_scope: u32,
    scope_name: u32,
    row: Option<u32>,
}

/// The walk's sink: one request.
#[derive(Debug)]
pub(super) struct SpanWalk<'w> {
    rules: &'w Rules,
    builder: &'w mut Builder,
    scratch: &'w mut Scratch,
    observed_at_ns: u64,
    tenant_text: &'w str,
    tenant_auth: u32,
    around: Surroundings,
    position: Position,
    report: Report,
}

impl<'w> SpanWalk<'w> {
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

    fn begin(&mut self) {
        self.scratch.begin();
        self.tenant_auth = self.builder.string(self.tenant_text.as_bytes()).unwrap_or(0);
        // Counted from 1 while walking, so that the first resource, scope and span have number 0 afterwards.
        self.position = Position { resource: u32::MAX, ..Position::default() };
        self.report = Report::default();
    }

    pub(super) fn finish(self) -> Report {
        self.report
    }

    /// The index of a label: cut at `label_bytes_max`, `_other` when the batch is full.
    fn label(&mut self, value: Value<'_>, flags: &mut u32) -> Result<u32, NoString> {
        match value {
            Value::Text(text) => label(self.builder, self.rules, text, flags),
            other => {
                self.scratch.text.clear();
                write_text(&mut self.scratch.text, other);
                label(self.builder, self.rules, &self.scratch.text, flags)
            }
        }
    }

    fn context_row(&mut self) -> u32 {
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
        if let Some(reason) = self.around.resource_refusal.or(self.around.scope_refusal) {
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

    fn read_resource(&mut self, header: &Header<'_, '_>) -> Result<(), Reason> {
        if header.over_attributes {
            return Err(Reason::TooManyAttributes);
        }
        let mut flags = 0;
        let mut labels = [0; 4];
        let keys = [slots::SERVICE_NAMESPACE, slots::SERVICE_NAME, slots::SERVICE_INSTANCE, slots::SERVICE_VERSION];
        for (place, key) in keys.into_iter().enumerate() {
            if let Some(value) = header.attributes.get(key) {
                labels[place] = self.label(value, &mut flags).map_err(|_| Reason::InvalidUtf8)?;
            }
        }
        let [service_namespace, service_name, service_instance, service_version] = labels;
        let mut resource =
            Context { service_namespace, service_name, service_instance, service_version, ..Context::default() };
        resource.resource_hash = header.hash;
        if let Some((_, value)) = header.attributes.first_of(slots::MODULE, slots::GROUP) {
            resource.module_resource = self.module(value, &mut flags).map_err(|_| Reason::InvalidUtf8)?;
        }
        if resource.module_resource == 0 {
            resource.module_resource = self.alias_of_service(&resource, &mut flags).map_err(|_| Reason::InvalidUtf8)?;
        }
        if let Some((_, value)) = header.attributes.first_of(slots::TENANT, slots::GROUP) {
            match self.tenant(value).map_err(|_| Reason::InvalidUtf8)? {
                Claim::Tenant(index) => resource.tenant_resource = index,
                Claim::Absent => {}
                Claim::Invalid => self.around.bad_tenant = true,
            }
        }
        self.around.resource = resource;
        self.warn(flags | oddity_flags(header.attributes.oddities()));
        Ok(())
    }

    fn read_scope(&mut self, header: &Header<'_, '_>) -> Result<(), Reason> {
        if header.over_attributes {
            return Err(Reason::TooManyAttributes);
        }
        let mut flags = 0;
        self.around.scope_name =
            label(self.builder, self.rules, header.name, &mut flags).map_err(|_| Reason::InvalidUtf8)?;
        if let Some((_, value)) = header.attributes.first_of(slots::MODULE, slots::GROUP) {
            self.around.module_scope = self.module(value, &mut flags).map_err(|_| Reason::InvalidUtf8)?;
        }
        if self.around.module_scope == 0
            && let Some(module) = self.scratch.module_by_scope(header.name)
        {
            let module = label(self.builder, self.rules, module.as_bytes(), &mut flags);
            self.around.module_scope = module.map_err(|_| Reason::InvalidUtf8)?;
        }
        self.warn(flags | oddity_flags(header.attributes.oddities()));
        Ok(())
    }

    fn warn(&mut self, flags: u32) {
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

impl<'a> TraceSink<'a> for SpanWalk<'_> {
    fn restart(&mut self) {
        self.builder.begin();
        self.begin();
    }

    fn resource(&mut self, header: &Header<'_, 'a>) {
        self.position =
            Position { resource: self.position.resource.wrapping_add(1), scope: u32::MAX, item: 0, point: 0 };
        self.around = Surroundings::default();
        self.around.resource_refusal = self.read_resource(header).err();
    }

    fn scope(&mut self, header: &Header<'_, 'a>) {
        self.position = Position { scope: self.position.scope.wrapping_add(1), item: 0, ..self.position };
        self.around.row = None;
        self.around.scope_name = 0;
        self.around.module_scope = 0;
        self.around.scope_refusal = self.read_scope(header).err();
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
