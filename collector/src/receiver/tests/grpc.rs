//! OTLP/gRPC at real sockets: exports, frames, codes, health, and clients that leave.

use ::http::{Request, Response, Version};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::*;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

async fn send(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Response<Incoming> {
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<Bytes>>();
    let mut request = Request::post(format!("http://{address}{path}")).version(Version::HTTP_2);
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/grpc");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.request(request.body(Full::from(body)).expect("a request")).await.expect("a response")
}

fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("short");
    [&[0][..], &length.to_be_bytes(), message].concat()
}

async fn call(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (Code, Status, Bytes) {
    let response = send(address, path, headers, body).await;
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let (head, body) = response.into_parts();
    let collected = body.collect().await.expect("a whole response");
    let trailers = collected.trailers().cloned().unwrap_or_default();
    let status = Status::from_header_map(&trailers).or_else(|| Status::from_header_map(&head.headers));
    let status = status.expect("a grpc-status");
    (status.code(), status, collected.to_bytes())
}

#[tokio::test]
async fn both_exports_are_taken() {
    let house = house(settings()).await;
    for path in [EXPORT, METRICS] {
        let (code, _, message) = call(house.grpc(), path, &[], frame(b"x")).await;
        assert_eq!((code, &message[..]), (Code::Ok, &[0; 5][..]));
    }
    assert_eq!((house.script.calls(), house.budget.used()), (2, 0));
}

#[tokio::test]
async fn the_reference_client_understands_the_answers() {
    let house = starting(settings()).await;
    let channel = Endpoint::from_shared(format!("http://{}", house.grpc())).expect("an address");
    let channel = channel.connect().await.expect("a listener");
    let mut client = TraceServiceClient::new(channel);
    let status = client.export(ExportTraceServiceRequest::default()).await.expect_err("not ready");
    assert_eq!(status.code(), Code::Unavailable);
    let delay = status.get_details_retry_info().and_then(|retry| retry.retry_delay).expect("a delay");
    assert!((2_000..=2_400).contains(&delay.as_millis()), "{delay:?}");
    house.receiver.open();
    let response = client.export(ExportTraceServiceRequest::default()).await.expect("accepted").into_inner();
    assert_eq!(response.partial_success, None);
}

#[tokio::test]
async fn partial_success_is_told() {
    let house = house(settings()).await;
    let (code, _, message) = call(house.grpc(), EXPORT, &[], frame(b"partial")).await;
    // partial_success { rejected: 2, error_message: "2 of 3 spans rejected" }
    let expected = [&[0x0a, 25, 0x08, 2, 0x12, 21][..], b"2 of 3 spans rejected"].concat();
    assert_eq!((code, &message[5..]), (Code::Ok, &expected[..]));
}

#[tokio::test]
async fn a_message_of_many_frames_arrives_whole() {
    let house = house(settings()).await;
    let (code, ..) = call(house.grpc(), EXPORT, &[], frame(&vec![7; 1 << 20])).await;
    assert_eq!((code, house.script.calls()), (Code::Ok, 1));
}

#[tokio::test]
async fn broken_frames_get_the_codes_of_the_table() {
    let house = house(settings()).await;
    let flagged = [&[1][..], &frame(b"x")[1..]].concat();
    let two = [frame(b"x"), frame(b"y")].concat();
    let refused: [(&str, Vec<u8>, Code); 6] = [
        ("flag without encoding", flagged, Code::Internal),
        ("two messages", two, Code::InvalidArgument),
        ("a length of 4 GiB", vec![0, 0xff, 0xff, 0xff, 0xff], Code::ResourceExhausted),
        ("one byte over the limit", frame(&vec![0; (1 << 20) + 1]), Code::ResourceExhausted),
        ("no message", Vec::new(), Code::InvalidArgument),
        ("half a message", frame(b"xyz")[..6].to_vec(), Code::InvalidArgument),
    ];
    for (what, body, expected) in refused {
        let (code, status, _) = call(house.grpc(), EXPORT, &[], body).await;
        assert_eq!(code, expected, "{what}");
        // With RetryInfo clients would send it again, for ever.
        assert!(status.get_details_retry_info().is_none(), "{what}");
    }
    assert_eq!((house.script.calls(), house.budget.used()), (0, 0));
}

#[tokio::test]
async fn heads_are_judged_before_the_body() {
    let house = house(settings()).await;
    let refused: [(&str, &str, &str, Code); 6] = [
        (EXPORT, "grpc-encoding", "br", Code::Unimplemented),
        (EXPORT, "grpc-timeout", "soon", Code::InvalidArgument),
        (EXPORT, "x-scope-orgid", "a|b", Code::InvalidArgument),
        ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", "x", "x", Code::Unimplemented),
        ("/no.such.Service/Export", "x", "x", Code::Unimplemented),
        ("/grpc.health.v1.Health/check", "x", "x", Code::Unimplemented),
    ];
    for (path, name, value, expected) in refused {
        let (code, ..) = call(house.grpc(), path, &[(name, value)], frame(b"x")).await;
        assert_eq!(code, expected, "{path} {name}: {value}");
    }
    let response = send(house.grpc(), EXPORT, &[("grpc-encoding", "br")], frame(b"x")).await;
    assert_eq!(response.headers()["grpc-accept-encoding"], "identity,gzip,zstd");
    let response = send(house.grpc(), EXPORT, &[("content-type", "application/grpc+json")], frame(b"x")).await;
    assert_eq!(response.status(), 415);
    assert_eq!(house.script.calls(), 0);
    let (code, ..) = call(house.grpc(), EXPORT, &[("grpc-timeout", "99999999H")], frame(b"x")).await;
    assert_eq!(code, Code::Ok);
}

#[tokio::test]
async fn the_wrong_port_names_the_right_one() {
    let house = house(settings()).await;
    let (code, status, _) = call(house.http(), EXPORT, &[], frame(b"x")).await;
    assert_eq!(code, Code::Unimplemented);
    assert_eq!(status.message(), format!("OTLP/gRPC is on :{}", house.grpc().port()));
    let response = exchange(house.grpc(), post("/v1/traces", "", "")).await;
    assert_eq!(super::status(&response), "400");
    assert!(response.ends_with(&format!("\r\n\r\nOTLP/HTTP is on :{}\n", house.http().port())), "{response}");
    assert!(response.contains("connection: close"), "{response}");
}

#[tokio::test]
async fn a_bug_is_internal() {
    let house = house(settings()).await;
    assert_eq!(call(house.grpc(), EXPORT, &[], frame(b"panic")).await.0, Code::Internal);
}

#[tokio::test]
async fn a_client_that_leaves_is_not_worked_for() {
    let house = house(settings()).await;
    let address = house.grpc();
    let call = tokio::spawn(async move { call(address, EXPORT, &[], frame(b"wait")).await });
    timeout(PATIENCE, house.script.0.called.notified()).await.expect("the request arrived");
    call.abort();
    let gone = async {
        while house.script.0.left.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.expect("its future is dropped");
}

async fn health(house: &House, service: &str) -> (Code, Bytes) {
    let request =
        if service.is_empty() { Vec::new() } else { [&[0x0a, service.len() as u8][..], service.as_bytes()].concat() };
    let (code, _, message) = call(house.grpc(), "/grpc.health.v1.Health/Check", &[], frame(&request)).await;
    (code, message.slice(5.min(message.len())..))
}

#[tokio::test]
async fn health_serves_exactly_when_ready() {
    let house = house(settings()).await;
    let services = [
        "",
        "opentelemetry.proto.collector.trace.v1.TraceService",
        "opentelemetry.proto.collector.metrics.v1.MetricsService",
    ];
    for (ready, serving) in [(true, 1), (false, 2)] {
        house.ready.send_replace(ready);
        for service in services {
            assert_eq!(health(&house, service).await, (Code::Ok, Bytes::from(vec![0x08, serving])), "{service}");
        }
    }
    assert_eq!(health(&house, "other").await.0, Code::NotFound);
    let (code, _, list) = call(house.grpc(), "/grpc.health.v1.Health/List", &[], frame(b"")).await;
    assert_eq!(code, Code::Ok);
    // The server as a whole: an entry with the empty key and NOT_SERVING.
    assert_eq!(&list[5..11], &[0x0a, 4, 0x12, 2, 0x08, 2]);
}

#[tokio::test]
async fn a_health_watch_tells_each_change() {
    let house = house(settings()).await;
    let mut response = send(house.grpc(), "/grpc.health.v1.Health/Watch", &[], frame(b"")).await;
    for (ready, serving) in [(true, 1), (false, 2), (true, 1)] {
        house.ready.send_replace(ready);
        let next = timeout(PATIENCE, response.body_mut().frame()).await.expect("it is told").expect("more");
        let data = next.expect("sound").into_data().expect("a message");
        assert_eq!(&data[..], &[0, 0, 0, 0, 2, 0x08, serving]);
    }
    let unknown = frame(&[&[0x0a, 1][..], b"x"].concat());
    let mut response = send(house.grpc(), "/grpc.health.v1.Health/Watch", &[], unknown).await;
    let next = response.body_mut().frame().await.expect("a frame").expect("sound");
    assert_eq!(&next.into_data().expect("a message")[5..], &[0x08, 3]);
}
