//! Documents read back by a parser that shares nothing with the writers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::*;
use crate::aggregator::snapshot::Exemplar;
use crate::frontend::exposition::catalogue;
use crate::frontend::exposition::family::{Buckets, Label, Value};

/// A sample line: name, labels, value text; an exemplar's labels, value and time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    name: String,
    labels: BTreeMap<String, String>,
    value: String,
    exemplar: Option<(BTreeMap<String, String>, String)>,
}

/// What a document says: types by family, helps, units, samples.
#[derive(Debug, Default)]
struct Read {
    types: BTreeMap<String, String>,
    helps: BTreeSet<String>,
    units: BTreeMap<String, String>,
    lines: Vec<Line>,
    ended: bool,
}

fn read(text: &str) -> Read {
    let mut read = Read::default();
    for line in text.lines() {
        assert!(!read.ended, "nothing follows # EOF");
        if line == "# EOF" {
            read.ended = true;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a type");
            assert_eq!(read.types.insert(name.into(), kind.into()), None, "{name} occurs twice");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a name and a text");
            assert!(!help.is_empty() && read.helps.insert(name.into()), "{name}");
        } else if let Some(rest) = line.strip_prefix("# UNIT ") {
            let (name, unit) = rest.split_once(' ').expect("a name and a unit");
            read.units.insert(name.into(), unit.into());
        } else {
            read.lines.push(read_line(line));
        }
    }
    read
}

fn read_line(line: &str) -> Line {
    let end = line.find(['{', ' ']).expect("a name ends");
    let (name, rest) = line.split_at(end);
    let (labels, rest) = read_labels(rest);
    let (value, exemplar) = match rest.split_once(" # ") {
        None => (rest, None),
        Some((value, shown)) => {
            let (labels, rest) = read_labels(shown);
            (value, Some((labels, rest.trim().to_owned())))
        }
    };
    Line { name: name.to_owned(), labels, value: value.trim().to_owned(), exemplar }
}

/// Labels between braces, if there are any, and what follows them.
fn read_labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    let Some(mut rest) = text.strip_prefix('{') else { return (labels, text) };
    while !rest.starts_with('}') {
        let (label, tail) = rest.split_once("=\"").expect("a label has a value");
        let mut value = String::new();
        let mut chars = tail.char_indices();
        let close = loop {
            match chars.next().expect("a value ends") {
                (place, '"') => break place,
                (_, '\\') => value.push(match chars.next().expect("an escape").1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        assert_eq!(labels.insert(label.to_owned(), value), None, "{label} occurs twice");
        rest = tail[close + 1..].trim_start_matches(',');
    }
    (labels, &rest[1..])
}

const HOSTILE: &str = "a\"b\\c\nd,e=\"f\"}{ \\n \u{20ac}";

fn exemplar(id: u8, duration_ns: u64) -> Exemplar {
    let duration_ns = Some(duration_ns);
    Exemplar { trace_id: [id; 16], span_id: [id; 8], duration_ns, end_ns: 1_700_000_000_012_999_999 }
}

fn families() -> Vec<Family> {
    let mut requests = Family::new(&catalogue::REQUESTS);
    let hostile: std::sync::Arc<str> = HOSTILE.into();
    let word = |text: &'static str| Label::Word(text);
    requests.push(
        [word("acme"), Label::Shared(hostile), word("GET /"), word("server"), word("success")],
        Value::Count(u64::MAX),
    );
    let other = [word("acme"), word("rag"), word("_other"), word("server"), word("failure")];
    requests.push_shown(other, true, (Value::Count(3), Some(exemplar(2, 0))));
    let mut durations = Family::new(&catalogue::REQUEST_DURATION);
    let mut le = [0; 15];
    (le[0], le[9], le[14]) = (5, 2, 1);
    let mut exemplars = [None; 15];
    (exemplars[0], exemplars[14]) = (Some(exemplar(0xab, 4_250_000)), Some(exemplar(1, 11_000_000_000)));
    let buckets = Buckets { le, sum_ns: 12_345_678_901, exemplars };
    durations.push([word("acme"), word("rag")], Value::Buckets(Box::new(buckets)));
    let mut ratio = Family::new(&catalogue::REQUEST_SUCCESS);
    ratio.push([word("acme"), word("rag"), word("5m")], Value::Number(0.999));
    ratio.push([word("acme"), word("rag"), word("1h")], Value::Number(f64::NAN));
    let cpu = Family::single(&catalogue::PROCESS_CPU, Value::Number(1.25));
    let empty = Family::new(&catalogue::SERIES);
    vec![requests, durations, ratio, cpu, empty]
}

const RECORDED: &str = "# HELP bailiwick_http_requests_total Requests\n# TYPE bailiwick_http_requests_total counter\n\
    bailiwick_http_requests_total{route=\"/\",method=\"GET\",status=\"200\"} 4\n\n\
    # HELP process_cpu_seconds_total Twice\n# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 9\n";

fn find<'a>(read: &'a Read, name: &str) -> Vec<&'a Line> {
    read.lines.iter().filter(|line| line.name == name).collect()
}

#[test]
fn hostile_names_read_back_equal_in_both_formats() {
    for format in [Format::Text, Format::OpenMetrics] {
        let read = read(&write(format, &families(), RECORDED));
        let requests = find(&read, "bailiwick_requests_total");
        assert_eq!(requests[0].labels["module"], HOSTILE, "{format:?}");
        assert_eq!(requests[0].value, "18446744073709551615");
    }
}

#[test]
fn only_overflow_series_carry_the_mark() {
    for format in [Format::Text, Format::OpenMetrics] {
        let read = read(&write(format, &families(), ""));
        let requests = find(&read, "bailiwick_requests_total");
        let marks = requests.iter().map(|line| line.labels.get("otel_metric_overflow").map(String::as_str));
        assert_eq!(marks.collect::<Vec<_>>(), [None, Some("true")], "{format:?}");
    }
}

#[test]
fn histograms_are_cumulative_and_end_with_their_count() {
    for format in [Format::Text, Format::OpenMetrics] {
        let read = read(&write(format, &families(), ""));
        let buckets = find(&read, "bailiwick_request_duration_seconds_bucket");
        let bounds = buckets.iter().map(|line| line.labels["le"].parse::<f64>().expect("a bound"));
        let expected = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, f64::INFINITY];
        assert!(bounds.eq(expected), "{format:?}");
        let counts: Vec<u64> = buckets.iter().map(|line| line.value.parse().expect("a count")).collect();
        assert_eq!(counts, [5, 5, 5, 5, 5, 5, 5, 5, 5, 7, 7, 7, 7, 7, 8], "{format:?}");
        assert_eq!(find(&read, "bailiwick_request_duration_seconds_count")[0].value, "8");
        assert_eq!(find(&read, "bailiwick_request_duration_seconds_sum")[0].value, "12.345678901");
    }
}

#[test]
fn exemplars_name_a_trace_and_a_span_and_stand_in_openmetrics_only() {
    let open = read(&write(Format::OpenMetrics, &families(), ""));
    let of = |id: &str| BTreeMap::from([("trace_id".to_owned(), id.repeat(16)), ("span_id".to_owned(), id.repeat(8))]);
    let buckets = find(&open, "bailiwick_request_duration_seconds_bucket");
    // The duration in seconds, and the time cut to milliseconds.
    assert_eq!(buckets[0].exemplar, Some((of("ab"), "0.00425 1700000000.012".to_owned())));
    assert_eq!(buckets[14].exemplar, Some((of("01"), "11 1700000000.012".to_owned())));
    assert!(buckets[1..14].iter().all(|bucket| bucket.exemplar.is_none()));
    let requests = find(&open, "bailiwick_requests_total");
    assert_eq!((requests[0].exemplar.is_none(), requests[1].value.as_str()), (true, "3"));
    assert_eq!(requests[1].exemplar, Some((of("02"), "1 1700000000.012".to_owned())));
    let plain = write(Format::Text, &families(), "");
    assert!(read(&plain).lines.iter().all(|line| line.exemplar.is_none()) && !plain.contains("trace_id"));
}

#[test]
fn what_is_not_measured_has_no_sample_and_no_family() {
    for format in [Format::Text, Format::OpenMetrics] {
        let text = write(format, &families(), "");
        let read = read(&text);
        let ratios = find(&read, "bailiwick_request_success_ratio");
        assert_eq!((ratios.len(), ratios[0].value.as_str()), (1, "0.999"));
        assert!(!text.contains("NaN") && !read.types.contains_key("bailiwick_series"), "{format:?}");
    }
}

#[test]
fn no_family_occurs_twice_even_if_others_recorded_it() {
    for format in [Format::Text, Format::OpenMetrics] {
        let read = read(&write(format, &families(), RECORDED));
        let cpu = find(&read, "process_cpu_seconds_total");
        assert_eq!((cpu.len(), cpu[0].value.as_str()), (1, "1.25"), "{format:?}");
        assert_eq!(find(&read, "bailiwick_http_requests_total").len(), 1);
        assert_eq!(read.types.len(), read.helps.len(), "a help for each type");
    }
}

#[test]
fn openmetrics_names_counters_without_total_and_tells_units() {
    let read = read(&write(Format::OpenMetrics, &families(), RECORDED));
    assert!(read.ended);
    assert_eq!(read.types["bailiwick_requests"], "counter");
    assert_eq!(read.types["bailiwick_http_requests"], "counter");
    assert_eq!(read.types["process_cpu_seconds"], "counter");
    assert!(!read.types.keys().any(|name| name.ends_with("_total")));
    let units: Vec<_> = read.units.iter().map(|(name, unit)| (name.as_str(), unit.as_str())).collect();
    assert_eq!(
        units,
        [
            ("bailiwick_request_duration_seconds", "seconds"),
            ("bailiwick_request_success_ratio", "ratio"),
            ("process_cpu_seconds", "seconds"),
        ]
    );
}

#[test]
fn the_text_names_counters_with_total() {
    let read = read(&write(Format::Text, &families(), RECORDED));
    assert!(!read.ended && read.units.is_empty());
    for (name, kind) in &read.types {
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
    }
}

/// 250 ms for 100,000 samples is promised of optimised builds; this one only notices work that grows with the square.
#[test]
fn a_hundred_thousand_samples_are_written_in_time() {
    let names: Vec<std::sync::Arc<str>> = (0..20_000).map(|n| format!("GET /operation/{n}").into()).collect();
    let mut requests = Family::new(&catalogue::REQUESTS);
    for name in &names {
        for outcome in bailiwick_slo::outcome::Outcome::ALL {
            let labels = ["acme".into(), "rag_hub".into(), Label::from(name), "server".into(), outcome.name().into()];
            requests.push(labels, Value::Count(1_042));
        }
    }
    let begun = Instant::now();
    let text = write(Format::Text, &[requests], "");
    let took = begun.elapsed();
    println!("100,000 samples, {} bytes: {took:?}", text.len());
    assert_eq!(text.lines().count(), 100_002);
    assert!(took < Duration::from_secs(5), "{took:?}");
}
