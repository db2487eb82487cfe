//! Spans of a trace in any order, over as much time as late spans are given: the same requests, the same coverage, the
//! same verdicts (`sli.md`, proof 3).

use std::collections::BTreeMap;

use bailiwick_slo::time::{Slot, Window};
use proptest::prelude::*;

use super::{NOW, SECOND};
use crate::aggregator::snapshot::{Part, Snapshot};
use crate::aggregator::{Aggregator, Terms};
use crate::observation::batch::row::{Context, Evidence, Link, Span, flag};
use crate::observation::batch::{Batch, Builder, Head, Meta};

/// One span of the trace, by what the rules look at.
#[derive(Debug, Clone)]
struct Given {
    /// Which of the earlier ones is its parent; past them: none, or one that never comes.
    parent: usize,
    kind: u8,
    /// 0 own module, else its resource's or its parent's.
    module: u8,
    resource: u8,
    /// 0 unknown, 1 local, 2 remote.
    origin: u8,
    tenant: u8,
    is_ignored: bool,
    outcome: u8,
}

fn given() -> impl Strategy<Value = Given> {
    let kind = prop_oneof![4 => Just(1_u8), 3 => Just(2), 2 => Just(3), 1 => Just(4), 1 => Just(5)];
    let names = (0_usize..10, kind, 0_u8..4, 0_u8..2);
    (names, 0_u8..3, 0_u8..2, prop::bool::weighted(0.1), 0_u8..5).prop_map(
        |((parent, kind, module, resource), origin, tenant, is_ignored, outcome)| Given {
            parent,
            kind,
            module,
            resource,
            origin,
            tenant,
            is_ignored,
            outcome,
        },
    )
}

fn batch(spans: &[(usize, &Given)], at_ns: u64) -> Batch {
    let mut builder = Builder::new(1_000, 100_000);
    let string = |builder: &mut Builder, text: &str| builder.string(text.as_bytes()).expect("there is room");
    for (number, given) in spans {
        let service_name = string(&mut builder, &format!("service-{}", given.resource));
        let resource_hash = 77 + u64::from(given.resource);
        let context = builder.context(&Context { service_name, resource_hash, ..Context::default() });
        let tenant_span = string(&mut builder, &format!("t{}", given.tenant));
        let module_span = if given.module < 2 { string(&mut builder, &format!("m{}", given.module)) } else { 0 };
        let evidence = builder.evidence(&Evidence { tenant_span, module_span, ..Evidence::default() });
        let operation = string(&mut builder, &format!("operation {}", number % 3));
        let parent = match given.parent {
            parent if parent < *number => parent as u64 + 1,
            parent if parent % 2 == 0 => 0,
            // It never comes.
            parent => 1_000 + parent as u64,
        };
        let origin = [0, flag::REMOTE_KNOWN, flag::REMOTE_KNOWN | flag::REMOTE][usize::from(given.origin)];
        builder.span(&Span {
            trace_id: [7; 16],
            span_id: (*number as u64 + 1).to_be_bytes(),
            parent_id: parent.to_be_bytes(),
            start_ns: NOW - 50_000_000 + *number as u64,
            end_ns: NOW - *number as u64,
            context,
            operation,
            evidence,
            kind: given.kind,
            outcome: given.outcome,
            flags: origin | if given.is_ignored { flag::IGNORED_NAME } else { 0 },
            ..Span::default()
        });
    }
    let head = Head { signal: 1, received: spans.len() as u32, observed_at_ns: at_ns, ..Head::default() };
    Batch::check(builder.finish(&head, &Meta::default()).bytes().to_vec()).expect("it is sound")
}

/// What the end may not depend on an order for.
#[derive(Debug, PartialEq)]
struct End {
    requests: BTreeMap<String, ([u64; 5], u64)>,
    parts: BTreeMap<String, Vec<(usize, u64)>>,
    verdicts: [u64; 2],
}

fn end(snapshot: &Snapshot) -> End {
    let window = snapshot.window(Window::Day);
    let named = snapshot.series().zip(&window).filter(|(_, counts)| counts.spans > 0);
    let requests = named.map(|(name, counts)| {
        let called = format!("{} {} {} {}", name.tenant, name.module, name.operation, name.entry.name());
        (called, (counts.outcomes.0, counts.spans))
    });
    let modules: Vec<_> = snapshot.modules().map(|module| format!("{} {}", module.tenant, module.module)).collect();
    let parts = snapshot.parts(Slot(0), Slot(u32::MAX)).into_iter().map(|(module, parts)| {
        // Time is read once: late children do not add to it.
        let once = [Part::EntryTime as usize, Part::CoveredTime as usize, Part::HopsChecked as usize];
        let counts = parts.0.iter().copied().enumerate();
        let counts = counts.filter(|(part, count)| *count > 0 && !once.contains(part)).collect::<Vec<_>>();
        (modules[module as usize].clone(), counts)
    });
    let settled = snapshot.settled();
    let [connected, broken] = settled.first;
    let [to_connected, to_broken] = settled.revised;
    let verdicts = [connected + to_connected - to_broken, broken + to_broken - to_connected];
    End { requests: requests.collect(), parts: parts.filter(|(_, counts)| !counts.is_empty()).collect(), verdicts }
}

/// All that a snapshot says of traces, in its own order.
fn told(snapshot: &Snapshot) -> String {
    let totals: Vec<_> = (0..snapshot.series().len() as u32).map(|series| snapshot.totals(series)).collect();
    let edges: Vec<_> = (0..).zip(snapshot.edges()).map(|(edge, name)| (name, snapshot.edge_totals(edge))).collect();
    let of_traces = (snapshot.settled(), snapshot.corrections(), snapshot.gaps(), snapshot.gap_traces());
    let parts = snapshot.parts(Slot(0), Slot(u32::MAX));
    format!("{totals:?} {edges:?} {of_traces:?} {parts:?} {:?}", (snapshot.findings(), snapshot.books()))
}

/// Sends batches with the seconds that pass before each, and lets everything settle.
fn play(batches: &[(u64, Vec<(usize, &Given)>)]) -> (std::sync::Arc<Snapshot>, u64) {
    let mut fold = Aggregator::new(Terms::default());
    let (mut now_ns, mut seq) = (NOW, 0);
    let mut tick = |fold: &mut Aggregator, now_ns: u64| {
        seq += 1;
        fold.tick(seq, now_ns)
    };
    let mut exported: Vec<[u64; 5]> = Vec::new();
    for (seconds, spans) in batches {
        for _ in 0..*seconds {
            now_ns += SECOND;
            let snapshot = tick(&mut fold, now_ns);
            let now: Vec<_> = (0..snapshot.series().len() as u32).map(|id| snapshot.totals(id).outcomes.0).collect();
            let fell = exported.iter().zip(&now).any(|(before, now)| before.iter().zip(now).any(|(b, n)| b > n));
            assert!(!fell && now.len() >= exported.len(), "{exported:?} fell to {now:?}");
            exported = now;
        }
        fold.apply(1, &batch(spans, now_ns).view());
    }
    for _ in 0..5 {
        now_ns += 31 * SECOND;
        tick(&mut fold, now_ns);
    }
    let snapshot = tick(&mut fold, now_ns + 20 * SECOND);
    let corrections = snapshot.corrections().iter().map(|correction| correction.count).sum();
    (snapshot, corrections)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_order_of_a_traces_spans_ends_in_the_same_figures(
        spans in prop::collection::vec(given(), 1..10),
        order in prop::collection::vec(0_u64..1_000, 10),
        pauses in prop::collection::vec(prop_oneof![3 => Just(0_u64), 2 => 1_u64..5, 1 => 30_u64..60], 10),
    ) {
        let all: Vec<(usize, &Given)> = spans.iter().enumerate().collect();
        let (together, corrections) = play(&[(0, all.clone())]);
        prop_assert_eq!(corrections, 0, "what is known at once is not corrected");
        let mut shuffled = all;
        shuffled.sort_by_key(|(number, _)| (order[*number], *number));
        let one_by_one: Vec<_> = shuffled.iter().zip(&pauses).map(|(span, pause)| (*pause, vec![*span])).collect();
        let (apart, corrections) = play(&one_by_one);
        let (again, _) = play(&one_by_one);
        prop_assert_eq!(told(&apart), told(&again), "a replay gives the same");
        prop_assert_eq!(end(&together), end(&apart));
        // Slots = exported - corrections.
        let exported: u64 = (0..apart.series().len() as u32).map(|id| apart.totals(id).outcomes.total()).sum();
        let in_slots: u64 = apart.window(Window::Day).iter().map(|counts| counts.outcomes.total()).sum();
        prop_assert_eq!(in_slots, exported - corrections);
    }
}

#[test]
fn a_batch_of_messages_is_one_request_and_knows_who_sent_them() {
    let mut builder = Builder::new(1_000, 100_000);
    let name = |builder: &mut Builder, text: &str| builder.string(text.as_bytes()).expect("there is room");
    let [producer, consumer, operation] = ["content", "trend", "process q"].map(|text| name(&mut builder, text));
    let contexts = [producer, consumer].map(|service_name| {
        builder.context(&Context { service_name, resource_hash: u64::from(service_name), ..Context::default() })
    });
    let span = |id: u8, kind, context| Span {
        trace_id: [id; 16],
        span_id: [id; 8],
        start_ns: NOW - 10_000_000,
        end_ns: NOW - 9_000_000 + u64::from(kind) * 1_000_000,
        kind,
        context,
        operation,
        ..Span::default()
    };
    builder.span(&span(1, 4, contexts[0]));
    builder.span(&span(2, 4, contexts[0]));
    let links = [1, 2].map(|id| builder.link(&Link { trace_id: [id; 16], span_id: [id; 8] }));
    let consumed = Span { first_link: links[0], links: 2, start_ns: NOW - 2_000_000, ..span(3, 5, contexts[1]) };
    builder.span(&consumed);
    let head = Head { signal: 1, received: 3, observed_at_ns: NOW, ..Head::default() };
    let batch = builder.finish(&head, &Meta::default());
    let mut fold = Aggregator::new(Terms::default());
    fold.apply(1, &batch.view());
    fold.tick(2, NOW + 31 * SECOND);
    let snapshot = fold.tick(3, NOW + 60 * SECOND);
    assert_eq!(snapshot.window(Window::Hour).iter().map(|counts| counts.spans).sum::<u64>(), 1);
    let edges: Vec<_> = snapshot.edge_window(Window::Hour, |_| true);
    let name = snapshot.edges().next().expect("an edge");
    assert_eq!((&*name.from, &*name.to, name.kind.name()), ("content", "trend", "messaging_system"));
    assert_eq!((edges.len(), edges[0].counts.requests), (1, 2));
    // Sent at NOW - 5 ms, taken at NOW - 2 ms: 3 000 us lie in [2992, 3007].
    assert_eq!((edges[0].queue_delays.len(), edges[0].queue_delays.value_at_quantile(0.5)), (2, 3_007));
}
