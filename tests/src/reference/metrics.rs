//! `ExportMetricsServiceRequest` to the bytes of its batch.

use bailiwick_collector::observation::batch::row::{self, Evidence, Extra, NO_CODE, extra, point_flag};
use bailiwick_collector::observation::report::Reason;
use bailiwick_collector::observation::{FourXxError, Request, Rules};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::metrics::v1::{Metric, number_data_point::Value};

use super::around::Around;
use super::attributes::Used;
use super::books::{Books, odd};
use super::claims::Claim;
use super::keys::is_used_of_points;
use super::names;
use super::outcome::{Codes, Facts};
use super::points::{Sample, in_time, samples};
use super::table::Table;

/// The batch of a request that was decoded from `request.protobuf`.
#[must_use]
pub fn batch_of_metrics(sent: &ExportMetricsServiceRequest, rules: &Rules, request: &Request<'_>) -> Vec<u8> {
    let mut books = Books { rules, observed_at_ns: request.observed_at_ns, tenant_auth: 0, table: Table::new() };
    books.tenant_auth = books.table.string(request.meta.tenant_auth);
    for resource_metrics in &sent.resource_metrics {
        let resource = books.resource(resource_metrics.resource.as_ref());
        for scope_metrics in &resource_metrics.scope_metrics {
            let mut around = books.scope(&resource, scope_metrics.scope.as_ref());
            let scope = scope_metrics.scope.as_ref().map_or("", |scope| &scope.name);
            for metric in &scope_metrics.metrics {
                for sample in samples(metric, rules) {
                    books.point(&sample, &About { scope, metric }, &mut around);
                }
            }
        }
    }
    books.table.bytes(request)
}

/// What a point belongs to.
struct About<'a> {
    scope: &'a str,
    metric: &'a Metric,
}

impl Books<'_> {
    fn point(&mut self, sample: &Sample<'_>, about: &About<'_>, around: &mut Around) {
        let item = self.table.received;
        self.table.received += 1;
        let (attributes, over) = self.within(sample.attributes);
        let used = Used::read(attributes, |key| is_used_of_points(key, self.rules));
        match self.accepted(sample, over, &used, (about, around)) {
            Ok(flags) => self.warn(flags),
            Err(reason) => {
                let tenant = self.claimed(&used, around);
                self.table.reject(tenant, reason, item);
            }
        }
    }

    fn accepted(
        &mut self,
        sample: &Sample<'_>,
        over: Option<Reason>,
        used: &Used,
        (about, around): (&About<'_>, &mut Around),
    ) -> Result<u32, Reason> {
        let no_time = (sample.time == 0).then_some(Reason::MissingTime);
        let own = match sample.verdict {
            Some(Reason::Unsupported) => Some(Reason::Unsupported),
            verdict => over.or(no_time).or(verdict),
        };
        if let Some(reason) = own.or(around.refusal) {
            return Err(reason);
        }
        in_time(sample.time, self.observed_at_ns, &self.rules.ingest)?;
        let mut flags = odd(used);
        let mut evidence = Evidence::default();
        if let Some((alias, value)) = used.first(&self.rules.tenancy.attributes) {
            match self.claim(&value.text()) {
                Claim::Tenant(tenant) => {
                    evidence.tenant_span = self.table.string(&tenant);
                    evidence.aliases[0] = alias;
                }
                Claim::Absent => {}
                Claim::Invalid => return Err(Reason::InvalidTenant),
            }
        }
        self.judge_tenant(&evidence, around, true, &mut flags)?;
        if is_wanted(&about.metric.name, self.rules) {
            self.point_row(sample, used, (about, around), (evidence, &mut flags));
        } else {
            self.table.ignored += 1;
        }
        Ok(flags)
    }

    fn point_row(
        &mut self,
        sample: &Sample<'_>,
        used: &Used,
        (about, around): (&About<'_>, &mut Around),
        (mut evidence, flags): (Evidence, &mut u32),
    ) {
        let mut module = String::new();
        if let Some((alias, value)) = used.first(&self.rules.modules.attributes) {
            let name = self.module_text(value);
            evidence.module_span = self.label(&name, flags);
            module = self.cut(&name).to_owned();
            evidence.aliases[3] = alias;
        }
        let metric = self.label(&about.metric.name, flags);
        let unit = self.label(&about.metric.unit, flags);
        let (operation, target) = names::operation_of_point(used);
        let operation = self.label(&operation.unwrap_or_default(), flags);
        let target = self.label(&target.unwrap_or_default(), flags);
        let codes = Codes::read(used);
        *flags |= codes.flags();
        let failing = self.rules.modules.failing_4xx.get(around.named_module(&module));
        // "Outcome by 1.4" of a request that was served: what counts it is no span and has no status.
        let facts = Facts {
            kind: 2,
            status: 0,
            codes: &codes,
            error_type: used.get("error.type"),
            cancel_error_types: &self.rules.requests.cancel_error_types,
            failing_4xx: codes.http.is_some_and(|http| failing.is_some_and(|codes| codes.contains(&http))),
            old_sdks: self.rules.requests.server_4xx_error == FourXxError::ClientError,
        };
        let (outcome, _) = facts.decide();
        let target = Extra { key: extra::TARGET, kind: 3, value: target.into() };
        let (first_extra, extras) = self.table.extras((target.value != 0).then_some(target).into_iter().collect());
        let buckets = sample.histogram.as_ref();
        let (first_word, words) = self.table.words(buckets.map_or(&[][..], |buckets| &buckets.words));
        let (evidence, context) = (self.table.evidence(evidence), self.context_row(around));
        self.table.points.push(row::Point {
            stream_id: stream_id(sample, about, around.context.resource_hash),
            start_ns: sample.start,
            time_ns: sample.time,
            value: value(sample),
            count: buckets.map_or(0, |buckets| buckets.count),
            context,
            evidence,
            metric,
            unit,
            operation,
            first_word,
            words,
            first_extra,
            extras: extras as u16,
            code: codes.http.or(codes.grpc).unwrap_or(NO_CODE),
            data: sample.data,
            temporality: sample.temporality as u8,
            outcome: outcome as u8,
            flags: of_point(sample, used, about, &codes),
            scale: buckets.map_or(0, |buckets| buckets.scale as i16),
        });
    }
}

/// `sli.md` 1.9, first column.
fn is_wanted(name: &str, rules: &Rules) -> bool {
    let requests = ["http.server.request.duration", "http.server.duration", "rpc.server.call.duration"];
    let calls = ["rpc.server.duration", "messaging.process.duration"];
    let spans = ["otel.sdk.span.started", "otel.sdk.exporter.span.exported", "otel.sdk.processor.span.processed"];
    let in_flight = ["http.server.active_requests", "otel.sdk.span.live"];
    let named = [&requests[..], &calls, &spans, &in_flight, &["gen_ai.client.token.usage"]].concat().contains(&name);
    let patterns =
        ["process.*", "system.*", "container.*", "gen_ai.client.inference.usage.*_tokens", "gen_ai.*.duration"];
    let is_gateway = rules.gateway_counters.iter().any(|counter| counter == name);
    named || is_gateway || patterns.iter().any(|pattern| names::fits(pattern, name))
}

fn value(sample: &Sample<'_>) -> u64 {
    let sum = sample.histogram.as_ref().and_then(|buckets| buckets.sum);
    match (sample.value, sum) {
        (Some(Value::AsInt(number)), _) => number as u64,
        (Some(Value::AsDouble(number)), _) | (None, Some(number)) => number.to_bits(),
        (None, None) => 0,
    }
}

fn of_point(sample: &Sample<'_>, used: &Used, about: &About<'_>, codes: &Codes) -> u16 {
    let says =
        |key: &str, words: &[&str]| used.get(key).is_some_and(|value| words.iter().any(|word| value.is_text(word)));
    let bit = |set: bool, flag: u16| if set { flag } else { 0 };
    let has_value = if sample.data > 2 { sample.histogram.is_some() } else { sample.value.is_some() };
    let has_sum = sample.histogram.as_ref().is_some_and(|buckets| buckets.sum.is_some());
    let of_tokens = about.metric.name.ends_with("output_tokens");
    bit(sample.monotonic, point_flag::MONOTONIC)
        | bit(matches!(sample.value, Some(Value::AsInt(_))), point_flag::INTEGER)
        | bit(!has_value, point_flag::NO_VALUE)
        | bit(sample.start == 0, point_flag::UNKNOWN_START)
        | bit(has_sum, point_flag::HAS_SUM)
        | bit(codes.http.is_none() && codes.grpc.is_some(), point_flag::GRPC_CODE)
        | bit(says("otel.span.parent.origin", &["none", "remote"]), point_flag::ENTERS)
        | bit(says("otel.span.sampling_result", &["DROP"]), point_flag::DROPPED)
        | bit(used.get("error.type").is_some(), point_flag::FAILED)
        | bit(of_tokens || says("gen_ai.token.type", &["output", "completion"]), point_flag::OUTPUT)
}

/// "XXH3-128 over resource, scope, name, unit, kind, temporality, monotonic, sorted attributes, each length-prefixed".
fn stream_id(sample: &Sample<'_>, about: &About<'_>, resource_hash: u64) -> [u8; 16] {
    let mut bytes = resource_hash.to_le_bytes().to_vec();
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    };
    for part in [about.scope, &about.metric.name, &about.metric.unit] {
        text(&mut bytes, part);
    }
    bytes.extend([sample.data, sample.temporality as u8, u8::from(sample.monotonic)]);
    let mut attributes: Vec<_> = sample.attributes.iter().map(parts).collect();
    attributes.sort_unstable();
    for (key, kind, scalar, value) in attributes {
        text(&mut bytes, key);
        bytes.push(kind);
        bytes.extend(scalar.to_le_bytes());
        text(&mut bytes, value);
    }
    xxhash_rust::xxh3::xxh3_128(&bytes).to_le_bytes()
}

/// Key; kind, scalar and text of the value. Of a list count its length and its first text.
fn parts(attribute: &KeyValue) -> (&str, u8, u64, &str) {
    let (kind, scalar, text) = match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        None => (0, 0, ""),
        Some(Any::StringValue(text)) => (1, 0, text.as_str()),
        Some(Any::BoolValue(truth)) => (2, u64::from(*truth), ""),
        Some(Any::IntValue(number)) => (3, *number as u64, ""),
        Some(Any::DoubleValue(number)) => (4, number.to_bits(), ""),
        Some(Any::ArrayValue(list)) => {
            let first = match list.values.first() {
                Some(AnyValue { value: Some(Any::StringValue(text)) }) => text.as_str(),
                _ => "",
            };
            (5, list.values.len() as u64, first)
        }
        Some(Any::KvlistValue(_)) => (6, 0, ""),
        Some(Any::BytesValue(_)) => (7, 0, ""),
        Some(Any::StringValueStrindex(_)) => (8, 0, ""),
    };
    (&attribute.key, kind, scalar, text)
}
