//! What is accepted, and as what.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point};
use opentelemetry_proto::tonic::trace::v1::Span;

use super::{Kind, metric_body, metrics, span_body, traces, transcoded};

fn span(members: &str) -> Span {
    traces(&span_body(members)).resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

fn value(json: &str) -> Option<Value> {
    span(&format!(r#""attributes":[{{"key":"k","value":{json}}}]"#)).attributes.remove(0).value.expect("sound").value
}

fn data(members: &str) -> Option<Data> {
    metrics(&metric_body(members)).resource_metrics.remove(0).scope_metrics.remove(0).metrics.remove(0).data
}

#[test]
fn ids_are_hex_in_either_case_and_of_any_even_length() {
    let read = span(r#""traceId":"00aAfF","spanId":"Ee","parentSpanId":"""#);
    assert_eq!((read.trace_id, read.span_id, read.parent_span_id), (vec![0, 0xaa, 0xff], vec![0xee], vec![]));
}

#[test]
fn integers_of_64_bits_are_numbers_or_decimal_strings() {
    for (json, ns) in [
        ("18446744073709551615", u64::MAX),
        ("\"18446744073709551615\"", u64::MAX),
        ("0", 0),
        ("\"7\"", 7),
        ("1.5e18", 1_500_000_000_000_000_000),
        ("12.0", 12),
        (r#""\u0031""#, 1),
    ] {
        assert_eq!(span(&format!(r#""endTimeUnixNano":{json}"#)).end_time_unix_nano, ns, "{json}");
    }
    for (json, int) in [("-9223372036854775808", i64::MIN), ("\"-5\"", -5), ("\"9223372036854775807\"", i64::MAX)] {
        assert_eq!(value(&format!(r#"{{"intValue":{json}}}"#)), Some(Value::IntValue(int)));
        let point = data(&format!(r#""gauge":{{"dataPoints":[{{"asInt":{json}}}]}}"#));
        let Some(Data::Gauge(gauge)) = point else { panic!("{point:?}") };
        assert_eq!(gauge.data_points[0].value, Some(number_data_point::Value::AsInt(int)));
    }
}

#[test]
fn every_64_bit_field_of_histograms_takes_numbers_and_strings() {
    let point = r#""startTimeUnixNano":"1","timeUnixNano":2,"count":"3","bucketCounts":["1",2],"explicitBounds":[0.5]"#;
    let Some(Data::Histogram(read)) = data(&format!(r#""histogram":{{"dataPoints":[{{{point}}}]}}"#)) else { panic!() };
    let read = &read.data_points[0];
    assert_eq!((read.start_time_unix_nano, read.time_unix_nano, read.count), (1, 2, 3));
    assert_eq!((&read.bucket_counts, &read.explicit_bounds, read.sum), (&vec![1, 2], &vec![0.5], None));
    let point =
        r#""count":3,"zeroCount":"1","scale":-3,"positive":{"offset":-7,"bucketCounts":[300,"0"]},"negative":{}"#;
    let Some(Data::ExponentialHistogram(read)) =
        data(&format!(r#""exponentialHistogram":{{"dataPoints":[{{{point},"sum":0}}]}}"#))
    else {
        panic!()
    };
    let read = &read.data_points[0];
    assert_eq!((read.count, read.zero_count, read.scale, read.sum), (3, 1, -3, Some(0.0)));
    let positive = read.positive.as_ref().expect("sound");
    assert_eq!((positive.offset, &positive.bucket_counts), (-7, &vec![300, 0]));
    assert!(read.negative.as_ref().expect("sound").bucket_counts.is_empty());
}

#[test]
fn doubles_are_numbers_or_the_three_names() {
    let sum = |json: &str| {
        let Some(Data::Histogram(read)) = data(&format!(r#""histogram":{{"dataPoints":[{{"sum":{json}}}]}}"#)) else {
            panic!("{json}")
        };
        read.data_points[0].sum.expect("sound").to_bits()
    };
    for (json, number) in [
        ("\"NaN\"", f64::NAN),
        ("\"Infinity\"", f64::INFINITY),
        ("\"-Infinity\"", f64::NEG_INFINITY),
        ("-0.0", -0.0),
        ("3", 3.0),
        ("2.5e-3", 0.0025),
        ("\"1.5\"", 1.5),
    ] {
        assert_eq!(sum(json), number.to_bits(), "{json}");
    }
    assert_eq!(value(r#"{"doubleValue":"Infinity"}"#), Some(Value::DoubleValue(f64::INFINITY)));
}

#[test]
fn zeros_of_one_of_several_are_values_and_other_zeros_are_absent() {
    assert_eq!(value(r#"{"intValue":0}"#), Some(Value::IntValue(0)));
    assert_eq!(value(r#"{"boolValue":false}"#), Some(Value::BoolValue(false)));
    assert_eq!(value(r#"{"stringValue":""}"#), Some(Value::StringValue(String::new())));
    assert_eq!(value("{}"), None);
    let zeros = span_body(r#""name":"","kind":0,"flags":0,"traceId":"","events":[],"startTimeUnixNano":"0""#);
    assert_eq!(transcoded(&zeros, Kind::Traces), transcoded(&span_body(""), Kind::Traces));
}

#[test]
fn every_kind_of_value_is_read() {
    let Some(Value::ArrayValue(array)) =
        value(r#"{"arrayValue":{"values":[{"stringValue":"a"},{},{"arrayValue":{"values":[{"boolValue":true}]}}]}}"#)
    else {
        panic!()
    };
    assert_eq!(array.values.len(), 3);
    assert_eq!(array.values[0].value, Some(Value::StringValue("a".into())));
    let Some(Value::KvlistValue(list)) =
        value(r#"{"kvlistValue":{"values":[{"key":"a","value":{"stringValueStrindex":-2},"keyStrindex":9}]}}"#)
    else {
        panic!()
    };
    assert_eq!((list.values[0].key.as_str(), list.values[0].key_strindex), ("a", 9));
    assert_eq!(list.values[0].value.as_ref().expect("sound").value, Some(Value::StringValueStrindex(-2)));
    for (base64, bytes) in [("+/8=", &[0xfb, 0xff][..]), ("-_8", &[0xfb, 0xff]), ("AQID", &[1, 2, 3]), ("", &[])] {
        assert_eq!(value(&format!(r#"{{"bytesValue":"{base64}"}}"#)), Some(Value::BytesValue(bytes.to_vec())));
    }
}

#[test]
fn members_in_any_order_give_the_same_bytes() {
    let forward = r#""traceId":"01","name":"x","kind":3,"attributes":[{"key":"a","value":{"intValue":1}}],"flags":256"#;
    let backward =
        r#""flags":256,"attributes":[{"value":{"intValue":1},"key":"a"}],"kind":3,"name":"x","traceId":"01""#;
    assert_eq!(transcoded(&span_body(forward), Kind::Traces), transcoded(&span_body(backward), Kind::Traces));
    let late = r#"{"resourceSpans":[{"schemaUrl":"u","scopeSpans":[{"spans":[{}],"scope":{}}],"resource":{}}]}"#;
    assert_eq!(traces(late).resource_spans[0].schema_url, "u");
}

#[test]
fn null_members_and_unknown_keys_are_as_if_not_there() {
    let noisy = r#""name":null,"name":"x","links":null,"attributes":[{"key":"a","value":null,"other":[{"b":{}}]}],
        "future":{"spans":["]}\"",-1.5e3,null,true]},"trace_id":"zz","status":{"code":null}"#;
    let plain = r#""name":"x","attributes":[{"key":"a"}],"status":{}"#;
    assert_eq!(transcoded(&span_body(noisy), Kind::Traces), transcoded(&span_body(plain), Kind::Traces));
    assert_eq!(transcoded(r#"{"resourceSpans":null}"#, Kind::Traces), Ok(vec![]));
}

#[test]
fn escapes_are_resolved_in_values_and_keys() {
    let read = span(r#""n\u0061me":"\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t""#);
    assert_eq!(read.name, "\u{e9}\u{1f600}\"\\/\u{8}\u{c}\n\r\t");
}

#[test]
fn enum_numbers_beyond_the_known_are_left_to_the_visitor() {
    assert_eq!(span(r#""kind":99"#).kind, 99);
    assert_eq!(span(r#""status":{"code":-1,"message":"m"}"#).status.expect("sound").code, -1);
}

#[test]
fn messages_of_many_lengths_are_framed() {
    for length in [0, 1, 100, 127, 128, 200, 16_383, 16_384, 70_000] {
        let name = "x".repeat(length);
        assert_eq!(span(&format!(r#""name":"{name}","flags":1"#)).name, name);
    }
}

#[test]
fn events_links_exemplars_summaries_and_entities_are_read() {
    let read = span(
        r#""events":[{"timeUnixNano":"5","name":"e","droppedAttributesCount":2}],"droppedEventsCount":"3",
           "links":[{"traceId":"0a","spanId":"0b","traceState":"t","flags":1}],"droppedLinksCount":1,"traceState":"ot=th:8""#,
    );
    assert_eq!((read.events[0].time_unix_nano, read.dropped_events_count, read.links[0].flags), (5, 3, 1));
    assert_eq!((read.links[0].trace_id.as_slice(), read.trace_state.as_str()), (&[10][..], "ot=th:8"));
    let Some(Data::Summary(read)) = data(
        r#""metadata":[{"key":"m"}],"summary":{"dataPoints":[{"count":1,"sum":2.5,"flags":1,
           "quantileValues":[{"quantile":0.5,"value":1}]}]}"#,
    ) else {
        panic!()
    };
    assert_eq!((read.data_points[0].quantile_values[0].quantile, read.data_points[0].flags), (0.5, 1));
    let Some(Data::Sum(read)) = data(
        r#""sum":{"dataPoints":[{"exemplars":[{"timeUnixNano":1,"asInt":"2","spanId":"ab","traceId":"cd",
           "filteredAttributes":[{"key":"f"}]}]}]}"#,
    ) else {
        panic!()
    };
    assert_eq!(read.data_points[0].exemplars[0].trace_id, [0xcd]);
    let entity = r#"{"resourceSpans":[{"resource":{"droppedAttributesCount":4,"entityRefs":
        [{"type":"t","idKeys":["a",""],"descriptionKeys":["b"]}]}}]}"#;
    let refs = traces(entity).resource_spans.remove(0).resource.expect("sound").entity_refs;
    assert_eq!(refs[0].id_keys, ["a", ""]);
}
