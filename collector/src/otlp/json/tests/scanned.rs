//! The pre-scan: grammar, depth, counts.

use super::{JsonError, Kind, Limits, metric_body, prescan, scan, span_body, to_protobuf};

fn offset(body: &[u8]) -> usize {
    match prescan(body, Kind::Traces, &Limits::default()) {
        Err(JsonError::Syntax { offset, .. }) => offset,
        other => panic!("{other:?} for {:?}", String::from_utf8_lossy(body)),
    }
}

#[test]
fn only_one_object_of_utf8_is_a_body() {
    for (body, at) in [
        (&b""[..], 0),
        (b" ", 1),
        (b"[]", 0),
        (b"null", 0),
        (b"\xef\xbb\xbf{}", 0),
        (b"{}{}", 2),
        (b"{} x", 3),
        (b"{\"a\":\"\xff\"}", 6),
        (b"{", 1),
        (b"{\"a\"}", 4),
        (b"{\"a\":}", 5),
        (b"{\"a\":1,}", 7),
        (b"{,}", 1),
        (b"{\"a\":[1,]}", 8),
        (b"{\"a\":[1 2]}", 8),
        (b"{\"a\":[1}", 7),
        (b"{a:1}", 1),
        (b"{\"a\":tru}", 5),
        (b"{\"a\":'x'}", 5),
        (b"{\"a\":NaN}", 5),
    ] {
        assert_eq!(offset(body), at, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn numbers_and_strings_follow_the_grammar() {
    for bad in ["01", "1.", ".5", "-", "+1", "1e", "0x1", "\"\t\"", r#""\x""#, r#""\u12""#, r#""\ud800""#, "\"a"] {
        assert!(matches!(scan(&format!(r#"{{"a":{bad}}}"#), Kind::Traces), Err(JsonError::Syntax { .. })), "{bad}");
    }
    for lone in [r#""\udc00""#, r#""\ud800\u0041""#, r#""\ud800x""#] {
        assert!(matches!(scan(&format!(r#"{{"a":{lone}}}"#), Kind::Traces), Err(JsonError::Syntax { .. })), "{lone}");
    }
    for good in ["0", "-0.5e+3", "1E9", r#""\ud83d\ude00\u00e9\n\/""#, "true", "null", "\"\u{1f600}\""] {
        assert!(scan(&format!("{{\"a\" :\r\n\t{good} }}"), Kind::Traces).is_ok(), "{good}");
    }
}

#[test]
fn sixty_four_levels_are_read_and_sixty_five_are_not() {
    let nested = |levels: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert!(scan(&nested(64), Kind::Traces).is_ok());
    assert_eq!(scan(&nested(65), Kind::Traces), Err(JsonError::TooDeep { offset: 5 + 63, max: 64 }));
    assert_eq!(scan(&nested(10_000), Kind::Traces), Err(JsonError::TooDeep { offset: 5 + 63, max: 64 }));
}

#[test]
fn a_value_at_the_deepest_level_reaches_protobuf_within_its_hundred_levels() {
    let mut value = r#"{"intValue":1}"#.to_owned();
    while scan(&span_body(&format!(r#""attributes":[{{"value":{value}}}]"#)), Kind::Traces).is_ok() {
        value = format!(r#"{{"arrayValue":{{"values":[{value}]}}}}"#);
    }
    let deepest =
        value.strip_prefix(r#"{"arrayValue":{"values":["#).and_then(|rest| rest.strip_suffix("]}}")).expect("sound");
    super::traces(&span_body(&format!(r#""attributes":[{{"value":{deepest}}}]"#)));
}

#[test]
fn objects_and_elements_are_counted_and_charged() {
    let body = r#"{"x":[{},{"y":[1,2,3]},[]],"resourceSpans":[]}"#;
    let scan = scan(body, Kind::Traces).expect("sound");
    assert_eq!((scan.objects, scan.elements), (3, 6));
    assert_eq!(scan.charge_bytes, 3 * 512 + 6 * 64);
}

#[test]
fn items_are_the_elements_of_every_span_and_point_array() {
    let body = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{},{}]},{"\u0073pans":[{"spans":1,"links":[{},{}]}]}]},
        {"scopeSpans":[{"spans":[{},{},{}]}]}]}"#;
    assert_eq!(scan(body, Kind::Traces).expect("sound").items, 6);
    let body = metric_body(r#""gauge":{"dataPoints":[{},{}]},"summary":{"dataPoints":[{}]}"#);
    assert_eq!(scan(&body, Kind::Metrics).expect("sound").items, 3);
    assert_eq!(scan(&body, Kind::Traces).expect("sound").items, 0);
}

#[test]
fn items_under_a_misspelt_key_are_counted_so_that_their_loss_shows() {
    let body = r#"{"resourceSpans":[{"scope_spans":[{"spans":[{},{}]}]}]}"#;
    assert_eq!(scan(body, Kind::Traces).expect("sound").items, 2);
    assert_eq!(super::traces(body).resource_spans[0].scope_spans.len(), 0);
}

#[test]
fn a_request_without_a_known_key_is_told_from_an_empty_one() {
    for (body, unknown) in [
        ("{}", false),
        (r#"{"resourceSpans":null}"#, false),
        (r#"{"resource\u0053pans":[]}"#, false),
        (r#"{"x":1,"resourceSpans":[]}"#, false),
        (r#"{"resourceSpans":[],"x":1}"#, false),
        (r#"{"resource_spans":[{"scope_spans":[{"spans":[{}]}]}]}"#, true),
        (r#"{"resourceMetrics":[]}"#, true),
    ] {
        let scan = scan(body, Kind::Traces).expect("sound");
        assert_eq!((scan.unknown_top_level, scan.items), (unknown, 0), "{body}");
    }
}

#[test]
fn too_many_items_are_refused_before_anything_is_built() {
    let limits = Limits { items_max: 2, ..Limits::default() };
    let refused = |spans: &str| {
        let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
        let scan = prescan(body.as_bytes(), Kind::Traces, &limits).expect("sound");
        to_protobuf(body.as_bytes(), Kind::Traces, &scan).err()
    };
    assert_eq!(refused("{},{}"), None);
    assert_eq!(refused("{},{},{}"), Some(JsonError::TooManyItems { max: 2 }));
}

#[test]
fn the_charge_of_millions_of_empty_objects_is_known_without_building_them() {
    let body = format!(r#"{{"resourceSpans":[{}{{}}]}}"#, "{},".repeat(1_999_999));
    let scan = scan(&body, Kind::Traces).expect("sound");
    assert_eq!(scan.charge_bytes, 2_000_001 * 512 + 2_000_000 * 64);
}
