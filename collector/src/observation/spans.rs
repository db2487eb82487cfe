//! Spans to rows: claims, module, operation, outcome, and the reasons why a span may be refused.
//!
//! A span is refused for the first of: too many attributes, ids, times, tenant, strings that are not UTF-8.

use bailiwick_slo::conventions::{OTHER, TENANT_OVERFLOW};
use bailiwick_slo::outcome::Outcome;

use super::batch::row::{self, Context, Evidence, NO_CODE, flag};
use super::batch::{Builder, NoString};
use super::claims::{Claim, Claims, percent_decode};
use super::glob::Glob;
use super::naming::{write_operation, write_text};
use super::observer::Request;
use super::outcome::{self, Facts};
use super::report::{Position, Reason, Report, Warning};
use super::settings::{FourXxError, Rules};
use super::slots;
use crate::otlp::attributes::{Slots, Value, oddity};
use crate::otlp::trace::{Header, Link, Span, TraceSink};
use crate::tenancy::OnConflict;

/// Buffers that outlive a request.
#[derive(Debug)]
pub(super) struct Scratch {
    text: Vec<u8>,
    ignore: Vec<Glob>,
    exclude: Vec<Glob>,
    /// Per string of the batch: whether it is an excluded operation; `None`: not asked yet.
    excluded: Vec<Option<bool>>,
}

impl Scratch {
    pub(super) fn new(rules: &Rules) -> Self {
        let globs = |patterns: &[String]| patterns.iter().map(|pattern| Glob::new(pattern)).collect();
        Self {
            text: Vec::new(),
            ignore: globs(&rules.requests.ignore_span_names),
            exclude: globs(&rules.requests.exclude),
            excluded: Vec::new(),
        }
    }
}

/// Why an item gets no row.
#[derive(Debug, Clone, Copy)]
struct Refusal(Reason);

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
        request: &Request<'_>,
    ) -> Self {
        scratch.excluded.clear();
        let tenant_auth = builder.string(request.meta.tenant_auth.as_bytes()).unwrap_or(0);
        // Counted from 1 while walking, so that the first resource, scope and span have number 0 afterwards.
        let position = Position { resource: u32::MAX, ..Position::default() };
        Self {
            rules,
            builder,
            scratch,
            observed_at_ns: request.observed_at_ns,
            tenant_auth,
            around: Surroundings::default(),
            position,
            report: Report::default(),
        }
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

    fn module(&mut self, value: Value<'_>, flags: &mut u32) -> Result<u32, NoString> {
        if let Value::Text(text) = value
            && let Ok(name) = std::str::from_utf8(text)
            && let Some(meant) = self.rules.modules.aliases.get(name)
        {
            return label(self.builder, self.rules, meant.as_bytes(), flags);
        }
        self.label(value, flags)
    }

    fn tenant(&mut self, value: Value<'_>) -> Result<Claim, NoString> {
        self.scratch.text.clear();
        Claims { rules: self.rules, builder: self.builder, text: &mut self.scratch.text }.read(value)
    }

    /// Baggage members are percent-encoded (W3C Baggage); what decodes to no text is no tenant.
    fn baggage(&mut self, value: Value<'_>) -> Result<Claim, NoString> {
        let Value::Text(text) = value else { return self.tenant(value) };
        if !text.contains(&b'%') {
            return self.tenant(value);
        }
        let mut decoded = std::mem::take(&mut self.scratch.text);
        decoded.clear();
        percent_decode(text, &mut decoded);
        let claim = match std::str::from_utf8(&decoded) {
            Ok(_) => self.tenant(Value::Text(&decoded)),
            Err(_) => Ok(Claim::Invalid),
        };
        self.scratch.text = decoded;
        claim
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

    fn evidence(&mut self, attributes: &Slots<'_>, flags: &mut u32) -> Result<Evidence, Refusal> {
        let mut evidence = Evidence::default();
        if let Some((alias, value)) = attributes.first_of(slots::TENANT, slots::GROUP) {
            match self.tenant(value)? {
                Claim::Tenant(index) => {
                    evidence.tenant_span = index;
                    evidence.aliases[0] = alias + 1;
                }
                Claim::Absent => {}
                Claim::Invalid => return Err(Refusal(Reason::InvalidTenant)),
            }
        }
        for (place, group) in [(1, slots::HEADER), (2, slots::BAGGAGE)] {
            let Some((alias, value)) = attributes.first_of(group, slots::GROUP) else { continue };
            let claim = if place == 2 { self.baggage(value)? } else { self.tenant(value)? };
            match claim {
                Claim::Tenant(index) if place == 1 => evidence.tenant_header = index,
                Claim::Tenant(index) => evidence.tenant_baggage = index,
                Claim::Absent => continue,
                // A caller must not make requests vanish.
                Claim::Invalid => {
                    *flags |= flag::TENANT_INVALID;
                    continue;
                }
            }
            evidence.aliases[place] = alias + 1;
        }
        if let Some(value) = attributes.get(slots::TOKEN_TENANT) {
            evidence.tenant_token = self.label(value, flags)?;
        }
        if let Some((alias, value)) = attributes.first_of(slots::MODULE, slots::GROUP) {
            evidence.aliases[3] = alias + 1;
            evidence.module_span = self.module(value, flags)?;
        }
        Ok(evidence)
    }

    /// Whether the span may stay with the tenants that it claims.
    fn judge_tenant(&self, evidence: &Evidence, has_parent: bool, flags: &mut u32) -> Result<(), Refusal> {
        let claim = if evidence.tenant_span != 0 { evidence.tenant_span } else { self.around.resource.tenant_resource };
        if claim == 0 && self.around.bad_tenant && evidence.tenant_span == 0 {
            return Err(Refusal(Reason::InvalidTenant));
        }
        if self.tenant_auth != 0 && claim != 0 && claim != self.tenant_auth {
            if self.rules.tenancy.on_conflict == OnConflict::Reject {
                return Err(Refusal(Reason::TenantMismatch));
            }
            *flags |= flag::TENANT_CONFLICT;
        }
        let claims = [self.tenant_auth, claim, evidence.tenant_header, evidence.tenant_baggage];
        if self.rules.tenancy.required && !has_parent && claims.iter().all(|claim| *claim == 0) {
            return Err(Refusal(Reason::NoTenant));
        }
        Ok(())
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

    fn peer(&mut self, attributes: &Slots<'_>, flags: &mut u32) -> Result<u32, NoString> {
        if let Some(service) = attributes.get(slots::PEER_SERVICE) {
            return self.label(service, flags);
        }
        let pairs = [
            (attributes.get(slots::GEN_AI_PROVIDER), attributes.get(slots::GEN_AI_MODEL)),
            (
                attributes.first_of(slots::DB_SYSTEM, 2).map(|(_, value)| value),
                attributes.first_of(slots::DB_NAMESPACE, 2).map(|(_, value)| value),
            ),
        ];
        for (system, part) in pairs {
            let Some(system) = system else { continue };
            self.scratch.text.clear();
            write_text(&mut self.scratch.text, system);
            if let Some(part) = part {
                self.scratch.text.push(b'/');
                write_text(&mut self.scratch.text, part);
            }
            return label(self.builder, self.rules, &self.scratch.text, flags);
        }
        let destination = attributes.first_of(slots::DESTINATION, 2).map(|(_, name)| name);
        match attributes.get(slots::DESTINATION_TEMPLATE).or(destination).or(attributes.get(slots::SERVER_ADDRESS)) {
            Some(value) => self.label(value, flags),
            None => Ok(0),
        }
    }

    fn is_excluded(&mut self, operation: u32) -> bool {
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

    /// Whether the code counts as a failure of the module that the row itself names (`sli.md` 1.2 a, b, d, e).
    fn failing_4xx(&mut self, evidence: &Evidence, http: Option<u16>) -> bool {
        let modules = &self.rules.modules;
        let Some(http) = http.filter(|_| !modules.failing_4xx.is_empty()) else { return false };
        let resource = &self.around.resource;
        let named = [evidence.module_span, self.around.module_scope, resource.module_resource];
        let named = named.into_iter().find(|module| *module != 0);
        let text = &mut self.scratch.text;
        text.clear();
        if let Some(module) = named {
            text.extend_from_slice(self.builder.text(module));
        } else {
            write_service(text, self.builder, resource);
        }
        let name = std::str::from_utf8(text).unwrap_or_default();
        let alias = modules.aliases.get(name).filter(|_| named.is_none());
        modules.failing_4xx.get(alias.map_or(name, String::as_str)).is_some_and(|codes| codes.contains(&http))
    }

    fn outcome(&mut self, row: &mut row::Span, attributes: &Slots<'_>, evidence: &Evidence) {
        let http = attributes.first_of(slots::HTTP_CODE, 2).map(|(_, value)| value);
        let rpc = attributes.first_of(slots::RPC_CODE, 3).map(|(_, value)| value);
        let http = code(http, 100..=599, |_| None, &mut row.flags);
        let grpc = code(rpc, 0..=16, outcome::grpc_code, &mut row.flags);
        row.code = http.or(grpc).unwrap_or(NO_CODE);
        if http.is_none() && grpc.is_some() {
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
        let error_type = match attributes.get(slots::ERROR_TYPE) {
            Some(Value::Text(text)) => text,
            Some(_) => b"other",
            None => b"",
        };
        let cancels = &self.rules.requests.cancel_error_types;
        let facts = Facts {
            kind: row.kind,
            status: row.status,
            given,
            http,
            grpc,
            error_type,
            cancelled: !error_type.is_empty() && cancels.iter().any(|name| name.as_bytes() == error_type),
            failing_4xx: self.failing_4xx(evidence, http),
            forgive_4xx_error: self.rules.requests.server_4xx_error == FourXxError::ClientError,
        };
        let (mut outcome, mut rule) = outcome::decide(&facts);
        if matches!(row.kind, outcome::KIND_SERVER | outcome::KIND_CONSUMER) && given.is_none() {
            if matches!(attributes.get(slots::SYNTHETIC), Some(Value::Text(b"bot" | b"test"))) {
                (outcome, rule) = (Outcome::Excluded, 11);
            } else if self.is_excluded(row.operation) {
                (outcome, rule) = (Outcome::Excluded, 10);
            }
        }
        row.outcome = outcome as u8;
        row.outcome_rule = rule;
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
        let evidence = self.evidence(attributes, &mut row.flags)?;
        self.judge_tenant(&evidence, row.parent_id != [0; 8], &mut row.flags)?;
        row.operation = self.operation(span, attributes, &mut row.flags)?;
        if matches!(row.kind, outcome::KIND_CLIENT | outcome::KIND_PRODUCER) {
            row.peer = self.peer(attributes, &mut row.flags)?;
        }
        if let Some(value) = attributes.get(slots::ERROR_TYPE) {
            row.error_type = self.label(value, &mut row.flags)?;
        }
        let asgi = attributes.get(slots::ASGI_EVENT).is_some();
        if asgi || self.scratch.ignore.iter().any(|pattern| pattern.fits(span.name)) {
            row.flags |= flag::IGNORED_NAME;
        }
        if matches!(attributes.get(slots::MESSAGING_TYPE), Some(Value::Text(b"receive"))) {
            row.flags |= flag::RECEIVE;
        }
        self.outcome(&mut row, attributes, &evidence);
        row.evidence = self.builder.evidence(&evidence);
        row.context = self.context_row();
        if !links.is_empty() {
            self.links(&mut row, links);
        }
        self.builder.span(&row);
        Ok(row.flags)
    }

    /// The tenant under whom a refused span is booked: its first valid claim.
    fn claimed(&mut self, attributes: &Slots<'_>) -> u32 {
        if self.tenant_auth != 0 {
            return self.tenant_auth;
        }
        if let Some((_, value)) = attributes.first_of(slots::TENANT, slots::GROUP) {
            return match self.tenant(value) {
                Ok(Claim::Tenant(index)) => index,
                _ => 0,
            };
        }
        self.around.resource.tenant_resource
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

fn id<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Refusal> {
    match <[u8; N]>::try_from(bytes) {
        Ok(id) if id != [0; N] => Ok(id),
        _ => Err(Refusal(Reason::InvalidId)),
    }
}

fn in_range(value: i32, max: u8, otherwise: u8, flags: &mut u32) -> u8 {
    match u8::try_from(value) {
        Ok(value) if value <= max => value,
        _ => {
            *flags |= flag::UNKNOWN_ENUM;
            otherwise
        }
    }
}

/// The module that a service's name stands for: `service.namespace/service.name` or `service.name`; nothing for the
/// placeholder of SDKs.
fn write_service(out: &mut Vec<u8>, builder: &Builder, resource: &Context) {
    let name = builder.text(resource.service_name);
    if name.is_empty() || name.starts_with(b"unknown_service") {
        return;
    }
    if resource.service_namespace != 0 {
        out.extend_from_slice(builder.text(resource.service_namespace));
        out.push(b'/');
    }
    out.extend_from_slice(name);
}

/// What OTLP's span flags say about parent and sampling.
fn spoken_flags(flags: u32) -> u32 {
    const HAS_IS_REMOTE: u32 = 0x100;
    const IS_REMOTE: u32 = 0x200;
    const SAMPLED: u32 = 1;
    let mut spoken = 0;
    if flags & HAS_IS_REMOTE != 0 {
        spoken |= flag::REMOTE_KNOWN;
        if flags & IS_REMOTE != 0 {
            spoken |= flag::REMOTE;
        }
    }
    if flags != 0 {
        spoken |= flag::SAMPLED_KNOWN;
        if flags & SAMPLED != 0 {
            spoken |= flag::SAMPLED;
        }
    }
    spoken
}

pub(super) fn oddity_flags(oddities: u8) -> u32 {
    let mut flags = 0;
    for (bit, meaning) in [
        (oddity::SHAPE, flag::ATTRIBUTE_SHAPE),
        (oddity::DUPLICATE, flag::DUPLICATE_KEY),
        (oddity::STRINDEX, flag::STRINDEX),
    ] {
        if oddities & bit != 0 {
            flags |= meaning;
        }
    }
    flags
}

/// A status code as integer, integral double, decimal text or name.
fn code(
    value: Option<Value<'_>>,
    range: std::ops::RangeInclusive<i64>,
    by_name: impl Fn(&[u8]) -> Option<u16>,
    flags: &mut u32,
) -> Option<u16> {
    let number = match value? {
        Value::Int(number) => Some(number),
        Value::Double(number) if number.fract() == 0.0 && number.abs() < 1e9 => Some(number as i64),
        Value::Text(text) => match by_name(text) {
            Some(code) => Some(i64::from(code)),
            None => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
        },
        Value::Double(_) | Value::Bool(_) => None,
    };
    let code = number.filter(|number| range.contains(number)).and_then(|number| u16::try_from(number).ok());
    if code.is_none() {
        *flags |= flag::UNKNOWN_ENUM;
    }
    code
}

/// The index of a label: cut at `label_bytes_max` at a character, `_other` when the batch has no room.
pub(super) fn label(builder: &mut Builder, rules: &Rules, text: &[u8], flags: &mut u32) -> Result<u32, NoString> {
    let max = rules.limits.label_bytes_max as usize;
    let mut text = text;
    if text.len() > max {
        let is_continuation = |byte: u8| byte & 0xc0 == 0x80;
        let cut = (0..=max).rev().find(|at| !is_continuation(text[*at])).unwrap_or(0);
        text = &text[..cut];
        *flags |= flag::TRUNCATED;
    }
    match builder.string(text) {
        Err(NoString::Full) => {
            *flags |= flag::TRUNCATED;
            Ok(builder.own_string(OTHER))
        }
        known => known,
    }
}

/// The place of a tenant that the batch has no room for.
pub(super) fn overflow_tenant(builder: &mut Builder) -> u32 {
    builder.own_string(TENANT_OVERFLOW)
}
