//! One tenant makes up a new operation with every request, a million of them (`sli.md` 5 and proof 7).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bailiwick_tests::harness::raw::{TRACES, answer};
use bailiwick_tests::harness::{Daemon, eventually};
use bailiwick_tests::load::usage;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

const PATIENCE: Duration = Duration::from_secs(30);
const SPANS_PER_REQUEST: u64 = 4_000;
const OPERATIONS: u64 = 1_000_000;
/// Until here everything that grows with names may fill up: names, sketches, the index.
const WARM: u64 = 300_000;
const STEADY_EVERY: u64 = 10;
const CAUGHT_UP_EVERY: u64 = 100_000;

fn text(key: &str, value: String) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value)) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// A number in letters: digits of a name would be masked.
fn letters(mut number: u64) -> String {
    let mut name = String::new();
    for _ in 0..6 {
        name.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
    }
    name
}

fn request(tenant: &str, numbers: std::ops::Range<u64>, operation: impl Fn(u64) -> String) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64;
    let span = |number: u64| Span {
        // Spread over all bits as random ids are.
        trace_id: u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes().to_vec(),
        span_id: (number + 1).to_be_bytes().to_vec(),
        name: operation(number),
        kind: 2,
        start_time_unix_nano: now - 5_000_000,
        end_time_unix_nano: now - 1_000_000,
        ..Span::default()
    };
    let resource = Resource {
        attributes: vec![text("service.name", "shop".to_owned()), text("tenant.id", tenant.to_owned())],
        ..Resource::default()
    };
    let scope_spans = vec![ScopeSpans { spans: numbers.map(span).collect(), ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// Scenario: a million operations of one tenant, a request each, beside a tenant with one operation.
/// Guarantee: memory stays flat once its tables are full; the totals of both tenants are exact, in overflow or not; the
/// other tenant has its one series, unsampled.
#[tokio::test]
async fn a_million_operations_cost_no_more_than_the_bound() {
    let daemon = Daemon::start(&["--set", "aggregator.coverage.index_bytes_max=16MiB"]);
    let send = |body: &[u8]| {
        let answer = answer(daemon.http(), TRACES, &[("content-type", "application/x-protobuf")], body);
        assert_eq!(answer.status, 200, "{}", answer.head);
    };
    let rss = || usage::rss_peak(daemon.process().id()).expect("a process");
    let (mut warm, mut steady) = (0, 0);
    let api = daemon.api();
    let total = async |tenant: &str| -> Result<(u64, usize), String> {
        let page = api.json(&format!("/v1/series?tenant={tenant}&limit=1000")).await?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        Ok((items.iter().filter_map(|item| item["total"]["success"].as_u64()).sum(), items.len()))
    };
    for (turn, first) in (0..OPERATIONS).step_by(SPANS_PER_REQUEST as usize).enumerate() {
        send(&request("flood", first..first + SPANS_PER_REQUEST, |number| format!("call {}", letters(number))));
        if (turn as u64).is_multiple_of(STEADY_EVERY) {
            send(&request("steady", OPERATIONS + steady..OPERATIONS + steady + 7, |_| "answer".to_owned()));
            steady += 7;
        }
        // What waits to be booked takes memory too, and is bounded by itself: it shall not be measured here.
        if (first + SPANS_PER_REQUEST).is_multiple_of(CAUGHT_UP_EVERY) {
            eventually("requests are booked", PATIENCE, async || match total("flood").await? {
                (booked, _) if booked == first + SPANS_PER_REQUEST => Ok(()),
                seen => Err(format!("{seen:?}")),
            })
            .await;
        }
        if first + SPANS_PER_REQUEST == WARM {
            warm = rss();
        }
    }
    eventually("all requests are booked", PATIENCE, async || match (total("flood").await?, total("steady").await?) {
        ((OPERATIONS, series), of_steady) if series <= 101 && of_steady == (steady, 1) => Ok(()),
        seen => Err(format!("{seen:?}, steady sent {steady}")),
    })
    .await;
    let (end, grown) = (rss(), rss().saturating_sub(warm));
    eprintln!("peak memory: {} MiB after {WARM}, {} MiB after {OPERATIONS} operations", warm >> 20, end >> 20);
    assert!(grown < 16 << 20, "memory grew by {} MiB", grown >> 20);
}
