//! `ExportTraceServiceRequest` to the bytes of its batch.

use bailiwick_collector::observation::batch::row::{self, Context, Evidence, Link, NO_CODE, flag};
use bailiwick_collector::observation::report::{Reason, Warning};
use bailiwick_collector::observation::{FourXxError, Request, Rules};
use bailiwick_collector::tenancy::{self, OnConflict};
use bailiwick_slo::outcome::Outcome;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{Span, span};

use super::attributes::{Scalar, Used, resource_hash};
use super::keys::{SERVICE, header_keys, is_used_of_resources, is_used_of_scopes, is_used_of_spans};
use super::names;
use super::outcome::{Codes, Facts};
use super::table::Table;

/// The batch of a request that was decoded from `request.protobuf`.
#[must_use]
pub fn batch(sent: &ExportTraceServiceRequest, rules: &Rules, request: &Request<'_>) -> Vec<u8> {
    let mut books = Books { rules, observed_at_ns: request.observed_at_ns, tenant_auth: 0, table: Table::new() };
    books.tenant_auth = books.table.string(request.meta.tenant_auth);
    for resource_spans in &sent.resource_spans {
        let resource = books.resource(resource_spans.resource.as_ref());
        for scope_spans in &resource_spans.scope_spans {
            let mut around = books.scope(&resource, scope_spans.scope.as_ref());
            for span in &scope_spans.spans {
                books.span(span, &mut around);
            }
        }
    }
    books.table.bytes(request)
}

/// Resource and scope of spans.
#[derive(Debug, Clone, Default)]
struct Around {
    context: Context,
    /// The resource's tenant claim is malformed or reserved.
    bad_tenant: bool,
    /// 1.2 (e): the module that the service's name stands for; empty: none.
    service_module: String,
    /// 1.2 (b) and (d), by their texts.
    module_scope: String,
    module_resource: String,
    /// Where the context stands once a span of it has a row.
    row: Option<u32>,
}

/// A tenant claim after trimming and aliases.
enum Claim {
    Tenant(String),
    Absent,
    Invalid,
}

struct Books<'r> {
    rules: &'r Rules,
    observed_at_ns: u64,
    tenant_auth: u32,
    table: Table,
}

impl Books<'_> {
    /// The place of a label; `flags` learn that it was cut.
    fn label(&mut self, text: &str, flags: &mut u32) -> u32 {
        let (text, was_cut) = names::cut(text, self.rules.limits.label_bytes_max as usize);
        if was_cut {
            *flags |= flag::TRUNCATED;
        }
        self.table.string(text)
    }

    fn module_text(&self, value: &Scalar) -> String {
        let name = value.text();
        // An alias stands for a name, so for a text.
        let alias = matches!(value, Scalar::Text(_)).then(|| self.rules.modules.aliases.get(&name)).flatten();
        alias.cloned().unwrap_or(name)
    }

    /// As much of a text as a row holds.
    fn cut<'t>(&self, text: &'t str) -> &'t str {
        names::cut(text, self.rules.limits.label_bytes_max as usize).0
    }

    /// `sli.md` 1.1: trim ASCII space, aliases, then Mimir's rule and the reserved names.
    fn claim(&self, text: &str) -> Claim {
        let claim = text.trim_matches(|c: char| c.is_ascii_whitespace());
        let claim = self.rules.tenancy.aliases.get(claim).map_or(claim, String::as_str);
        if claim.is_empty() {
            Claim::Absent
        } else if tenancy::check(claim.as_bytes()).is_ok() {
            Claim::Tenant(claim.to_owned())
        } else {
            Claim::Invalid
        }
    }

    fn resource(&mut self, resource: Option<&Resource>) -> Around {
        let attributes = resource.map_or(&[][..], |resource| &resource.attributes);
        let (tenant_keys, module_keys) = (&self.rules.tenancy.attributes, &self.rules.modules.attributes);
        let used = Used::read(attributes, |key| is_used_of_resources(key, self.rules));
        let mut flags = odd(&used);
        let mut around = Around::default();
        let [namespace, name, instance, version] = SERVICE.map(|key| used.get(key).map(Scalar::text));
        around.service_module = self.service_module(namespace.as_deref(), name.as_deref());
        let mut service = |text: Option<String>| self.label(&text.unwrap_or_default(), &mut flags);
        around.context.service_namespace = service(namespace);
        around.context.service_name = service(name);
        around.context.service_instance = service(instance);
        around.context.service_version = service(version);
        around.context.resource_hash = resource_hash(attributes);
        if let Some((_, module)) = used.first(module_keys) {
            let module = self.module_text(module);
            around.context.module_resource = self.label(&module, &mut flags);
            around.module_resource = self.cut(&module).to_owned();
        }
        if let Some((_, tenant)) = used.first(tenant_keys) {
            match self.claim(&tenant.text()) {
                Claim::Tenant(tenant) => around.context.tenant_resource = self.table.string(&tenant),
                Claim::Absent => {}
                Claim::Invalid => around.bad_tenant = true,
            }
        }
        self.warn(flags);
        around
    }

    /// 1.2 (e), (f): `service.namespace/service.name` or `service.name`; none for `unknown_service*`.
    fn service_module(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let (namespace, name) = (namespace.map(|text| self.cut(text)), name.map(|text| self.cut(text)));
        let module = match (namespace, name) {
            (_, None) => return String::new(),
            (_, Some(name)) if name.starts_with("unknown_service") => return String::new(),
            (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
            (None, Some(name)) => name.to_owned(),
        };
        self.rules.modules.aliases.get(&module).cloned().unwrap_or(module)
    }

    fn scope(&mut self, resource: &Around, scope: Option<&InstrumentationScope>) -> Around {
        let attributes = scope.map_or(&[][..], |scope| &scope.attributes);
        let used = Used::read(attributes, |key| is_used_of_scopes(key, self.rules));
        let mut flags = odd(&used);
        let mut around = resource.clone();
        around.context.scope_name = self.label(scope.map_or("", |scope| &scope.name), &mut flags);
        if let Some((_, module)) = used.first(&self.rules.modules.attributes) {
            let module = self.module_text(module);
            around.context.module_scope = self.label(&module, &mut flags);
            around.module_scope = self.cut(&module).to_owned();
        }
        self.warn(flags);
        around
    }

    fn span(&mut self, span: &Span, around: &mut Around) {
        let item = self.table.received;
        self.table.received += 1;
        let used = Used::read(&span.attributes, |key| is_used_of_spans(key, self.rules));
        match self.row(span, &used, around) {
            Ok(flags) => self.warn(flags),
            Err(reason) => {
                let tenant = self.claimed(&used, around);
                self.table.reject(tenant, reason, item);
            }
        }
    }

    /// Under whom a refused span is booked: credential, span, resource; 0 if its own claim is no tenant.
    fn claimed(&mut self, used: &Used, around: &Around) -> u32 {
        if self.tenant_auth != 0 {
            return self.tenant_auth;
        }
        match used.first(&self.rules.tenancy.attributes).map(|(_, value)| self.claim(&value.text())) {
            None => around.context.tenant_resource,
            Some(Claim::Tenant(tenant)) => self.table.string(&tenant),
            Some(_) => 0,
        }
    }

    /// Ids, times, tenant, in this order; then the row.
    fn row(&mut self, span: &Span, used: &Used, around: &mut Around) -> Result<u32, Reason> {
        let mut flags = odd(used) | said(span.flags);
        let trace_id = id::<16>(&span.trace_id)?;
        let span_id = id::<8>(&span.span_id)?;
        let parent_id = match <[u8; 8]>::try_from(&span.parent_span_id[..]) {
            Ok(parent) => parent,
            Err(_) => {
                flags |= if span.parent_span_id.is_empty() { 0 } else { flag::ATTRIBUTE_SHAPE };
                [0; 8]
            }
        };
        flags |= self.times(span)?;
        let mut in_range = |value: i32, known: std::ops::RangeInclusive<i32>, otherwise: u8| {
            if known.contains(&value) {
                return value as u8;
            }
            flags |= flag::UNKNOWN_ENUM;
            otherwise
        };
        let kind = in_range(span.kind, 0..=5, 1);
        let status = in_range(span.status.as_ref().map_or(0, |status| status.code), 0..=2, 0);
        let (evidence, module_span) = self.evidence(used, &mut flags)?;
        self.judge_tenant(&evidence, around, parent_id == [0; 8], &mut flags)?;
        let operation = self.label(&names::operation(used, &span.name), &mut flags);
        let client = matches!(kind, 3 | 4);
        let peer = if client { self.label(&names::peer(used), &mut flags) } else { 0 };
        let error_type = used.get("error.type").map_or(0, |value| self.label(&value.text(), &mut flags));
        if self.is_no_request(span, used) {
            flags |= flag::IGNORED_NAME;
        }
        if used.get("messaging.operation.type").is_some_and(|value| value.is_text("receive")) {
            flags |= flag::RECEIVE;
        }
        let codes = Codes::read(used);
        if codes.unknown {
            flags |= flag::UNKNOWN_ENUM;
        }
        if codes.http.is_none() && codes.grpc.is_some() {
            flags |= flag::GRPC_CODE;
        }
        let named = [&module_span, &around.module_scope, &around.module_resource, &around.service_module];
        let module = named.into_iter().find(|name| !name.is_empty()).map_or("", String::as_str);
        let name = names::operation(used, &span.name);
        let about = About { kind, status, codes: &codes, module, operation: self.cut(&name) };
        let (outcome, outcome_rule) = self.outcome(&about, used, &mut flags);
        let evidence = self.table.evidence(evidence);
        let context = *around.row.get_or_insert_with(|| {
            self.table.contexts.push(around.context);
            self.table.contexts.len() as u32 - 1
        });
        let (first_link, links) = self.links(&span.links);
        self.table.spans.push(row::Span {
            trace_id,
            span_id,
            parent_id,
            start_ns: span.start_time_unix_nano,
            end_ns: span.end_time_unix_nano,
            weight: 0,
            context,
            operation,
            evidence,
            peer,
            error_type,
            first_link,
            first_extra: 0,
            links,
            extras: 0,
            code: codes.http.or(codes.grpc).unwrap_or(NO_CODE),
            kind,
            status,
            outcome: outcome as u8,
            outcome_rule,
            flags,
        });
        Ok(flags)
    }

    fn times(&self, span: &Span) -> Result<u32, Reason> {
        let (start, end) = (i128::from(span.start_time_unix_nano), i128::from(span.end_time_unix_nano));
        let now = i128::from(self.observed_at_ns);
        if start == 0 || end == 0 {
            return Err(Reason::MissingTime);
        }
        if end < now - i128::from(self.rules.ingest.late_accept.nanos()) {
            return Err(Reason::TooLate);
        }
        if end > now + i128::from(self.rules.ingest.future_accept.nanos()) {
            return Err(Reason::Future);
        }
        Ok(if end < start { flag::CLOCK_ANOMALY } else { 0 })
    }

    /// Every claim of a span, and the module that it names by text.
    fn evidence(&mut self, used: &Used, flags: &mut u32) -> Result<(Evidence, String), Reason> {
        let mut evidence = Evidence::default();
        let tenancy = &self.rules.tenancy;
        if let Some((alias, value)) = used.first(&tenancy.attributes) {
            match self.claim(&value.text()) {
                Claim::Tenant(tenant) => {
                    evidence.tenant_span = self.table.string(&tenant);
                    evidence.aliases[0] = alias;
                }
                Claim::Absent => {}
                Claim::Invalid => return Err(Reason::InvalidTenant),
            }
        }
        // "by header or baggage it is ignored, counted": a caller must not make requests vanish.
        if let Some((alias, value)) = used.first(&header_keys(&tenancy.headers)) {
            match self.claim(&value.text()) {
                Claim::Tenant(tenant) => {
                    evidence.tenant_header = self.table.string(&tenant);
                    evidence.aliases[1] = alias;
                }
                Claim::Absent => {}
                Claim::Invalid => *flags |= flag::TENANT_INVALID,
            }
        }
        if let Some((alias, value)) = used.first(&tenancy.baggage) {
            match self.claim(&percent_decoded(&value.text())) {
                Claim::Tenant(tenant) => {
                    evidence.tenant_baggage = self.table.string(&tenant);
                    evidence.aliases[2] = alias;
                }
                Claim::Absent => {}
                Claim::Invalid => *flags |= flag::TENANT_INVALID,
            }
        }
        if let Some(token) = used.get("bailiwick.token.tenant") {
            evidence.tenant_token = self.label(&token.text(), flags);
        }
        let mut module = String::new();
        if let Some((alias, value)) = used.first(&self.rules.modules.attributes) {
            let name = self.module_text(value);
            evidence.module_span = self.label(&name, flags);
            module = self.cut(&name).to_owned();
            evidence.aliases[3] = alias;
        }
        Ok((evidence, module))
    }

    /// `ingest.md` 7.2. The item's own claim is that of its span, else that of its resource.
    fn judge_tenant(
        &self,
        evidence: &Evidence,
        around: &Around,
        rootless: bool,
        flags: &mut u32,
    ) -> Result<(), Reason> {
        let claim = match evidence.tenant_span {
            0 if around.bad_tenant => return Err(Reason::InvalidTenant),
            0 => around.context.tenant_resource,
            span => span,
        };
        if self.tenant_auth != 0 && claim != 0 && claim != self.tenant_auth {
            match self.rules.tenancy.on_conflict {
                OnConflict::Reject => return Err(Reason::TenantMismatch),
                OnConflict::Count => *flags |= flag::TENANT_CONFLICT,
            }
        }
        let nobody = [self.tenant_auth, claim, evidence.tenant_header, evidence.tenant_baggage] == [0; 4];
        if self.rules.tenancy.required && rootless && nobody {
            return Err(Reason::NoTenant);
        }
        Ok(())
    }

    /// Rule E0 of `sli.md` 1.3.
    fn is_no_request(&self, span: &Span, used: &Used) -> bool {
        let patterns = &self.rules.requests.ignore_span_names;
        used.get("asgi.event.type").is_some() || patterns.iter().any(|pattern| names::fits(pattern, &span.name))
    }

    fn outcome(&self, about: &About<'_>, used: &Used, flags: &mut u32) -> (Outcome, u8) {
        let requests = &self.rules.requests;
        if let Some(given) = used.get("bailiwick.outcome") {
            let values = [Outcome::Success, Outcome::Failure, Outcome::Excluded];
            match values.into_iter().find(|outcome| given.is_text(outcome.name())) {
                Some(outcome) => return (outcome, 0),
                None => *flags |= flag::UNKNOWN_ENUM,
            }
        }
        // E4 is about entries; kinds that can only be entries when their parents are known are the aggregator's.
        if matches!(about.kind, 2 | 5) {
            let synthetic = used.get("user_agent.synthetic.type");
            if synthetic.is_some_and(|value| value.is_text("bot") || value.is_text("test")) {
                return (Outcome::Excluded, 11);
            }
            if requests.exclude.iter().any(|pattern| names::fits(pattern, about.operation)) {
                return (Outcome::Excluded, 10);
            }
        }
        let failing = self.rules.modules.failing_4xx.get(about.module);
        let facts = Facts {
            kind: about.kind,
            status: about.status,
            codes: about.codes,
            error_type: used.get("error.type"),
            cancel_error_types: &requests.cancel_error_types,
            failing_4xx: about.codes.http.is_some_and(|http| failing.is_some_and(|codes| codes.contains(&http))),
            old_sdks: requests.server_4xx_error == FourXxError::ClientError,
        };
        facts.decide()
    }

    /// The first links up to the maximum; of these, those whose ids have the right length.
    fn links(&mut self, links: &[span::Link]) -> (u32, u8) {
        let first = self.table.links.len() as u32;
        for link in links.iter().take(self.rules.limits.links_max as usize) {
            let ids = (<[u8; 16]>::try_from(&link.trace_id[..]), <[u8; 8]>::try_from(&link.span_id[..]));
            if let (Ok(trace_id), Ok(span_id)) = ids {
                self.table.links.push(Link { trace_id, span_id });
            }
        }
        match self.table.links.len() as u32 - first {
            0 => (0, 0),
            kept => (first, kept as u8),
        }
    }

    fn warn(&mut self, flags: u32) {
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

/// What an outcome depends on besides attributes.
struct About<'a> {
    kind: u8,
    status: u8,
    codes: &'a Codes,
    module: &'a str,
    operation: &'a str,
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = vec![];
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok()).filter(|_| bytes[at] == b'%');
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(decoded.unwrap_or(bytes[at]));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn id<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Reason> {
    <[u8; N]>::try_from(bytes).ok().filter(|id| *id != [0; N]).ok_or(Reason::InvalidId)
}

fn odd(used: &Used) -> u32 {
    let bit = |set: bool, flag: u32| if set { flag } else { 0 };
    bit(used.shape, flag::ATTRIBUTE_SHAPE)
        | bit(used.duplicate, flag::DUPLICATE_KEY)
        | bit(used.strindex, flag::STRINDEX)
}

/// OTLP's span flags: bit 0x100 "the parent's origin is known", 0x200 "and it is remote"; sampling is known from any.
fn said(flags: u32) -> u32 {
    let bit = |set: bool, flag: u32| if set { flag } else { 0 };
    bit(flags & 0x100 != 0, flag::REMOTE_KNOWN)
        | bit(flags & 0x300 == 0x300, flag::REMOTE)
        | bit(flags != 0, flag::SAMPLED_KNOWN)
        | bit(flags & 1 != 0, flag::SAMPLED)
}
