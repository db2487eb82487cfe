//! `ExportTraceServiceRequest` to the bytes of its batch.

use bailiwick_collector::observation::batch::row::{self, Extra, Link, NO_CODE, PeerKind, WeightSource, extra, flag};
use bailiwick_collector::observation::report::Reason;
use bailiwick_collector::observation::{Boundary, FourXxError, Request, Rules};
use bailiwick_slo::outcome::Outcome;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{Span, span};

use super::around::Around;
use super::attributes::Used;
use super::books::{Books, odd};
use super::keys::is_used_of_spans;
use super::names;
use super::outcome::{Codes, Facts};
use super::sampling::{Sampled, sampled};
use super::table::Table;

/// The batch of a request that was decoded from `request.protobuf`.
#[must_use]
pub fn batch_of_traces(sent: &ExportTraceServiceRequest, rules: &Rules, request: &Request<'_>) -> Vec<u8> {
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

impl Books<'_> {
    fn span(&mut self, span: &Span, around: &mut Around) {
        let item = self.table.received;
        self.table.received += 1;
        let (attributes, over) = self.within(&span.attributes);
        let used = Used::read(attributes, |key| is_used_of_spans(key, self.rules));
        let row = match over.or(around.refusal) {
            None => self.row(span, &used, around),
            Some(reason) => Err(reason),
        };
        match row {
            Ok(flags) => self.warn(flags),
            Err(reason) => {
                let tenant = self.claimed(&used, around);
                self.table.reject(tenant, reason, item);
            }
        }
    }

    /// Ids, times, tenant, in this order; then the row.
    fn row(&mut self, span: &Span, used: &Used, around: &mut Around) -> Result<u32, Reason> {
        let mut flags = odd(used) | said(span.flags);
        let trace_id = id::<16>(&span.trace_id)?;
        let span_id = id::<8>(&span.span_id)?;
        let parent = <[u8; 8]>::try_from(&span.parent_span_id[..]);
        flags |= bit(parent.is_err() && !span.parent_span_id.is_empty(), flag::ATTRIBUTE_SHAPE);
        let parent_id = parent.unwrap_or_default();
        flags |= self.times(span)?;
        let kind = in_range(span.kind, 5, 1, &mut flags);
        let status = in_range(span.status.as_ref().map_or(0, |status| status.code), 2, 0, &mut flags);
        let (mut evidence, mut module_span) = self.evidence(used, &mut flags)?;
        let tenant_set = self.tenant_set(used, &mut flags);
        if module_span.is_empty() && around.module_scope.is_empty() {
            module_span = self.module_of_name(&span.name, &mut evidence, &mut flags);
        }
        let data = self.data(used);
        evidence.tenant_data = data.map_or(0, |(tenant, _)| tenant);
        self.judge_tenant(&evidence, around, parent_id == [0; 8], &mut flags)?;
        let operation = self.label(&names::operation(used, &span.name), &mut flags);
        let client = matches!(kind, 3 | 4);
        let (peer, peer_kind) = if client { names::peer(used) } else { Default::default() };
        let peer_kind = peer_kind.or((kind == 4 && !peer.is_empty()).then_some(PeerKind::Messaging));
        let peer = self.label(&peer, &mut flags);
        let error_type = used.get("error.type").map_or(0, |value| self.label(&value.text(), &mut flags));
        let codes = Codes::read(used);
        flags |= self.named(span, used) | codes.flags();
        let module = around.named_module(&module_span);
        let name = names::operation(used, &span.name);
        let about = About { kind, status, codes: &codes, module, operation: self.cut(&name) };
        let (outcome, outcome_rule) = self.outcome(&about, used, &mut flags);
        flags |= bit(self.is_boundary(&about), flag::BOUNDARY);
        let evidence = self.table.evidence(evidence);
        let context = self.context_row(around);
        let (first_link, links) = self.links(&span.links);
        let rate = used.get(&self.rules.sampling.rate_attribute);
        let sampled = sampled(&span.trace_state, rate, &self.rules.sampling);
        let extras = [
            of_sampling(&sampled),
            counts(used, &mut flags),
            tenant_set.into_iter().map(|tenant| text(extra::TENANT_SET, tenant)).collect(),
            peer_kind.map(|kind| number(extra::PEER_KIND, kind as u64)).into_iter().collect(),
            data.map(|(_, pattern)| number(extra::DATA_PATTERN, pattern)).into_iter().collect(),
        ];
        let (first_extra, extras) = self.table.extras(extras.concat());
        self.table.spans.push(row::Span {
            trace_id,
            span_id,
            parent_id,
            start_ns: span.start_time_unix_nano,
            end_ns: span.end_time_unix_nano,
            weight: sampled.weight,
            context,
            operation,
            evidence,
            peer,
            error_type,
            first_link,
            first_extra,
            links,
            extras: extras as u8,
            code: codes.http.or(codes.grpc).unwrap_or(NO_CODE),
            kind,
            status,
            outcome: outcome as u8,
            outcome_rule,
            flags,
        });
        Ok(flags)
    }

    fn is_boundary(&self, about: &About<'_>) -> bool {
        let fits = |at: &Boundary| at.module == about.module && names::fits(&at.operation, about.operation);
        self.rules.boundaries.iter().any(fits)
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

    /// What names say: rule E0 of `sli.md` 1.3, and E3r's `receive`.
    fn named(&self, span: &Span, used: &Used) -> u32 {
        let patterns = &self.rules.requests.ignore_span_names;
        let ignored =
            used.get("asgi.event.type").is_some() || patterns.iter().any(|pattern| names::fits(pattern, &span.name));
        let receives = used.get("messaging.operation.type").is_some_and(|value| value.is_text("receive"));
        bit(ignored, flag::IGNORED_NAME) | bit(receives, flag::RECEIVE)
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
        // E4 is about entries, and CL are never one.
        if !matches!(about.kind, 3 | 4) {
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
}

fn number(key: u16, value: u64) -> Extra {
    Extra { key, kind: 0, value }
}

fn text(key: u16, string: u32) -> Extra {
    Extra { key, kind: 3, value: string.into() }
}

/// Messages and tokens; what is no count from 0 is absent.
fn counts(used: &Used, flags: &mut u32) -> Vec<Extra> {
    let keys: [(u16, &[&str]); 3] = [
        (extra::MESSAGES, &["messaging.batch.message_count"]),
        (extra::TOKENS_INPUT, &["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"]),
        (extra::TOKENS_OUTPUT, &["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"]),
    ];
    let mut counts = vec![];
    for (key, names) in keys {
        let Some((_, value)) = used.first(names) else { continue };
        match value.count() {
            Some(count) => counts.push(number(key, count)),
            None => *flags |= flag::ATTRIBUTE_SHAPE,
        }
    }
    counts
}

/// What a span says of sampling.
fn of_sampling(sampled: &Sampled) -> Vec<Extra> {
    let mut extras = vec![];
    extras.extend(sampled.randomness.map(|randomness| number(extra::RANDOMNESS, randomness)));
    if ![WeightSource::None as u64, WeightSource::Threshold as u64].contains(&sampled.source) {
        extras.push(number(extra::WEIGHT_SOURCE, sampled.source));
    }
    extras
}

/// What an outcome depends on besides attributes.
struct About<'a> {
    kind: u8,
    status: u8,
    codes: &'a Codes,
    module: &'a str,
    operation: &'a str,
}

fn id<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Reason> {
    <[u8; N]>::try_from(bytes).ok().filter(|id| *id != [0; N]).ok_or(Reason::InvalidId)
}

/// An enum from 0 to `last`, or what stands for those that are not.
fn in_range(value: i32, last: i32, otherwise: u8, flags: &mut u32) -> u8 {
    if (0..=last).contains(&value) {
        return value as u8;
    }
    *flags |= flag::UNKNOWN_ENUM;
    otherwise
}

/// OTLP's span flags: bit 0x100 "the parent's origin is known", 0x200 "and it is remote"; sampling is known from any.
fn said(flags: u32) -> u32 {
    bit(flags & 0x100 != 0, flag::REMOTE_KNOWN)
        | bit(flags & 0x300 == 0x300, flag::REMOTE)
        | bit(flags != 0, flag::SAMPLED_KNOWN)
        | bit(flags & 1 != 0, flag::SAMPLED)
}

fn bit(set: bool, flag: u32) -> u32 {
    if set { flag } else { 0 }
}
