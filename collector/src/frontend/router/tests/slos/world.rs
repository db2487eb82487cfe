//! A world with an SLO and incidents, through the true fold and the true evaluator; figures are counted by hand.

use std::collections::BTreeMap;

use bailiwick_slo::engine::fleet::{Fleet, Limits};
use bailiwick_slo::engine::sums::{Delta, Source};
use bailiwick_slo::engine::windows::Grid;
use bailiwick_slo::exact::{Decimal, Fraction};
use bailiwick_slo::spec::{
    Draft, Globs, GroupBy, Method, Op, Period, Rate, Selector, Severity, Sli, Slo, Target, Terms, TierDraft,
    TierSource, TimeSpan,
};
use bailiwick_slo::time::{SECOND_NS, Slot};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

use super::super::*;
use crate::evaluator::{Beginning, Feed, InstanceReport};
use crate::observation::batch::{Batch, Meta};
use crate::observation::{Observer, Rules, Signal};

pub(super) const LIMITS: Limits = Limits { instances_max: 100, memory_bytes_max: usize::MAX };

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

/// Without repeats, gates and activation, so that all can be counted by hand.
pub(super) fn terms(target: &str) -> Terms {
    let target = Target::of(decimal(target)).expect("a target");
    let mut terms = Terms::usual(target, Period::Rolling(TimeSpan(30 * 86_400)));
    terms.alerts.repeat_every = TimeSpan(0);
    (terms.low_traffic.apply_below, terms.activate_events) = (0, 0);
    terms
}

/// Availability over 30 d; page 1h/5m 14.4, ticket 1d/2h 3.
pub(super) fn slo(id: &str, target: &str, tenant: &str) -> Slo {
    let tier = |severity, long, short, factor| TierDraft {
        severity,
        long: TimeSpan(long),
        short: Some(TimeSpan(short)),
        rate: Rate::Factor(factor),
        op: Op::Gt,
        hold: TimeSpan(0),
    };
    let page = tier(Severity::Page, 3_600, 300, Fraction::new(144, 10));
    let ticket = tier(Severity::Ticket, 86_400, 7_200, Fraction::new(3, 1));
    Slo {
        id: id.to_owned(),
        display_name: String::new(),
        description: String::new(),
        service: "rag_hub".to_owned(),
        labels: BTreeMap::new(),
        selector: Selector {
            tenant: Globs::of_tenants([tenant]),
            module: Globs::new(["*"]),
            operation: Globs::new(["*"]),
            group_by: GroupBy { tenant: true, module: true },
        },
        sli: Sli::Availability,
        method: Method::Occurrences,
        draft: Draft { terms: terms(target), tiers: TierSource::List(vec![page, ticket]) },
        overrides: Vec::new(),
        instances_max: 100,
        owner: None,
        revision: "0badcafe".to_owned(),
    }
}

pub(super) fn text_of(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

pub(super) fn code_of(code: i64) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::IntValue(code)) });
    KeyValue { key: "http.response.status_code".to_owned(), value, ..KeyValue::default() }
}

/// Requests of one operation that ended then after 40 ms: so many good ones, so many bad ones.
pub(super) fn requests(
    tenant: &str,
    (module, operation): (&str, &str),
    (good, bad): (usize, usize),
    (end, id): (u64, u64),
) -> ResourceSpans {
    let codes = std::iter::repeat_n(200, good).chain(std::iter::repeat_n(500, bad));
    let spans = codes.zip(id..).map(|(code, id)| Span {
        trace_id: u128::from(id).to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: "request".to_owned(),
        kind: 2,
        start_time_unix_nano: end - 40_000_000,
        end_time_unix_nano: end,
        attributes: vec![text_of("bailiwick.operation", operation), code_of(code)],
        ..Span::default()
    });
    let attributes = vec![text_of("service.name", module), text_of("tenant.id", tenant)];
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans: spans.collect(), ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

pub(super) fn beginning(slos: Vec<Slo>) -> Beginning {
    let (store_id, settle_ns) = ("store".to_owned(), 120 * SECOND_NS);
    Beginning { slos: Some(slos), store_id, limits: LIMITS, ledger_bytes_max: 1 << 20, settle_ns }
}

/// What observers make of spans.
pub(super) fn observed(resource_spans: Vec<ResourceSpans>, observed_at_ns: u64) -> Batch {
    let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    let request = crate::observation::Request {
        protobuf: &body,
        body: &body,
        signal: Signal::Traces,
        observed_at_ns,
        items_expected: None,
        meta: Meta::default(),
    };
    Observer::new(Arc::new(Rules::default())).observe(&request).expect("it is OTLP").batch
}

/// The aggregator and the evaluator, tick after tick.
pub(super) struct Daemon {
    fold: Aggregator,
    feed: Feed,
    records: u64,
    now_ns: u64,
    pub(super) report: Report,
}

impl Daemon {
    pub(super) fn receive(&mut self, resource_spans: Vec<ResourceSpans>) {
        let batch = observed(resource_spans, self.now_ns);
        self.records += 1;
        self.fold.apply(self.records, &batch.view());
    }

    pub(super) fn tick_until(&mut self, end_ns: u64) {
        while self.now_ns < end_ns {
            self.now_ns += 10 * SECOND_NS;
            self.records += 1;
            let snapshot = self.fold.tick(self.records, self.now_ns);
            if let Some((report, _)) = self.feed.take(&snapshot) {
                self.report = report;
            }
        }
    }
}

/// A minute before now: acme/rag_hub 3 bad of 100, acme/chat 10 good, globex/rag_hub 1 bad of 2,000.
pub(super) fn first() -> Daemon {
    let slos = vec![slo("avail", "0.999", "*"), slo("rag/loose", "0.9", "globex")];
    let mut daemon = Daemon {
        fold: Aggregator::new(aggregator::Terms::default()),
        feed: Feed::new(beginning(slos)),
        records: 0,
        now_ns: NOW_NS - 10 * SECOND_NS,
        report: Report::default(),
    };
    let end = NOW_NS - 60 * SECOND_NS;
    daemon.receive(vec![
        requests("acme", ("rag_hub", "POST /rag/query"), (58, 2), (end, 1_000)),
        requests("acme", ("rag_hub", "GET /rag"), (39, 1), (end, 2_000)),
        requests("acme", ("chat", "say"), (10, 0), (end, 3_000)),
        requests("globex", ("rag_hub", "POST /rag/query"), (1_999, 1), (end, 10_000)),
    ]);
    daemon.tick_until(NOW_NS);
    daemon
}

/// 200 s later acme/rag_hub has 1,000 good ones and globex/rag_hub 50 bad of 100; then 130 s pass.
pub(super) fn later() -> Daemon {
    let mut daemon = first();
    daemon.tick_until(NOW_NS + 200 * SECOND_NS);
    let end = NOW_NS + 195 * SECOND_NS;
    daemon.receive(vec![
        requests("acme", ("rag_hub", "POST /rag/query"), (1_000, 0), (end, 20_000)),
        requests("globex", ("rag_hub", "POST /rag/query"), (50, 50), (end, 30_000)),
    ]);
    daemon.tick_until(NOW_NS + 330 * SECOND_NS);
    daemon
}

/// One tick of 2023-11-14T22:13:20Z: an instance that nobody asks, and one of slices of 10 s with a tenth of one bad.
pub(super) fn quiet() -> Report {
    let mut slices = slo("slices", "0.999", "acme");
    slices.method = Method::RatioTimeslices { slice: TimeSpan(10) };
    let mut fleet = Fleet::new(vec![slo("avail", "0.999", "globex"), slices], Grid::LIVE, "store", LIMITS);
    let tick = u64::from(Slot::holding(NOW_NS).0);
    fleet.places_of(("globex", "rag_hub", "x"), tick);
    for place in fleet.places_of(("acme", "rag_hub", "x"), tick) {
        fleet.bring(place, tick, Delta { bad: 1, total: 10, raw_bad: 1, raw_total: 10 });
    }
    fleet.close(tick, |_, _| Source::Silent);
    let instances = fleet.members().iter().map(|member| InstanceReport {
        key: member.key.clone(),
        slo: Arc::clone(&member.slo),
        generation: Arc::clone(&member.generation),
        sources: Arc::default(),
        forecast: None,
        terms: member.instance.terms().clone(),
        status: member.instance.status(),
        incident: None,
    });
    Report { evaluated_tick: tick + 1, instances: instances.collect(), ..Report::default() }
}

pub(super) async fn ask_of(report: Report, uri: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let report = Arc::new(report);
    let parts = Parts { reports: Arc::new(move || Arc::clone(&report)), ..parts_of(empty()) };
    router(State::new(parts)).oneshot(request("GET", uri, headers)).await.expect("infallible")
}

pub(super) async fn ask_first(uri: &str) -> Value {
    json(ask_of(first().report, uri, &[]).await).await
}

pub(super) async fn ask_later(uri: &str) -> Value {
    json(ask_of(later().report, uri, &[]).await).await
}

pub(super) fn column<'a>(body: &'a Value, pointer: &str) -> Vec<&'a Value> {
    let items = body["items"].as_array().expect("items");
    items.iter().map(|item| item.pointer(pointer).expect("a field")).collect()
}
