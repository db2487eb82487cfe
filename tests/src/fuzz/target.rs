//! The promises, as functions of any bytes.

use std::cell::RefCell;
use std::sync::Arc;

use bailiwick_collector::observation::batch::Batch;
use bailiwick_collector::observation::{Observed, Observer, Request, Rules, Signal, Unreadable};
use bailiwick_collector::otlp::json::{JsonError, Kind, Limits, prescan, to_protobuf};
use bailiwick_collector::otlp::wire::Fault;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::cases::{CASES, Case, NOW_NS};
use super::skipped;
use crate::reference;

struct Subject {
    case: Case,
    rules: Arc<Rules>,
    /// Used again and again, as in the daemon: what it remembers of one request must not show in the next.
    observer: Observer,
}

impl Subject {
    fn new(case: Case) -> Self {
        let rules = Arc::new(case.rules());
        Self { case, observer: Observer::new(Arc::clone(&rules)), rules }
    }
}

thread_local! {
    static SUBJECTS: RefCell<Vec<Subject>> = RefCell::new(CASES.map(Subject::new).into());
}

/// One case for each input, so that an input always means the same.
fn with_subject<T>(data: &[u8], body: impl FnOnce(&mut Subject) -> T) -> T {
    let choice = xxhash_rust::xxh3::xxh3_64(data) as usize % CASES.len();
    SUBJECTS.with_borrow_mut(|subjects| body(&mut subjects[choice]))
}

fn request<'a>(case: Case, signal: Signal, protobuf: &'a [u8], body: &'a [u8]) -> Request<'a> {
    Request { protobuf, body, signal, observed_at_ns: NOW_NS, items_expected: None, meta: case.meta() }
}

/// Trace requests: (a) STRICT accepts what prost accepts and nothing else; (b) what prost accepts the daemon accepts,
/// and its batch is the reference's, byte for byte; (c) what only the daemon accepts is bad text, deep nesting, or damage
/// inside a value that it skips.
pub fn fuzz_traces(data: &[u8]) {
    with_subject(data, |subject| {
        let request = request(subject.case, Signal::Traces, data, data);
        let judge = ExportTraceServiceRequest::decode(data);
        let strict = subject.observer.observe_strictly(&request);
        let normal = subject.observer.observe(&request);
        assert_eq!(strict.is_ok(), judge.is_ok(), "(a) STRICT says {strict:?}, prost says {:?}", judge.as_ref().err());
        match (judge, normal) {
            (Ok(sent), Ok(observed)) => same_as_reference(&sent, subject, &request, &observed),
            (Ok(_), Err(refusal)) => panic!("(b) prost accepts, the daemon says {refusal:?}"),
            (Err(_), Ok(observed)) => {
                sound(&observed);
                intended(data, &subject.rules, strict.err());
            }
            (Err(_), Err(_)) => {}
        }
    });
}

fn same_as_reference(sent: &ExportTraceServiceRequest, subject: &Subject, request: &Request<'_>, observed: &Observed) {
    let expected = reference::batch(sent, &subject.rules, request);
    if observed.batch.bytes() != expected {
        let expected = Batch::check(expected).expect("the reference writes sound batches");
        panic!("(b) under {:?} {}", subject.case, reference::difference(&observed.batch, &expected));
    }
    sound(observed);
}

/// A batch reads back, and its books balance with the report.
fn sound(observed: &Observed) {
    let report = &observed.report;
    let read = Batch::check(observed.batch.bytes().to_vec()).expect("a batch that was written is sound");
    assert_eq!(report.received, report.accepted + report.refused_items(), "received = accepted + refused");
    let rejected: u32 = read.view().rejects().map(|row| row.count).sum();
    assert_eq!(rejected, report.refused_items(), "rejects of batch and report");
}

fn intended(data: &[u8], rules: &Rules, strict: Option<Unreadable>) {
    let Some(Unreadable::BadProtobuf { offset, fault }) = strict else {
        panic!("(c) STRICT refuses by a limit that is off: {strict:?}");
    };
    let excused = matches!(fault, Fault::Utf8 | Fault::Depth) || skipped::covers(data, offset, rules);
    assert!(excused, "(c) the daemon accepts what prost refuses, at byte {offset}: {fault}");
}

/// Metric requests: what prost accepts the daemon accepts, and it judges every point as the reference does; nothing
/// panics.
pub fn fuzz_metrics(data: &[u8]) {
    with_subject(data, |subject| {
        let request = request(Case::Default, Signal::Metrics, data, data);
        let observed = subject.observer.observe(&request);
        let Ok(sent) = ExportMetricsServiceRequest::decode(data) else { return };
        let observed = observed.expect("prost accepts, the daemon does not");
        sound(&observed);
        let verdicts = reference::verdicts(&sent, &subject.rules, NOW_NS);
        assert_eq!(observed.report.received as usize, verdicts.len(), "points");
        for refused in &observed.report.refused {
            let count = verdicts.iter().filter(|verdict| **verdict == Err(refused.reason)).count();
            assert_eq!(refused.count as usize, count, "points refused as {}", refused.reason.name());
        }
        let accepted = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
        assert_eq!(observed.report.accepted as usize, accepted, "points accepted");
    });
}

/// JSON: nothing panics; what is accepted is canonical protobuf of the request, and both passes see the same items.
pub fn fuzz_json(data: &[u8]) {
    if let Some((scan, protobuf)) = transcoded(data, Kind::Traces) {
        let sent = ExportTraceServiceRequest::decode(&protobuf[..]).expect("what is accepted is protobuf");
        assert!(sent.encode_to_vec() == protobuf, "not the bytes that prost writes");
        let scopes = sent.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        let spans: usize = scopes.map(|scope| scope.spans.len()).sum();
        assert!(spans <= scan.items as usize, "{spans} spans, and the scan saw {}", scan.items);
    }
    if let Some((_, protobuf)) = transcoded(data, Kind::Metrics) {
        let sent = ExportMetricsServiceRequest::decode(&protobuf[..]).expect("what is accepted is protobuf");
        assert!(sent.encode_to_vec() == protobuf, "not the bytes that prost writes");
    }
}

fn transcoded(data: &[u8], kind: Kind) -> Option<(bailiwick_collector::otlp::json::Scan, Vec<u8>)> {
    let scan = prescan(data, kind, &Limits::default()).ok()?;
    let protobuf = to_protobuf(data, kind, &scan).ok()?;
    Some((scan, protobuf))
}

/// A trace request as protobuf and the same as JSON come to the same rows; false if it is nested too deep for JSON.
///
/// # Panics
/// If they do not.
#[must_use]
pub fn json_equals_protobuf(protobuf: &[u8], text: &[u8]) -> bool {
    let scan = match prescan(text, Kind::Traces, &Limits::default()) {
        Err(JsonError::TooDeep { .. }) => return false,
        scan => scan.expect("a printed request is JSON"),
    };
    let from_json = to_protobuf(text, Kind::Traces, &scan).expect("a printed request is OTLP/JSON");
    with_subject(protobuf, |subject| {
        // The hash of the body is the only thing that may differ.
        let sent = request(subject.case, Signal::Traces, protobuf, protobuf);
        let printed = Request { protobuf: &from_json, items_expected: Some(scan.items), ..sent };
        let batch = |observed: Result<Observed, Unreadable>| observed.expect("a sound request").batch;
        let (sent, printed) = (batch(subject.observer.observe(&sent)), batch(subject.observer.observe(&printed)));
        assert!(sent == printed, "as JSON {}", reference::difference(&printed, &sent));
    });
    true
}
