//! Committed batches of version 1: what is written today, and what must be readable for ever.
//!
//! `tests/fixtures/batch/README.md` says what the files are and when they may change.
#![deny(unsafe_code)]

use std::path::PathBuf;
use std::sync::Arc;

use bailiwick_collector::observation::batch::{Batch, Meta};
use bailiwick_collector::observation::{Observer, Request, RequestSettings, Rules, Signal};
use bailiwick_collector::otlp::json::{Kind, Limits, prescan, to_protobuf};
use bailiwick_collector::tenancy::{ModuleSettings, Settings};
use bailiwick_tests::listing::listing;

/// 2023-11-14T22:13:20Z.
const NOW_NS: u64 = 1_700_000_000_000_000_000;
/// Writes batches and listings anew instead of comparing them.
const WRITE: &str = "BAILIWICK_WRITE_FIXTURES";

/// Scenario: the committed trace request, under fixed settings and a fixed clock.
/// Guarantee: the observer makes the committed bytes of version 1, byte for byte.
#[test]
fn the_trace_request_becomes_the_committed_batch() {
    becomes_committed("traces", Signal::Traces, Kind::Traces);
}

/// Scenario: the committed metric request, under fixed settings and a fixed clock.
/// Guarantee: the observer makes the committed bytes of version 1, byte for byte.
#[test]
fn the_metric_request_becomes_the_committed_batch() {
    becomes_committed("metrics", Signal::Metrics, Kind::Metrics);
}

/// Scenario: the committed batch of the trace request.
/// Guarantee: it opens, and its rows read as the committed text.
#[test]
fn the_committed_batch_of_traces_reads_as_its_listing() {
    reads_as_listed("traces");
}

/// Scenario: the committed batch of the metric request.
/// Guarantee: it opens, and its rows read as the committed text.
#[test]
fn the_committed_batch_of_metrics_reads_as_its_listing() {
    reads_as_listed("metrics");
}

fn becomes_committed(name: &str, signal: Signal, kind: Kind) {
    let text = read(&format!("{name}.json"));
    let scan = prescan(&text, kind, &Limits::default()).expect("the committed request is JSON");
    let protobuf = to_protobuf(&text, kind, &scan).expect("the committed request is OTLP/JSON");
    if std::env::var_os(WRITE).is_some() {
        write(&format!("{name}.request"), &protobuf);
    }
    assert!(protobuf == read(&format!("{name}.request")), "{name}.json and {name}.request are the same request");
    let meta = Meta {
        principal: "192.0.2.7",
        tenant_auth: if signal == Signal::Metrics { "acme" } else { "" },
        auth_source: u8::from(signal == Signal::Metrics),
        transport: 2,
        encoding: 1,
        compression: 1,
    };
    let request =
        Request { protobuf: &protobuf, body: &protobuf, signal, observed_at_ns: NOW_NS, items_expected: None, meta };
    let batch = Observer::new(Arc::new(rules())).observe(&request).expect("a sound request").batch;
    if std::env::var_os(WRITE).is_some() {
        write(&format!("{name}.v1.batch"), batch.bytes());
        write(&format!("{name}.v1.txt"), listing(&batch).as_bytes());
    }
    let committed = String::from_utf8(read(&format!("{name}.v1.txt"))).expect("a listing is text");
    similar(&listing(&batch), &committed);
    assert!(batch.bytes() == read(&format!("{name}.v1.batch")), "the listing is the same, and the bytes are not");
}

fn reads_as_listed(name: &str) {
    let batch = Batch::check(read(&format!("{name}.v1.batch"))).expect("a batch of version 1 opens for ever");
    let committed = String::from_utf8(read(&format!("{name}.v1.txt"))).expect("a listing is text");
    similar(&listing(&batch), &committed);
}

/// Every setting that a row depends on, so that another default is not another batch.
fn rules() -> Rules {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let tenancy = Settings {
        attributes: texts(&["bailiwick.tenant.id", "tenant.id"]),
        headers: texts(&["x-tenant-id"]),
        baggage: texts(&["baggage.tenant.id"]),
        ..Settings::default()
    };
    let modules = ModuleSettings { attributes: texts(&["module"]), ..ModuleSettings::default() };
    let requests = RequestSettings {
        ignore_span_names: texts(&["* http send"]),
        exclude: texts(&["GET /health*"]),
        cancel_error_types: texts(&["CANCELLED"]),
        ..RequestSettings::default()
    };
    let mut rules = Rules { tenancy, modules, requests, ..Rules::default() };
    rules.limits.label_bytes_max = 256;
    rules
}

/// Two listings, compared line by line so that a difference says what it is about.
fn similar(written: &str, committed: &str) {
    for (number, (written, committed)) in (1..).zip(written.lines().zip(committed.lines())) {
        assert_eq!(written, committed, "line {number}");
    }
    assert_eq!(written.lines().count(), committed.lines().count(), "lines");
}

fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/batch").join(name)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(place(name)).unwrap_or_else(|error| panic!("failed to read {name}: {error}"))
}

fn write(name: &str, bytes: &[u8]) {
    std::fs::write(place(name), bytes).unwrap_or_else(|error| panic!("failed to write {name}: {error}"));
}
