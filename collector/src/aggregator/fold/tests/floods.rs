//! More traces and larger ones than the index may hold: requests are counted all the same, and the tenant who sends
//! little notices nothing of the one who sends too much.

use bailiwick_slo::time::{Slot, Window};

use super::{NOW, SECOND};
use crate::aggregator::snapshot::{Part, Rule, Snapshot};
use crate::aggregator::{Aggregator, CoverageSettings, Settings, Terms};
use crate::observation::batch::row::{Context, Evidence, Extra, Span, extra};
use crate::observation::batch::{Batch, Builder, Head, Meta};
use crate::units::ByteSize;

/// Ids that are spread as random ones are: by the golden ratio.
fn spread(trace: u64) -> [u8; 16] {
    u128::from(trace + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes()
}

/// A batch of one tenant: for each trace number a SERVER span and an INTERNAL child of another module.
fn pairs(tenant: &str, traces: std::ops::Range<u64>, at_ns: u64) -> Batch {
    let mut builder = Builder::new(10_000, 1_000_000);
    let name = |builder: &mut Builder, text: &str| builder.string(text.as_bytes()).expect("there is room");
    let [service_name, tenant_span, module_span, operation] =
        ["chat", tenant, "rag", "GET /a"].map(|text| name(&mut builder, text));
    let context = builder.context(&Context { service_name, ..Context::default() });
    let [server, call] = [0, module_span]
        .map(|module_span| builder.evidence(&Evidence { tenant_span, module_span, ..Evidence::default() }));
    let received = 2 * (traces.end - traces.start) as u32;
    for trace in traces {
        let span = Span {
            trace_id: spread(trace),
            start_ns: at_ns - 2_000_000,
            end_ns: at_ns - 1_000_000,
            context,
            operation,
            ..Span::default()
        };
        builder.span(&Span { span_id: [1; 8], kind: 2, evidence: server, ..span });
        builder.span(&Span { span_id: [2; 8], parent_id: [1; 8], kind: 1, evidence: call, ..span });
    }
    let head = Head { signal: 1, received, observed_at_ns: at_ns, ..Head::default() };
    builder.finish(&head, &Meta::default())
}

fn small_index() -> Terms {
    let coverage = CoverageSettings { index_bytes_max: ByteSize::mib(2), ..CoverageSettings::default() };
    Terms { settings: Settings { coverage, ..Settings::default() }, ..Terms::default() }
}

/// Thirty seconds of a steady tenant, beside one who floods; then everything settles.
fn play(flood_per_second: u64) -> std::sync::Arc<Snapshot> {
    let mut fold = Aggregator::new(small_index());
    for second in 0..30 {
        let now_ns = NOW + second * SECOND;
        fold.apply(1, &pairs("steady", second * 10..second * 10 + 10, now_ns).view());
        if flood_per_second > 0 {
            let first = 1_000_000 + second * flood_per_second;
            fold.apply(1, &pairs("flood", first..first + flood_per_second, now_ns).view());
        }
        fold.tick(1, now_ns);
        let used = fold.index.memory_bytes();
        assert!(used <= 2 << 20, "{used} bytes");
    }
    for second in [40, 70, 100, 130] {
        fold.tick(1, NOW + second * SECOND);
    }
    fold.tick(1, NOW + 150 * SECOND)
}

fn of(snapshot: &Snapshot, tenant: &str) -> Vec<(String, u64, u64)> {
    let window = snapshot.window(Window::Hour);
    let mine = snapshot.series().zip(window).filter(|(name, _)| *name.tenant == *tenant);
    let mut rows: Vec<_> = mine
        .map(|(name, counts)| (format!("{} {}", name.module, name.entry.name()), counts.outcomes.total(), counts.spans))
        .collect();
    rows.sort();
    rows
}

fn parts_of(snapshot: &Snapshot, tenant: &str) -> Vec<(String, Vec<u64>)> {
    let modules: Vec<_> = snapshot.modules().map(|module| (module.tenant.clone(), module.module.clone())).collect();
    let parts = snapshot.parts(Slot(0), Slot(u32::MAX)).into_iter();
    let mine = parts.filter(|(module, _)| *modules[*module as usize].0 == *tenant);
    mine.map(|(module, parts)| (modules[module as usize].1.to_string(), parts.0.to_vec())).collect()
}

#[test]
fn who_sends_too_many_traces_is_sampled_and_nobody_else_is() {
    let (alone, flooded) = (play(0), play(2_000));
    assert_eq!(of(&alone, "steady"), [("chat server".to_owned(), 300, 300), ("rag module_call".to_owned(), 300, 300)]);
    assert_eq!(of(&flooded, "steady"), of(&alone, "steady"));
    assert_eq!(parts_of(&flooded, "steady"), parts_of(&alone, "steady"));
    // Every SERVER span of the flood is counted; its calls are estimated from a sample.
    let flood = of(&flooded, "flood");
    assert_eq!((flood[0].0.as_str(), flood[0].1), ("chat server", 60_000));
    let (_, calls, seen) = &flood[1];
    assert!(*seen < 60_000 && (48_000..=72_000).contains(calls), "{calls} from {seen}");
    let unjudged: u64 = parts_of(&flooded, "flood").iter().map(|(_, parts)| parts[Part::Unjudged as usize]).sum();
    assert_eq!(unjudged + seen, 60_000, "a call is judged or counted as unjudged");
    assert!(flooded.settled().evaluated_ppm < 1_000_000);
    assert_eq!(alone.settled().evaluated_ppm, 1_000_000);
}

#[test]
fn a_trace_that_is_too_large_counts_its_servers_one_by_one() {
    let mut fold = Aggregator::new(Terms::default());
    let mut builder = Builder::new(100, 10_000);
    let name = |builder: &mut Builder, text: &str| builder.string(text.as_bytes()).expect("there is room");
    let [service_name, tenant_span, operation] = ["chat", "acme", "GET /a"].map(|text| name(&mut builder, text));
    let context = builder.context(&Context { service_name, ..Context::default() });
    let evidence = builder.evidence(&Evidence { tenant_span, ..Evidence::default() });
    for batch in 0..10_u64 {
        for id in 0..1_000_u64 {
            builder.span(&Span {
                trace_id: [9; 16],
                span_id: (1 + batch * 1_000 + id).to_be_bytes(),
                start_ns: NOW - 2_000_000,
                end_ns: NOW - 1_000_000,
                kind: if id % 2 == 0 { 2 } else { 1 },
                context,
                evidence,
                operation,
                ..Span::default()
            });
        }
    }
    let head = Head { signal: 1, received: 10_000, observed_at_ns: NOW, ..Head::default() };
    fold.apply(1, &builder.finish(&head, &Meta::default()).view());
    for second in [1, 32, 60] {
        fold.tick(1, NOW + second * SECOND);
    }
    let snapshot = fold.tick(1, NOW + 90 * SECOND);
    let counts = of(&snapshot, "acme");
    // Of the first 2,000 spans every other is a job; 4,000 INTERNAL spans found the trace full.
    assert_eq!(counts, [("chat job".to_owned(), 1_000, 1_000), ("chat server".to_owned(), 5_000, 5_000)]);
    let unjudged: u64 = parts_of(&snapshot, "acme").iter().map(|(_, parts)| parts[Part::Unjudged as usize]).sum();
    assert_eq!(unjudged, 4_000);
    let limit = snapshot.limits().iter().find(|limit| limit.name == "coverage.trace_spans_max").copied();
    assert_eq!(limit.map(|limit| (limit.used, limit.max, limit.refused)), Some((2_000, 2_000, 8_000)));
}

/// Traces of `flood`, of one span each; `kind` 5 takes ten messages at once.
fn singles(operation: &str, kind: u8, traces: std::ops::Range<u64>, tenant_auth: &str) -> Batch {
    let mut builder = Builder::new(10_000, 1_000_000);
    let name = |builder: &mut Builder, text: &str| builder.string(text.as_bytes()).expect("there is room");
    let [service_name, tenant_span, operation] = ["chat", "flood", operation].map(|text| name(&mut builder, text));
    let context = builder.context(&Context { service_name, ..Context::default() });
    let evidence = builder.evidence(&Evidence { tenant_span, ..Evidence::default() });
    let received = (traces.end - traces.start) as u32;
    for trace in traces {
        let messages = Extra { key: extra::MESSAGES, kind: 0, value: 10 };
        let (first_extra, extras) = if kind == 5 { (builder.extra(&messages), 1) } else { (0, 0) };
        builder.span(&Span {
            trace_id: spread(trace),
            // Whom a trace came from first is no repeat of its span.
            span_id: (1 + trace + (u64::from(tenant_auth == "globex") << 32)).to_be_bytes(),
            start_ns: NOW - 2_000_000,
            end_ns: NOW - 1_000_000,
            context,
            evidence,
            operation,
            kind,
            first_extra,
            extras,
            ..Span::default()
        });
    }
    let head = Head { signal: 1, received, observed_at_ns: NOW, ..Head::default() };
    builder.finish(&head, &Meta { tenant_auth, ..Meta::default() })
}

#[test]
fn messages_of_spans_that_had_to_leave_are_counted() {
    let mut fold = Aggregator::new(small_index());
    for round in 0..20 {
        fold.apply(1, &singles("process", 5, round * 2_000..(round + 1) * 2_000, "").view());
    }
    let snapshot = fold.tick(1, NOW + 60 * SECOND);
    assert!(snapshot.settled().evaluated_ppm < 1_000_000, "not all are judged");
    let counts = of(&snapshot, "flood");
    assert_eq!(counts, [("chat consumer".to_owned(), 40_000, 40_000)]);
    assert_eq!(snapshot.messages(Window::Hour).values().sum::<u64>(), 400_000);
}

#[test]
fn a_trace_under_two_credentials_is_told_as_itself_though_it_had_to_leave() {
    let mut fold = Aggregator::new(small_index());
    let shared = 0..64;
    fold.apply(1, &singles("shared", 2, shared.clone(), "acme").view());
    fold.apply(1, &singles("shared", 2, shared.clone(), "globex").view());
    for round in 1..20 {
        fold.apply(1, &singles("flood", 2, round * 2_000..(round + 1) * 2_000, "acme").view());
    }
    let snapshot = fold.tick(1, NOW + 60 * SECOND);
    assert!(snapshot.settled().evaluated_ppm < 1_000_000, "not all are judged");
    let found: Vec<_> = snapshot.findings().iter().filter(|finding| finding.rules == [Rule::Identity]).collect();
    let &[finding] = &*found else { panic!("{found:?}") };
    assert_eq!((&*finding.operation, finding.count, finding.first_seen_ns), ("shared", 64, NOW));
    let ids: Vec<_> = shared.map(spread).collect();
    assert!(finding.trace_ids.iter().all(|id| ids.contains(id)), "{:?}", finding.trace_ids);
}
