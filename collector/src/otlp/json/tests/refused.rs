//! What is 400, and under which path.

use super::{JsonError, Kind, metric_body, span_body, transcoded};

fn refusal(body: &str, kind: Kind) -> (String, &'static str) {
    match transcoded(body, kind) {
        Err(JsonError::Value { path, what }) => (path, what),
        other => panic!("{other:?} for {body}"),
    }
}

fn span_refusal(members: &str) -> String {
    refusal(&span_body(members), Kind::Traces).0
}

const SPAN: &str = "resourceSpans[0].scopeSpans[0].spans[0]";

#[test]
fn a_path_leads_to_the_culprit() {
    let body = r#"{"resourceSpans":[{},{"scopeSpans":[{"spans":[{},{},{},{"traceId":"abc"}]}]}]}"#;
    let (path, what) = refusal(body, Kind::Traces);
    assert_eq!(path, "resourceSpans[1].scopeSpans[0].spans[3].traceId");
    assert_eq!(what, "expected an even number of hex digits");
    assert_eq!(
        transcoded(body, Kind::Traces).expect_err("refused").to_string(),
        "failed to read OTLP/JSON at resourceSpans[1].scopeSpans[0].spans[3].traceId: \
         expected an even number of hex digits"
    );
}

#[test]
fn ids_in_base64_or_odd_or_not_hex_are_refused() {
    for id in ["\"W47/95gDgQPSabYzgT/GDA==\"", "\"abc\"", "\"zz\"", "\"0x12\"", "\" 12 \"", "12", "[1]", "\"\u{e9}\""] {
        assert_eq!(span_refusal(&format!(r#""spanId":{id}"#)), format!("{SPAN}.spanId"), "{id}");
    }
    let link = span_refusal(r#""links":[{"traceId":"ab"},{"spanId":"S/kvNXezTaa="}]"#);
    assert_eq!(link, format!("{SPAN}.links[1].spanId"));
}

#[test]
fn names_of_enum_values_are_refused() {
    for kind in ["\"SPAN_KIND_SERVER\"", "\"2\"", "2.5", "true", "2147483648", "[2]", "{}"] {
        assert_eq!(span_refusal(&format!(r#""kind":{kind}"#)), format!("{SPAN}.kind"), "{kind}");
    }
    assert_eq!(span_refusal(r#""status":{"code":"STATUS_CODE_ERROR"}"#), format!("{SPAN}.status.code"));
}

#[test]
fn integers_out_of_range_or_shape_are_refused() {
    for time in [
        "18446744073709551616",
        "-1",
        "1.5",
        "\"\"",
        "\"1 \"",
        "\"+1\"",
        "\"01\"",
        "\"0x1\"",
        "\"x\"",
        "true",
        "1e40",
        "1e-1",
        "1e999999999999999999999",
    ] {
        let path = span_refusal(&format!(r#""startTimeUnixNano":{time}"#));
        assert_eq!(path, format!("{SPAN}.startTimeUnixNano"), "{time}");
    }
    assert_eq!(span_refusal(r#""flags":4294967296"#), format!("{SPAN}.flags"));
    assert_eq!(
        span_refusal(r#""attributes":[{"value":{"intValue":"9223372036854775808"}}]"#),
        format!("{SPAN}.attributes[0].value.intValue")
    );
}

#[test]
fn doubles_out_of_range_or_shape_are_refused() {
    for sum in ["1e400", "\"inf\"", "\"nan\"", "\"+Infinity\"", "\"\"", "false", "\"1,5\""] {
        let body = metric_body(&format!(r#""histogram":{{"dataPoints":[{{}},{{"sum":{sum}}}]}}"#));
        let (path, _) = refusal(&body, Kind::Metrics);
        assert_eq!(path, "resourceMetrics[0].scopeMetrics[0].metrics[0].histogram.dataPoints[1].sum", "{sum}");
    }
}

#[test]
fn values_of_another_shape_are_refused() {
    for (members, path) in [
        (r#""name":1"#, "name"),
        (r#""name":{}"#, "name"),
        (r#""attributes":{}"#, "attributes"),
        (r#""attributes":[null]"#, "attributes[0]"),
        (r#""attributes":[[]]"#, "attributes[0]"),
        (r#""status":[]"#, "status"),
        (r#""attributes":[{"key":null},{"value":"x"}]"#, "attributes[1].value"),
        (r#""attributes":[{"value":{"boolValue":"true"}}]"#, "attributes[0].value.boolValue"),
        (r#""attributes":[{"value":{"stringValue":5}}]"#, "attributes[0].value.stringValue"),
        (r#""attributes":[{"value":{"arrayValue":[]}}]"#, "attributes[0].value.arrayValue"),
        (r#""attributes":[{"value":{"bytesValue":"A"}}]"#, "attributes[0].value.bytesValue"),
        (r#""attributes":[{"value":{"bytesValue":"*AAA"}}]"#, "attributes[0].value.bytesValue"),
    ] {
        assert_eq!(span_refusal(members), format!("{SPAN}.{path}"), "{members}");
    }
    assert_eq!(refusal(r#"{"resourceSpans":{}}"#, Kind::Traces).0, "resourceSpans");
    let counts = metric_body(r#""histogram":{"dataPoints":[{"bucketCounts":[1,null]}]}"#);
    assert!(refusal(&counts, Kind::Metrics).0.ends_with("histogram.dataPoints[0].bucketCounts[1]"));
}

#[test]
fn a_member_twice_and_two_of_one_kind_are_refused() {
    assert_eq!(span_refusal(r#""name":"a","name":"b""#), format!("{SPAN}.name"));
    assert_eq!(
        span_refusal(r#""attributes":[{"value":{"intValue":1,"stringValue":"a"}}]"#),
        format!("{SPAN}.attributes[0].value.stringValue")
    );
    let both = metric_body(r#""gauge":{"dataPoints":[{}]},"sum":{"dataPoints":[{}]}"#);
    assert_eq!(refusal(&both, Kind::Metrics).0, "resourceMetrics[0].scopeMetrics[0].metrics[0].sum");
}
