//! OTLP/HTTP at real sockets: exports, paths, methods, sizes, and what is no HTTP.

use super::*;

#[tokio::test]
async fn traces_and_metrics_are_taken_and_an_empty_body_is_fine() {
    let house = house(settings()).await;
    for (path, body) in [("/v1/traces", "x"), ("/v1/metrics", "x"), ("/v1/traces", "")] {
        let response = exchange(house.http(), post(path, "", body)).await;
        assert_eq!(status(&response), "200", "{response}");
        assert!(
            response.contains("content-type: application/x-protobuf") && response.ends_with("\r\n\r\n"),
            "{response}"
        );
    }
    assert_eq!(house.script.calls(), 3);
    assert_eq!(house.budget.used(), 0);
}

#[tokio::test]
async fn partial_success_is_told() {
    let house = house(settings()).await;
    let request = post("/v1/traces", "", "partial").replace("x-protobuf", "json;charset=utf-8");
    let response = exchange(house.http(), request).await;
    assert!(
        response.ends_with(r#"{"partialSuccess":{"errorMessage":"2 of 3 spans rejected","rejectedSpans":"2"}}"#),
        "{response}"
    );
}

#[tokio::test]
async fn only_the_very_paths_are_served() {
    let house = house(settings()).await;
    for path in
        ["//", "//v1/traces", "/v1/traces/", "/v1/traces/../admin", "/v1%2Ftraces", "/v1/tr%61ces", "/V1/traces"]
    {
        assert_eq!(status(&exchange(house.http(), post(path, "", "")).await), "404", "{path}");
    }
    assert_eq!(status(&exchange(house.http(), post("/v1/traces?x=1", "", "")).await), "200");
    let logs = exchange(house.http(), post("/v1/logs", "", "")).await;
    assert!(status(&logs) == "404" && logs.contains("set OTEL_LOGS_EXPORTER=none"), "{logs}");
}

#[tokio::test]
async fn other_methods_are_told_which_one_it_is() {
    let house = house(settings()).await;
    for method in ["GET", "OPTIONS", "PUT", "HEAD"] {
        let request = format!("{method} /v1/traces HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let response = exchange(house.http(), request).await;
        assert!(status(&response) == "405" && response.contains("allow: POST"), "{response}");
    }
}

#[tokio::test]
async fn a_wrong_type_or_coding_is_told_what_would_be_right() {
    let house = house(settings()).await;
    let text = post("/v1/traces", "", "").replace("application/x-protobuf", "text/plain");
    let response = exchange(house.http(), text).await;
    assert!(status(&response) == "415" && response.contains("content-type: application/json"), "{response}");
    let none = post("/v1/traces", "", "").replace("Content-Type: application/x-protobuf\r\n", "");
    assert_eq!(status(&exchange(house.http(), none).await), "415");
    for coding in ["br", "gzip, gzip"] {
        let response = exchange(house.http(), post("/v1/traces", &format!("Content-Encoding: {coding}\r\n"), "")).await;
        assert!(status(&response) == "415" && response.contains("accept-encoding: gzip, zstd, deflate"), "{response}");
    }
    assert_eq!(house.script.calls(), 0);
}

#[tokio::test]
async fn a_malformed_tenant_is_a_bad_request_and_is_not_echoed() {
    let house = house(settings()).await;
    for headers in ["X-Scope-OrgID: a|b\r\n", "X-Scope-OrgID: a\r\nX-Scope-OrgID: a\r\n"] {
        let request = post("/v1/traces", headers, "").replace("x-protobuf", "json");
        let response = exchange(house.http(), request).await;
        assert!(
            status(&response) == "400" && response.contains("X-Scope-OrgID") && !response.contains("a|b"),
            "{response}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_unread_and_the_client_hears_it() {
    let house = house(settings()).await;
    // The client sends all of it before it listens, as simple ones do.
    let response = exchange(house.http(), post("/v1/traces", "", &"x".repeat((1 << 20) + 1))).await;
    assert_eq!(status(&response), "413", "{response}");
    let chunk = "x".repeat(1 << 19);
    let chunked = post("/v1/traces", "", "").replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let body = format!("{chunked}80000\r\n{chunk}\r\n80000\r\n{chunk}\r\n1\r\nx\r\n0\r\n\r\n");
    assert_eq!(status(&exchange(house.http(), body).await), "413");
    assert_eq!((house.script.calls(), house.budget.used()), (0, 0));
}

#[tokio::test]
async fn long_uris_and_heads_are_refused() {
    let house = house(settings()).await;
    for length in [8_193, 65_536] {
        let path = format!("/{}", "a".repeat(length - 1));
        assert_eq!(status(&exchange(house.http(), post(&path, "", "")).await), "414", "{length}");
    }
    let many: String = (0..10_000).map(|number| format!("h{number}: x\r\n")).collect();
    assert_eq!(status(&exchange(house.http(), post("/v1/traces", &many, "")).await), "431");
    let large = format!("h: {}\r\n", "x".repeat(1 << 20));
    assert_eq!(status(&exchange(house.http(), post("/v1/traces", &large, "")).await), "431");
}

#[tokio::test]
async fn what_is_no_http_is_refused_or_closed() {
    let house = house(settings()).await;
    let two_lengths = post("/v1/traces", "Content-Length: 5\r\n", "x");
    let tls_hello = "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}";
    for nonsense in [two_lengths.as_str(), tls_hello, "GET /v1/traces\r\n\r\n", "\0\u{1}\u{2}random\r\n\r\n"] {
        let response = exchange(house.http(), nonsense).await;
        assert!(matches!(status(&response), "400" | "none"), "{nonsense:?}: {response}");
    }
    let smuggled = post("/v1/traces", "Transfer-Encoding: chunked\r\n", "0\r\n\r\nPOST /v1/traces HTTP/1.1\r\n\r\n");
    let response = exchange(house.http(), smuggled).await;
    assert_eq!(response.matches("HTTP/1.1").count(), 1, "one answer, then the end: {response}");
}

#[tokio::test]
async fn a_bug_is_500_and_the_connection_lives() {
    let house = house(settings()).await;
    let keep = post("/v1/traces", "", "panic").replace("Connection: close\r\n", "");
    let response = exchange(house.http(), format!("{keep}{}", post("/v1/traces", "", "x"))).await;
    assert_eq!(status(&response), "500", "{response}");
    assert!(response.contains("HTTP/1.1 200 OK"), "{response}");
}

#[tokio::test]
async fn until_it_opens_requests_are_told_to_come_back() {
    let house = starting(settings()).await;
    let response = exchange(house.http(), post("/v1/traces", "", "x")).await;
    assert_eq!(status(&response), "503");
    // Two seconds and up to a fifth, rounded up.
    assert!(response.contains("retry-after: 2") || response.contains("retry-after: 3"), "{response}");
    house.receiver.open();
    assert_eq!(status(&exchange(house.http(), post("/v1/traces", "", "x")).await), "200");
}
