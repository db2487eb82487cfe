//! The sender delivers the same by every transport, comes back when it is asked to, and counts what it loses.

use super::*;
use crate::cli::demo::encode;
use crate::cli::demo::fake_daemon::FakeDaemon;
use crate::cli::demo::{Faults, Platform};

fn some_traces() -> (ExportTraceServiceRequest, u64) {
    let platform = Platform { seed: 1, rate: 5, faults: Faults::NONE, epoch_s: 1_700_000_000 };
    let request = encode::traces(&platform.second(0));
    let items = spans(&request);
    (request, items)
}

async fn started() -> (FakeDaemon, Exporter) {
    let daemon = FakeDaemon::default();
    let exporter = Exporter::to(daemon.start().await);
    (daemon, exporter)
}

#[tokio::test]
async fn every_transport_delivers_the_same_spans() {
    let (daemon, mut exporter) = started().await;
    let (request, items) = some_traces();
    for transport in [Transport::Grpc, Transport::GrpcGzip, Transport::Http, Transport::HttpGzip] {
        exporter.offer(Export::traces(request.clone(), transport));
    }
    exporter.deliver().await;
    let seen = daemon.0.lock().unwrap();
    assert_eq!((seen.exports, seen.spans, seen.gzipped), (4, 4 * items, 1));
    assert_eq!(exporter.tally, Tally { exports: 4, items: 4 * items, ..Tally::default() });
}

#[tokio::test]
async fn a_daemon_that_says_come_back_gets_the_export_again() {
    let (daemon, mut exporter) = started().await;
    daemon.0.lock().unwrap().refusals.push_back(503);
    let (request, items) = some_traces();
    exporter.offer(Export::traces(request, Transport::HttpGzip));
    exporter.deliver().await;
    assert_eq!((exporter.waiting(), exporter.tally.retries), (1, 1));
    exporter.deliver().await;
    assert!(exporter.is_empty());
    assert_eq!(exporter.tally, Tally { exports: 1, items, retries: 1, ..Tally::default() });
}

#[tokio::test]
async fn a_refusal_for_good_is_counted_and_not_sent_again() {
    let (daemon, mut exporter) = started().await;
    daemon.0.lock().unwrap().refusals.push_back(400);
    exporter.offer(Export::traces(some_traces().0, Transport::Http));
    exporter.deliver().await;
    assert!(exporter.is_empty());
    assert_eq!(exporter.tally, Tally { exports_refused: 1, ..Tally::default() });
}

#[tokio::test]
async fn spans_refused_one_by_one_are_counted_and_not_sent_again() {
    let (daemon, mut exporter) = started().await;
    daemon.0.lock().unwrap().rejected_spans = 2;
    let (request, items) = some_traces();
    exporter.offer(Export::traces(request.clone(), Transport::Http));
    exporter.offer(Export::traces(request, Transport::Grpc));
    exporter.deliver().await;
    assert!(exporter.is_empty());
    assert_eq!(exporter.tally, Tally { exports: 2, items: 2 * items, items_rejected: 4, ..Tally::default() });
}

#[tokio::test]
async fn without_a_daemon_the_queue_keeps_its_newest_and_counts_what_it_drops() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let mut exporter = Exporter::to(Targets { grpc: closed, http: closed });
    let (request, _) = some_traces();
    for _ in 0..QUEUE_MAX + 3 {
        exporter.offer(Export::traces(request.clone(), Transport::Grpc));
    }
    assert_eq!(exporter.tally.exports_dropped, 3);
    exporter.deliver().await;
    assert_eq!(exporter.waiting(), QUEUE_MAX as u64);
    assert_eq!(exporter.tally.exports, 0);
}
