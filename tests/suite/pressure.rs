//! What clients are told while memory is scarce or the daemon ends (`ingest.md` 1.4), and what bombs cost (row T4, D2).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bailiwick_tests::harness::raw::{EXPORT, TRACES, answer, call, exchange, frame, post};
use bailiwick_tests::harness::{Daemon, eventually};
use bailiwick_tests::load::usage;
use tonic::Code;
use tonic_types::StatusExt;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const PATIENCE: Duration = Duration::from_secs(15);

fn settings(pairs: &[&str]) -> Vec<String> {
    pairs.iter().flat_map(|pair| ["--set".to_owned(), (*pair).to_owned()]).collect()
}

fn start(pairs: &[&str]) -> Daemon {
    let settings = settings(pairs);
    Daemon::start(&settings.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A request whose body does not come: it holds its declared length.
fn hold(address: SocketAddr, bytes: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a listener");
    let request = post(TRACES, &[PROTOBUF], &vec![0; bytes]);
    stream.write_all(&request[..request.len() - bytes + 1]).expect("it is taken");
    stream
}

/// Waits until bodies on their way hold this much.
async fn charged(daemon: &Daemon, bytes: u64) {
    let api = daemon.api();
    eventually("bodies are charged", PATIENCE, async || {
        let limits = api.json("/v1/limits?q=inflight_bytes_max").await?;
        let used = limits["items"][0]["used"].as_u64().unwrap_or_default();
        if used >= bytes { Ok(()) } else { Err(format!("{used} bytes in use")) }
    })
    .await;
}

/// Scenario: a request that the whole budget has no room for, and one that finds the budget taken.
/// Guarantee: the first is told never to come back, the second when, over both transports.
#[tokio::test]
async fn scarce_memory_is_told_as_what_it_is() {
    let daemon = start(&["limits.inflight_bytes_max=1MiB", "limits.body_bytes_max=1MiB"]);
    let large = vec![0; 600 << 10];
    let share = answer(daemon.http(), TRACES, &[PROTOBUF], &large);
    assert!(share.status == 413 && !share.head.contains("retry-after"), "{}", share.head);
    let share = call(daemon.grpc(), EXPORT, &[], frame(0, &large)).await.status.expect("a status");
    assert_eq!(share.code(), Code::ResourceExhausted);
    assert!(share.get_details_retry_info().is_none(), "it would never fit");

    let _holders = [hold(daemon.http(), 500 << 10), hold(daemon.http(), 400 << 10)];
    charged(&daemon, 900 << 10).await;
    let third = vec![0; 300 << 10];
    let inflight = answer(daemon.http(), TRACES, &[PROTOBUF], &third);
    assert_eq!(inflight.status, 503, "{}", inflight.head);
    let head = inflight.head;
    // One second and up to a fifth, rounded up.
    assert!(head.contains("retry-after: 1") || head.contains("retry-after: 2"), "{head}");
    let inflight = call(daemon.grpc(), EXPORT, &[], frame(0, &third)).await.status.expect("a status");
    assert_eq!(inflight.code(), Code::Unavailable);
    let delay = inflight.get_details_retry_info().and_then(|retry| retry.retry_delay).expect("a delay");
    assert!((1_000..=1_200).contains(&delay.as_millis()), "{delay:?}");
}

/// Scenario: SIGTERM while a body is on its way.
/// Guarantee: two seconds later its client is told to come back; new connections are refused; exit 0 within 10 s.
#[tokio::test]
async fn who_is_cut_by_the_end_is_told_to_come_back() {
    let daemon = start(&[]);
    let mut slow = hold(daemon.http(), 1_000);
    charged(&daemon, 1_000).await;
    let grpc = daemon.grpc();
    let began = Instant::now();
    let exit = std::thread::spawn(move || daemon.terminate());
    let mut said = Vec::new();
    slow.read_to_end(&mut said).expect("an answer, then the end");
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.starts_with("HTTP/1.1 503") && said.to_ascii_lowercase().contains("retry-after: "), "{said}");
    let exit = exit.join().expect("the thread ends");
    assert!(exit.code == Some(0) && began.elapsed() < Duration::from_secs(10), "{exit:?}");
    assert!(TcpStream::connect(grpc).is_err(), "nobody listens any more");
}

/// A request of nothing but this many empty spans, 2 bytes each.
fn empty_spans(count: usize) -> Vec<u8> {
    let spans = [0x12, 0x00].repeat(count);
    let field = |bytes: &[u8], tag: u8| {
        let mut message = vec![tag];
        prost::encoding::encode_varint(bytes.len() as u64, &mut message);
        message.extend_from_slice(bytes);
        message
    };
    field(&field(&spans, 0x12), 0x0a)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("a Vec takes all");
    encoder.finish().expect("a Vec takes all")
}

/// Scenario: 2,097,152 empty spans (4 MiB) as gzip and zstd, one after the other, then from eight clients at once.
/// Guarantee: refused; memory grows by less than 32 MiB, and by less than 64 MiB for all at once: at most four of them
/// are inflated at a time on two cores, each with a zstd window of 8 MiB at most.
#[test]
fn a_bomb_of_empty_spans_costs_nothing() {
    let daemon = start(&[]);
    let spans = empty_spans(2 << 20);
    let bombs = [("gzip", gzip(&spans)), ("zstd", zstd::encode_all(&spans[..], 19).expect("a Vec takes all"))];
    let before = usage::rss_peak(daemon.process().id()).expect("a process");
    for (coding, bomb) in &bombs {
        let began = Instant::now();
        let answer = answer(daemon.http(), TRACES, &[PROTOBUF, ("content-encoding", coding)], bomb);
        let took = began.elapsed();
        assert_eq!(answer.status, 413, "{coding}: {}", answer.head);
        eprintln!("{coding}: {} bytes refused in {took:?}", bomb.len());
    }
    let grown = || usage::rss_peak(daemon.process().id()).expect("a process") - before;
    assert!(grown() < 32 << 20, "{} bytes", grown());
    eprintln!("peak memory grew by {} KiB", grown() >> 10);
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let (coding, bomb) = bombs[number % 2].clone();
            let request = post(TRACES, &[PROTOBUF, ("content-encoding", coding)], &bomb);
            let address = daemon.http();
            std::thread::spawn(move || exchange(address, &request).map(|answer| answer.status))
        })
        .collect();
    for client in clients {
        assert_eq!(client.join().expect("the thread ends"), Some(413));
    }
    assert!(grown() < 64 << 20, "{} bytes", grown());
    eprintln!("by {} KiB after eight at once", grown() >> 10);
}
