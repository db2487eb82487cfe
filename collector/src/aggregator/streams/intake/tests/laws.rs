//! What holds for any points: counts against a plain model, and the same points give the same figures.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::drive::{ALL, Driven, Sent, counter, histogram, level};
use crate::aggregator::snapshot::ModuleId;
use crate::aggregator::streams::Outcome;

/// What one stream does next: seconds that pass, how much it grows, and whether its process began anew.
#[derive(Debug, Clone, Copy)]
struct Step {
    stream: u8,
    module: ModuleId,
    pass_s: u64,
    grows: u64,
    restarts: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (1_u8..5, 1_u32..3, 1_u64..90, 0_u64..1_000, prop::bool::weighted(0.1))
        .prop_map(|(stream, module, pass_s, grows, restarts)| Step { stream, module, pass_s, grows, restarts });
    prop::collection::vec(step, 1..60)
}

/// What a stream of the model has: when it began, what it counted.
#[derive(Debug, Clone, Copy, Default)]
struct Counting {
    began_s: u64,
    count: u64,
}

/// Sends the steps as a cumulative histogram each and gives what the model counts by tenant x module.
fn run(driven: &mut Driven, steps: &[Step]) -> BTreeMap<ModuleId, u64> {
    let mut model: BTreeMap<(u8, ModuleId), Counting> = BTreeMap::new();
    let mut counted: BTreeMap<ModuleId, u64> = BTreeMap::new();
    for step in steps {
        let before_s = driven.now_ns() / 1_000_000_000;
        driven.pass(step.pass_s);
        let stream = model.entry((step.stream, step.module)).or_insert(Counting { began_s: before_s, count: 0 });
        if step.restarts {
            *stream = Counting { began_s: before_s, count: 0 };
        }
        stream.count += step.grows;
        *counted.entry(step.module).or_default() += step.grows;
        let sent = histogram("http.server.request.duration", stream.count).began(stream.began_s);
        driven.send(sent.stream(step.stream).module(step.module).operation("GET /a"));
        driven.close();
    }
    // The last slot ends.
    driven.pass(10);
    driven.close();
    counted
}

/// Any point at all, of a few streams and names.
fn anything() -> impl Strategy<Value = (u64, Sent)> {
    let names = [
        "http.server.duration",
        "http.server.request.duration",
        "otel.sdk.span.started",
        "http.server.active_requests",
        "gen_ai.client.token.usage",
    ];
    let shape = (0_usize..names.len(), 1_u8..5, 0_u16..0x400, any::<bool>(), any::<bool>());
    let numbers = (prop::option::of(1_699_999_000_u64..1_700_002_000), -10_i64..1_000, 0_u64..1_000, 0_u64..120);
    (shape, numbers).prop_map(move |((name, data, flags, is_delta, is_failure), (began_s, value, count, pass_s))| {
        let base = if name == 3 { level(names[name], value) } else { counter(names[name], value) };
        (pass_s, Sent { data, flags, is_delta, is_failure, began_s, count, ..base })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Scenario: histograms of several processes that grow and begin anew.
    /// Guarantee: each tenant x module has exactly the requests that its processes counted.
    #[test]
    fn requests_are_those_that_processes_counted(steps in steps()) {
        let mut driven = Driven::new(50_000);
        let counted = run(&mut driven, &steps);
        for (module, requests) in counted {
            prop_assert_eq!(driven.module(module).requests[0], requests);
        }
    }

    /// Scenario: any points, senseless ones among them.
    /// Guarantee: nothing is negative or overflows, and a second run shows the same figures.
    #[test]
    fn the_same_points_give_the_same_figures(sent in prop::collection::vec(anything(), 1..80)) {
        let run = || {
            let mut driven = Driven::new(16);
            let outcomes: Vec<Outcome> = sent
                .iter()
                .enumerate()
                .map(|(place, (pass_s, sent))| {
                    driven.pass(*pass_s);
                    let outcome = driven.send(sent.stream((place % 20) as u8));
                    driven.close();
                    outcome
                })
                .collect();
            driven.streams.retire(driven.now_ns());
            let shown = driven.streams.shown();
            let flying = (driven.in_flight(), shown.live_spans().collect::<Vec<_>>());
            (outcomes, shown.modules(ALL.0, ALL.1), shown.services(ALL.0, ALL.1), flying, *shown.counters())
        };
        let first = run();
        let added: u64 = first.0.iter().map(|outcome| match outcome {
            Outcome::Applied(applied) => applied.increase.count.max(applied.increase.units),
            _ => 0,
        }).sum();
        for counts in first.1.values() {
            prop_assert!(counts.requests[0] + counts.requests[2] + counts.tokens[0] + counts.tokens[1] <= added);
        }
        // As text: a NaN is sent among others, and equals nothing.
        prop_assert_eq!(format!("{first:?}"), format!("{:?}", run()));
    }
}
