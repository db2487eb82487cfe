//! Random records: requests near and far from the clock, refusals, ticks that stand still, crawl and leap.

use proptest::prelude::*;

use super::{NOW, SECOND};
use crate::aggregator::{Aggregator, Settings, Snapshot, Terms};
use crate::observation::batch::row::{Context, Evidence, Span, flag};
use crate::observation::batch::{Batch, Builder, Head, Meta};
use crate::observation::report::Reason;

use std::sync::Arc;

/// Two hours, the longest that `ingest.late_accept` and `ingest.future_accept` may be.
const FAR_NS: i64 = 7_200 * SECOND as i64;

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) tenant: u8,
    pub(super) module: u8,
    pub(super) operation: u8,
    /// CONSUMER instead of SERVER.
    pub(super) is_consumer: bool,
    /// [`bailiwick_slo::outcome::Outcome`].
    pub(super) outcome: u8,
    pub(super) duration_ns: u64,
    /// It ends before it starts.
    pub(super) is_anomaly: bool,
    /// Its end from the clock.
    pub(super) ends_in_ns: i64,
}

/// One record, or items of one.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Requests(Vec<Sent>),
    /// Items of tenants that were refused.
    Refused(Vec<(u8, u8)>),
    /// The clock moves by this and ticks; below 0 it was set back.
    Tick(i64),
}

impl Sent {
    /// The names as rows spell them.
    pub(super) fn names(&self) -> [String; 3] {
        let operation = if self.operation == 0 { "_other".to_owned() } else { format!("GET /{}", self.operation) };
        [format!("t{}", self.tenant), format!("m{}", self.module), operation]
    }
}

fn duration() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 1_000_000_u64..900_000_000,
        1 => 0_u64..5_000,
        1 => 0_u64..7_200 * SECOND,
    ]
}

fn ends_in() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => -30 * SECOND as i64..=0,
        2 => -600 * SECOND as i64..60 * SECOND as i64,
        1 => -FAR_NS..=FAR_NS,
    ]
}

/// A request; `operations` starts at 1 to leave out the reserved name.
pub(super) fn sent(operations: std::ops::Range<u8>) -> impl Strategy<Value = Sent> {
    let names = (0_u8..3, 0_u8..2, operations, any::<bool>());
    (names, 0_u8..5, duration(), prop::bool::weighted(0.05), ends_in()).prop_map(
        |((tenant, module, operation, is_consumer), outcome, duration_ns, is_anomaly, ends_in_ns)| Sent {
            tenant,
            module,
            operation,
            is_consumer,
            outcome,
            duration_ns,
            is_anomaly,
            ends_in_ns,
        },
    )
}

/// Steps in any order; most ticks are small.
pub(super) fn steps(operations: std::ops::Range<u8>) -> impl Strategy<Value = Vec<Step>> {
    let second = SECOND as i64;
    let step = prop_oneof![
        6 => prop::collection::vec(sent(operations), 1..10).prop_map(Step::Requests),
        1 => prop::collection::vec((0_u8..4, 0_u8..15), 1..3).prop_map(Step::Refused),
        4 => (-5 * second..15 * second).prop_map(Step::Tick),
        2 => (10 * second..400 * second).prop_map(Step::Tick),
        1 => prop_oneof![Just(3_600), Just(5_400), Just(18_000), Just(90_000)].prop_map(move |s| Step::Tick(s * second)),
    ];
    prop::collection::vec(step, 1..30)
}

/// A daemon that takes steps.
pub(super) struct Driven {
    pub(super) fold: Aggregator,
    pub(super) now_ns: u64,
    seq: u64,
    /// Requests sent: each has a trace of its own.
    sent: u64,
}

impl Driven {
    pub(super) fn new(settings: Settings) -> Self {
        Self { fold: Aggregator::new(Terms { settings, ..Terms::default() }), now_ns: NOW, seq: 0, sent: 0 }
    }

    /// What a clock says that moved by this.
    pub(super) fn told_ns(&self, by_ns: i64) -> u64 {
        self.now_ns.saturating_add_signed(by_ns).max(NOW)
    }

    /// Ticks with a clock that moved by this; if it was set back, time stands still.
    pub(super) fn tick(&mut self, by_ns: i64) -> Arc<Snapshot> {
        self.seq += 1;
        let told_ns = self.told_ns(by_ns);
        self.now_ns = self.now_ns.max(told_ns);
        self.fold.tick(self.seq, told_ns)
    }

    /// Sends one batch.
    pub(super) fn send(&mut self, requests: &[Sent], refused: &[(u8, u8)]) {
        self.fold.apply(self.seq, &batch((requests, self.sent), refused, self.now_ns).view());
        self.sent += requests.len() as u64;
    }
}

/// A batch as observation writes it.
fn batch((requests, before): (&[Sent], u64), refused: &[(u8, u8)], now_ns: u64) -> Batch {
    let mut builder = Builder::new(1_000, 100_000);
    let string = |builder: &mut Builder, text: &str| builder.string(text.as_bytes()).expect("there is room");
    let service = string(&mut builder, "service");
    let context = builder.context(&Context { service_name: service, ..Context::default() });
    for (request, id) in requests.iter().zip(1 + before..) {
        let [tenant_span, module_span, operation] = request.names().map(|name| string(&mut builder, &name));
        let end_ns = now_ns.saturating_add_signed(request.ends_in_ns);
        let evidence = builder.evidence(&Evidence { tenant_span, module_span, ..Evidence::default() });
        builder.span(&Span {
            trace_id: u128::from(id).to_be_bytes(),
            span_id: id.to_be_bytes(),
            start_ns: end_ns - request.duration_ns,
            end_ns,
            context,
            operation,
            evidence,
            kind: if request.is_consumer { 5 } else { 2 },
            outcome: request.outcome,
            flags: if request.is_anomaly { flag::CLOCK_ANOMALY } else { 0 },
            ..Span::default()
        });
    }
    for (tenant, reason) in refused {
        let tenant = string(&mut builder, &format!("t{tenant}"));
        let reason = Reason::from_u16(u16::from(*reason)).unwrap_or(Reason::TooLate);
        builder.reject(tenant, reason, (0, 1));
    }
    let received = (requests.len() + refused.len()) as u32;
    let head = Head { signal: 1, received, observed_at_ns: now_ns, ..Head::default() };
    Batch::check(builder.finish(&head, &Meta::default()).bytes().to_vec()).expect("it is sound")
}
