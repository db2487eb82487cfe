//! An accepted request is appended before it is answered; a refused one leaves nothing behind.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::inflate::{gzip, text};
use crate::clock::ManualClock;
use crate::journal::{MemoryJournal, Record, Sequenced};
use crate::observation::batch::{Batch, layout};
use crate::observation::budget::Budget;
use crate::observation::report::{Position, Reason, Refused, Report, Warning};
use crate::observation::{LimitSettings, Observed, Request, Signal, Unreadable};
use crate::receiver::answer::{Answer, Cause};
use crate::receiver::gate::Hold;
use crate::receiver::ingest::{Pipeline, Plan, Walk};
use crate::receiver::request::{Coding, Encoding, Head, Ingest, Received, Transport};

const NOW_NS: u64 = 1_700_000_000_000_000_000;

/// What a walker was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    protobuf: Vec<u8>,
    body_bytes: usize,
    observed_at_ns: u64,
    items_expected: Option<u32>,
    meta: (String, String, u8, u8, u8, u8),
}

/// Walks nothing; does as the body's first word says.
struct Scripted(Arc<Mutex<Vec<Seen>>>);

impl Walk for Scripted {
    fn walk(&mut self, request: &Request<'_>) -> Result<Observed, Unreadable> {
        let meta = request.meta;
        self.0.lock().expect("no walker panics with it").push(Seen {
            protobuf: request.protobuf.to_vec(),
            body_bytes: request.body.len(),
            observed_at_ns: request.observed_at_ns,
            items_expected: request.items_expected,
            meta: (
                meta.principal.to_owned(),
                meta.tenant_auth.to_owned(),
                meta.auth_source,
                meta.transport,
                meta.encoding,
                meta.compression,
            ),
        });
        let mut report = Report { received: 3, accepted: 3, ..Report::default() };
        match request.protobuf {
            b"bad" => return Err(Unreadable::BadProtobuf { offset: 2, fault: crate::otlp::wire::Fault::Truncated }),
            b"many" => return Err(Unreadable::TooManyItems { what: "items", max: 7 }),
            script if script.starts_with(b"panic") => panic!("as the script says"),
            b"partial" => {
                let first = Position { item: 1, ..Position::default() };
                report.refused.push(Refused { reason: Reason::TooLate, count: 2, first });
            }
            b"warn" => report.warnings[Warning::ClockAnomaly as usize] = 1,
            _ => {}
        }
        Ok(Observed { batch: empty_batch(request.observed_at_ns), report })
    }
}

fn empty_batch(observed_at_ns: u64) -> Batch {
    let mut bytes = vec![0; layout::HEADER_BYTES];
    bytes[..4].copy_from_slice(&layout::MAGIC);
    bytes[layout::header::VERSION] = 1;
    bytes[layout::header::SIGNAL] = 1;
    bytes[layout::header::OBSERVED_AT_NS..][..8].copy_from_slice(&observed_at_ns.to_le_bytes());
    // The absent string is the only one: one end, 0.
    bytes[layout::header::COUNTS + 4 * layout::Section::StringEnds as usize] = 1;
    bytes.extend_from_slice(&[0; 8]);
    Batch::check(bytes).expect("sound")
}

struct House {
    pipeline: Pipeline,
    budget: Budget,
    seen: Arc<Mutex<Vec<Seen>>>,
    records: mpsc::Receiver<Sequenced>,
}

fn house() -> House {
    let (inbox, records) = mpsc::channel(64);
    let journal = MemoryJournal::new(inbox);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let shown = Arc::clone(&seen);
    let pipeline = Pipeline::new(Plan {
        walkers: Box::new(move || Box::new(Scripted(Arc::clone(&shown)))),
        journal: Arc::new(journal),
        clock: Arc::new(ManualClock::at(NOW_NS)),
        limits: LimitSettings::default(),
        workers: 1,
    });
    House { pipeline, budget: Budget::new(256 << 20), seen, records }
}

fn head() -> Head {
    Head {
        transport: Transport::Grpc,
        signal: Signal::Traces,
        encoding: Encoding::Protobuf,
        coding: Coding::Identity,
        tenant: None,
        address: "192.0.2.7".into(),
        deadline: None,
    }
}

impl House {
    async fn send(&self, head: Head, body: impl Into<Bytes>) -> Answer {
        let body = body.into();
        let hold = Hold::new(&self.budget, body.len() as u64, u64::MAX).expect("room");
        self.pipeline.ingest(Received { head, body, hold }).await
    }

    fn last_seen(&self) -> Seen {
        self.seen.lock().expect("no walker panics with it").last().expect("something was walked").clone()
    }

    fn appended(&mut self) -> Vec<Sequenced> {
        std::iter::from_fn(|| self.records.try_recv().ok()).collect()
    }
}

#[tokio::test]
async fn an_accepted_request_is_appended_before_it_is_answered() {
    let mut house = house();
    let answer = house.send(head(), "fine").await.expect("accepted");
    assert_eq!((answer.rejected, answer.message.as_str()), (0, ""));
    let records = house.appended();
    let [Sequenced { seq: 1, record: Record::Batch { batch, charge } }] = &records[..] else {
        panic!("one batch, not {records:?}");
    };
    assert_eq!(batch.view().observed_at_ns(), NOW_NS);
    // Only the batch is still held, and by its record.
    assert_eq!(charge.bytes(), batch.bytes().len() as u64);
    assert_eq!(house.budget.used(), charge.bytes());
    drop(records);
    assert_eq!(house.budget.used(), 0);
}

#[tokio::test]
async fn what_the_transport_knows_reaches_the_walker() {
    let house = house();
    let tenant = Some(HeaderValue::from_static("acme"));
    let zipped = Head { tenant, coding: Coding::Gzip, transport: Transport::Http, ..head() };
    house.send(zipped, gzip(b"some spans")).await.expect("accepted");
    let seen = house.last_seen();
    assert_eq!((seen.protobuf.as_slice(), seen.body_bytes), (&b"some spans"[..], 10));
    assert_eq!((seen.observed_at_ns, seen.items_expected), (NOW_NS, None));
    assert_eq!(seen.meta, ("acme".to_owned(), "acme".to_owned(), 1, 2, 1, 1));
    house.send(head(), "x").await.expect("accepted");
    assert_eq!(house.last_seen().meta, ("192.0.2.7".to_owned(), String::new(), 0, 1, 1, 0));
}

#[tokio::test]
async fn a_large_body_is_walked_elsewhere_with_the_same_result() {
    let mut house = house();
    let large = text(3 << 20);
    house.send(head(), large.clone()).await.expect("accepted");
    assert_eq!(house.last_seen().protobuf, large);
    house.send(Head { coding: Coding::Gzip, ..head() }, gzip(&large)).await.expect("accepted");
    assert_eq!(house.last_seen().protobuf, large);
    assert_eq!(house.appended().len(), 2);
}

#[tokio::test]
async fn a_refused_request_leaves_nothing_behind() {
    let mut house = house();
    let refused = [("bad", Cause::BadProtobuf), ("many", Cause::TooManyItems), ("panic", Cause::Panic)];
    for (body, cause) in refused {
        assert_eq!(house.send(head(), body).await.expect_err("refused").cause, cause);
    }
    let zipped = Head { coding: Coding::Gzip, ..head() };
    assert_eq!(house.send(zipped, "not gzip").await.expect_err("refused").cause, Cause::BadEncoding);
    let late = Head { deadline: Some(Instant::now()), ..head() };
    assert_eq!(house.send(late, "fine").await.expect_err("refused").cause, Cause::Slow);
    assert!(house.appended().is_empty());
    assert_eq!(house.budget.used(), 0);
    house.send(head(), "fine").await.expect("a panic harms its own request only");
}

#[tokio::test]
async fn a_bug_in_a_large_request_is_that_requests_answer() {
    let house = house();
    let mut body = b"panic large".to_vec();
    body.resize(2 << 20, b' ');
    assert_eq!(house.send(head(), body).await.expect_err("refused").cause, Cause::Panic);
    house.send(head(), text(2 << 20)).await.expect("the thread for large bodies goes on");
}

#[tokio::test]
async fn refused_items_and_due_warnings_are_said() {
    let house = house();
    let partial = house.send(head(), "partial").await.expect("accepted in part");
    let said = "2 of 3 spans rejected: too_late=2 (first: resource_spans[0].scope_spans[0].spans[1])";
    assert_eq!((partial.rejected, partial.message.as_str()), (2, said));
    let warned = house.send(head(), "warn").await.expect("accepted");
    assert_eq!((warned.rejected, warned.message.as_str()), (0, "warnings: clock_anomaly=1"));
    let again = house.send(head(), "warn").await.expect("accepted");
    assert_eq!(again.message, "", "said less than a minute ago");
}

#[tokio::test]
async fn json_with_no_known_key_is_accepted_with_a_word() {
    let house = house();
    let json = Head { encoding: Encoding::Json, ..head() };
    let answer = house.send(json.clone(), r#"{"resource_spans":[]}"#).await.expect("accepted");
    assert_eq!(answer.message, "warnings: unknown_keys=1");
    assert_eq!(house.last_seen().items_expected, Some(0));
    assert_eq!(house.send(json, "[]").await.expect_err("refused").cause, Cause::BadJson);
}

#[tokio::test]
async fn a_journal_that_is_closed_says_come_back() {
    let House { pipeline, budget, records, .. } = house();
    drop(records);
    let hold = Hold::new(&budget, 4, u64::MAX).expect("room");
    let received = Received { head: head(), body: Bytes::from_static(b"fine"), hold };
    let refusal = pipeline.ingest(received).await.expect_err("refused");
    assert_eq!((refusal.cause, refusal.cause.delay()), (Cause::Shutdown, Some(Duration::from_secs(1))));
    assert_eq!(budget.used(), 0);
}
