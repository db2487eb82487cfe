//! The promises about requests, as functions of any bytes.

use std::cell::RefCell;
use std::sync::Arc;

use bailiwick_collector::observation::batch::Batch;
use bailiwick_collector::observation::report::Reason;
use bailiwick_collector::observation::{Observed, Observer, Request, Rules, Signal};
use bailiwick_collector::otlp::json::{JsonError, Kind, Limits, Scan, prescan, to_protobuf};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::{DecodeError, Message};

use super::bare::bare;
use super::cases::{CASES, Case, NOW_NS};
use super::rows;
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

    fn observe(&mut self, request: &Request<'_>) -> Observed {
        self.observer.observe(request).expect("a sound request")
    }
}

thread_local! {
    static SUBJECTS: RefCell<Vec<Subject>> = RefCell::new(CASES.map(Subject::new).into());
}

/// One case for each input, so that an input always means the same.
#[must_use]
pub fn case_of(data: &[u8]) -> Case {
    CASES[xxhash_rust::xxh3::xxh3_64(data) as usize % CASES.len()]
}

fn with_subject<T>(case: Case, body: impl FnOnce(&mut Subject) -> T) -> T {
    SUBJECTS.with_borrow_mut(|subjects| {
        let subject = subjects.iter_mut().find(|subject| subject.case == case).expect("there is one of each");
        body(subject)
    })
}

fn request<'a>(case: Case, signal: Signal, protobuf: &'a [u8], body: &'a [u8]) -> Request<'a> {
    Request { protobuf, body, signal, observed_at_ns: NOW_NS, items_expected: None, meta: case.meta() }
}

/// Trace requests, by the three rules of [`fuzz_under`].
pub fn fuzz_traces(data: &[u8]) {
    fuzz_under(case_of(data), Signal::Traces, data);
}

/// Metric requests, by the three rules of [`fuzz_under`].
pub fn fuzz_metrics(data: &[u8]) {
    fuzz_under(case_of(data), Signal::Metrics, data);
}

/// (a) STRICT accepts what prost accepts and nothing else; (b) what prost accepts the daemon accepts, and its batch is
/// the reference's, byte for byte; (c) what only the daemon accepts is sound without what it skips, comes to the same
/// rows then, and bad texts cost no item but those that use them.
///
/// # Panics
/// If a rule is broken.
pub fn fuzz_under(case: Case, signal: Signal, data: &[u8]) {
    with_subject(case, |subject| judge(data, signal, subject));
}

fn judge(data: &[u8], signal: Signal, subject: &mut Subject) {
    let request = request(subject.case, signal, data, data);
    let right = right(&request, &subject.rules);
    let strict = subject.observer.observe_strictly(&request);
    let normal = subject.observer.observe(&request);
    let says = format!("STRICT says {:?}, prost says {:?}", strict.as_ref().err(), right.as_ref().err());
    assert_eq!(strict.is_ok(), right.is_ok(), "(a) under {:?} {says}", subject.case);
    match (right, normal) {
        (Ok(right), Ok(observed)) => {
            same(&observed.batch, right, subject.case);
            sound(&observed);
        }
        (Ok(_), Err(refusal)) => panic!("(b) under {:?} prost accepts, the daemon says {refusal:?}", subject.case),
        (Err(_), Ok(observed)) => {
            sound(&observed);
            intended(&observed, &request, subject, &says);
        }
        (Err(_), Err(_)) => {}
    }
}

/// What the daemon makes of a request.
#[must_use]
pub fn observed(case: Case, signal: Signal, data: &[u8]) -> Option<Observed> {
    with_subject(case, |subject| subject.observer.observe(&request(case, signal, data, data)).ok())
}

/// The batch that is right, if prost accepts the request.
fn right(request: &Request<'_>, rules: &Rules) -> Result<Vec<u8>, DecodeError> {
    match request.signal {
        Signal::Traces => ExportTraceServiceRequest::decode(request.protobuf)
            .map(|sent| reference::batch_of_traces(&sent, rules, request)),
        Signal::Metrics => ExportMetricsServiceRequest::decode(request.protobuf)
            .map(|sent| reference::batch_of_metrics(&sent, rules, request)),
    }
}

fn same(written: &Batch, right: Vec<u8>, case: Case) {
    if written.bytes() != right {
        let right = Batch::check(right).expect("the reference writes sound batches");
        panic!("(b) under {case:?} {}", reference::difference(written, &right));
    }
}

/// A batch reads back, and its books balance with the report.
fn sound(observed: &Observed) {
    let report = &observed.report;
    let read = Batch::check(observed.batch.bytes().to_vec()).expect("a batch that was written is sound");
    assert_eq!(report.received, report.accepted + report.refused_items(), "received = accepted + refused");
    let rejected: u32 = read.view().rejects().map(|row| row.count).sum();
    assert_eq!(rejected, report.refused_items(), "rejects of batch and report");
    for refused in &report.refused {
        let rows = read.view().rejects().filter(|row| row.reason == refused.reason as u16);
        assert_eq!(rows.map(|row| row.count).sum::<u32>(), refused.count, "items refused as {}", refused.reason.name());
    }
}

/// Rule (c).
fn intended(observed: &Observed, sent: &Request<'_>, subject: &mut Subject, says: &str) {
    let bare = bare(sent.protobuf, sent.signal, &subject.rules);
    let bare = bare.unwrap_or_else(|torn| panic!("(c) the daemon accepts {torn:?}; {says}"));
    let request = Request { protobuf: &bare.protobuf, body: sent.body, ..*sent };
    let right = right(&request, &subject.rules)
        .unwrap_or_else(|error| panic!("(c) prost refuses it without what is skipped: {error}; {says}"));
    let without = subject.observe(&request);
    same(&without.batch, right, subject.case);
    if bare.bad_texts == 0 {
        same(&observed.batch, without.batch.bytes().to_vec(), subject.case);
        return;
    }
    let refused = |of: &Observed, reason| {
        of.report.refused.iter().filter(|refused| refused.reason == reason).map(|refused| refused.count).sum::<u32>()
    };
    assert_eq!(observed.report.received, without.report.received, "(c) items; {says}");
    for reason in Reason::ALL.into_iter().filter(|reason| *reason != Reason::InvalidUtf8) {
        assert!(refused(observed, reason) <= refused(&without, reason), "(c) more refused as {}", reason.name());
    }
    assert_eq!(refused(&without, Reason::InvalidUtf8), 0, "(c) what is bare is text");
    rows::are_among(&observed.batch.view(), &without.batch.view());
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
    if let Some((scan, protobuf)) = transcoded(data, Kind::Metrics) {
        let sent = ExportMetricsServiceRequest::decode(&protobuf[..]).expect("what is accepted is protobuf");
        assert!(sent.encode_to_vec() == protobuf, "not the bytes that prost writes");
        let points = reference::points(&sent);
        assert!(points <= scan.items as usize, "{points} points, and the scan saw {}", scan.items);
    }
}

fn transcoded(data: &[u8], kind: Kind) -> Option<(Scan, Vec<u8>)> {
    let scan = prescan(data, kind, &Limits::default()).ok()?;
    let protobuf = to_protobuf(data, kind, &scan).ok()?;
    Some((scan, protobuf))
}

/// A request as protobuf and the same as JSON come to the same rows; false if it is nested too deep for JSON.
///
/// # Panics
/// If they do not.
#[must_use]
pub fn json_equals_protobuf(signal: Signal, protobuf: &[u8], text: &[u8]) -> bool {
    let kind = match signal {
        Signal::Traces => Kind::Traces,
        Signal::Metrics => Kind::Metrics,
    };
    let scan = match prescan(text, kind, &Limits::default()) {
        Err(JsonError::TooDeep { .. }) => return false,
        scan => scan.expect("a printed request is JSON"),
    };
    let from_json = to_protobuf(text, kind, &scan).expect("a printed request is OTLP/JSON");
    with_subject(case_of(protobuf), |subject| {
        // The hash of the body is the only thing that may differ.
        let sent = request(subject.case, signal, protobuf, protobuf);
        let printed = Request { protobuf: &from_json, items_expected: Some(scan.items), ..sent };
        let (sent, printed) = (subject.observe(&sent).batch, subject.observe(&printed).batch);
        assert!(sent == printed, "as JSON {}", reference::difference(&printed, &sent));
    });
    true
}
