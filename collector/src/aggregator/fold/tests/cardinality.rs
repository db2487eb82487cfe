//! More names than there are series for: no count is lost over promotions, demotions and days without a request, the
//! heavy names get series of their own, and nothing grows with the flood.

use bailiwick_slo::time::{Slot, Window};
use proptest::prelude::*;

use super::{NOW, SECOND};
use crate::aggregator::fold::terms::KnownModule;
use crate::aggregator::snapshot::Snapshot;
use crate::aggregator::{Aggregator, SeriesSettings, Settings, Terms};
use crate::observation::batch::row::{Context, Evidence, Span};
use crate::observation::batch::{Batch, Builder, Head, Meta};

/// A daemon that is sent SERVER spans, each a trace of its own.
struct Flooded {
    fold: Aggregator,
    now_ns: u64,
    sent: u64,
}

impl Flooded {
    fn new(series: SeriesSettings, modules: Vec<KnownModule>) -> Self {
        let settings = Settings { series, ..Settings::default() };
        Self { fold: Aggregator::new(Terms { settings, modules, ..Terms::default() }), now_ns: NOW, sent: 0 }
    }

    /// Sends requests of a tenant's module that end now.
    fn send(&mut self, tenant: &str, module: &str, operations: impl IntoIterator<Item = String>) {
        let mut builder = Builder::new(100_000, 10_000_000);
        let name = |builder: &mut Builder, text: &str| builder.string(text.as_bytes()).expect("there is room");
        let [service_name, tenant_span] = [module, tenant].map(|text| name(&mut builder, text));
        let context = builder.context(&Context { service_name, ..Context::default() });
        let evidence = builder.evidence(&Evidence { tenant_span, ..Evidence::default() });
        let before = self.sent;
        for operation in operations {
            let operation = name(&mut builder, &operation);
            self.sent += 1;
            builder.span(&Span {
                // Spread as random ids are: by the golden ratio.
                trace_id: u128::from(self.sent).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes(),
                span_id: self.sent.to_be_bytes(),
                start_ns: self.now_ns - 5_000_000,
                end_ns: self.now_ns,
                context,
                operation,
                evidence,
                kind: 2,
                ..Span::default()
            });
        }
        let head =
            Head { signal: 1, received: (self.sent - before) as u32, observed_at_ns: self.now_ns, ..Head::default() };
        self.fold.apply(1, &builder.finish(&head, &Meta::default()).view());
    }

    fn tick(&mut self, after_ns: u64) -> std::sync::Arc<Snapshot> {
        self.now_ns += after_ns;
        self.fold.tick(1, self.now_ns)
    }
}

/// Requests by tenant, module and operation.
fn counts(snapshot: &Snapshot, tenant: &str) -> Vec<(String, u64)> {
    let mine = (0..).zip(snapshot.series()).filter(|(_, name)| *name.tenant == *tenant);
    let rows = mine.map(|(id, name)| (format!("{} {}", name.module, name.operation), snapshot.totals(id).spans));
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

fn of(snapshot: &Snapshot, tenant: &str, name: &str) -> Option<u64> {
    counts(snapshot, tenant).into_iter().find(|(known, _)| known == name).map(|(_, count)| count)
}

fn used(snapshot: &Snapshot, limit: &str) -> Option<u64> {
    snapshot.limits().iter().find(|known| known.name == limit).map(|known| known.used)
}

fn times(operation: &str, times: usize) -> Vec<String> {
    vec![operation.to_owned(); times]
}

fn small() -> SeriesSettings {
    SeriesSettings { operations_top: 2, ..SeriesSettings::default() }
}

#[test]
fn an_operation_that_outranks_others_gets_a_series_and_who_is_outranked_loses_it_after_a_quarter_of_an_hour() {
    let mut daemon = Flooded::new(small(), Vec::new());
    daemon.send("acme", "chat", ["old 1", "old 2"].map(str::to_owned));
    daemon.tick(SECOND);
    let minute = |daemon: &mut Flooded| {
        for operation in ["new 1", "new 2", "new 3", "new 4"] {
            daemon.send("acme", "chat", times(operation, 10));
        }
        daemon.tick(60 * SECOND)
    };
    let first = minute(&mut daemon);
    assert_eq!(
        counts(&first, "acme"),
        [("chat _other".into(), 40), ("chat old 1".into(), 1), ("chat old 2".into(), 1)]
    );
    (0..3).for_each(|_| drop(minute(&mut daemon)));
    let promoted = minute(&mut daemon);
    let own = counts(&promoted, "acme").into_iter().filter(|(name, _)| name.contains("new")).count();
    assert_eq!(own, 2, "the first K of the four new ones: {:?}", counts(&promoted, "acme"));
    assert_eq!(used(&promoted, "series.operations_top"), Some(4), "the old ones wait at ranks 5 and 6");
    (0..20).for_each(|_| drop(minute(&mut daemon)));
    let settled = minute(&mut daemon);
    assert_eq!(used(&settled, "series.operations_top"), Some(2));
    // What the old ones counted stands; one more request of theirs goes to `_other`.
    let other = of(&settled, "acme", "chat _other");
    daemon.send("acme", "chat", times("old 1", 1));
    let after = daemon.tick(SECOND);
    assert_eq!(of(&after, "acme", "chat old 1"), Some(1));
    assert_eq!(of(&after, "acme", "chat _other"), other.map(|count| count + 1));
    // Heavy again, the same series goes on.
    let series = after.series().len();
    for _ in 0..40 {
        daemon.send("acme", "chat", times("old 1", 100));
        minute(&mut daemon);
    }
    let again = minute(&mut daemon);
    assert!(of(&again, "acme", "chat old 1").is_some_and(|count| count > 1_000), "{:?}", counts(&again, "acme"));
    assert_eq!(again.series().len(), series, "no new number");
    let sum: u64 = counts(&again, "acme").iter().map(|(_, count)| count).sum();
    assert_eq!(sum, daemon.sent);
}

#[test]
fn an_operation_that_configuration_names_is_always_admitted_and_never_demoted() {
    let named = KnownModule {
        name: "chat".to_owned(),
        operations: vec!["POST /pay".to_owned(), "POST /refund".to_owned()],
        ..KnownModule::default()
    };
    let limits = SeriesSettings { operations_top: 1, per_tenant_max: 4, ..SeriesSettings::default() };
    let mut daemon = Flooded::new(limits, vec![named]);
    daemon.send("acme", "chat", (0..10).map(|n| format!("GET /{n}")));
    daemon.tick(SECOND);
    daemon.send("acme", "chat", ["POST /pay", "POST /refund"].map(str::to_owned));
    for _ in 0..60 {
        daemon.send("acme", "chat", (0..10).flat_map(|n| times(&format!("GET /{n}"), 5)));
        daemon.tick(60 * SECOND);
    }
    daemon.send("acme", "chat", ["POST /pay", "POST /refund"].map(str::to_owned));
    let snapshot = daemon.tick(60 * SECOND);
    let names = ["chat POST /pay", "chat POST /refund"];
    assert_eq!(names.map(|name| of(&snapshot, "acme", name)), [Some(2); 2]);
}

#[test]
fn a_series_begins_again_after_a_day_and_goes_on_within_it() {
    let mut daemon = Flooded::new(SeriesSettings { max: 16, ..SeriesSettings::default() }, Vec::new());
    let hour = 3_600 * SECOND;
    let created = |snapshot: &Snapshot| snapshot.series().next().map(|name| (name.first_seen_ns, name.created_ns));
    daemon.send("acme", "chat", times("GET /a", 3));
    daemon.tick(SECOND);
    daemon.tick(23 * hour);
    daemon.send("acme", "chat", times("GET /a", 2));
    let within = daemon.tick(SECOND);
    assert_eq!((of(&within, "acme", "chat GET /a"), created(&within)), (Some(5), Some((NOW, NOW))));
    daemon.tick(24 * hour);
    daemon.tick(20 * SECOND);
    // Its place is free for others meanwhile.
    daemon.send("globex", "chat", (0..16).map(|n| format!("GET /{n}")));
    let full = daemon.tick(SECOND);
    assert!(full.limited().is_empty(), "{:?}", full.limited());
    assert_eq!(used(&full, "series.max"), Some(16));
    daemon.tick(24 * hour);
    daemon.tick(20 * SECOND);
    let back_ns = daemon.now_ns;
    daemon.send("acme", "chat", times("GET /a", 1));
    let back = daemon.tick(SECOND);
    assert_eq!((of(&back, "acme", "chat GET /a"), created(&back)), (Some(1), Some((NOW, back_ns))));
}

#[test]
fn a_dry_run_counts_what_it_would_limit_and_limits_nothing() {
    let series = SeriesSettings { dry_run: true, tenants_max: 1, ..small() };
    let mut daemon = Flooded::new(series, Vec::new());
    for _ in 0..3 {
        daemon.send("acme", "chat", ["a", "b", "c", "c"].map(str::to_owned));
        daemon.send("globex", "chat", ["a"].map(str::to_owned));
        daemon.tick(20 * SECOND);
    }
    daemon.tick(20 * SECOND);
    let snapshot = daemon.tick(20 * SECOND);
    let rows = [("chat a".to_owned(), 3), ("chat b".to_owned(), 3), ("chat c".to_owned(), 6)];
    assert_eq!(counts(&snapshot, "acme"), rows);
    assert_eq!(counts(&snapshot, "globex"), [("chat a".to_owned(), 3)]);
    let limited: Vec<_> =
        snapshot.limited().into_iter().map(|(tenant, why, count)| (tenant.to_string(), why, count)).collect();
    assert_eq!(limited, [("acme".to_owned(), "operations", 6), ("globex".to_owned(), "tenants", 3)]);
}

#[test]
fn reserved_tenants_find_fifty_places_however_late_they_come() {
    let reserved_tenants = vec!["acme".to_owned()];
    let series =
        SeriesSettings { max: 120, tenants_max: 2, operations_top: 200, reserved_tenants, ..SeriesSettings::default() };
    let mut daemon = Flooded::new(series, Vec::new());
    daemon.send("globex", "chat", (0..200).map(|n| format!("GET /{n}")));
    daemon.send("initech", "chat", times("GET /a", 1));
    daemon.tick(SECOND);
    daemon.send("acme", "chat", (0..60).map(|n| format!("GET /{n}")));
    let snapshot = daemon.tick(SECOND);
    let own = |tenant: &str| counts(&snapshot, tenant).iter().filter(|(name, _)| !name.ends_with("_other")).count();
    assert_eq!((own("globex"), own("acme")), (70, 50));
    assert!(counts(&snapshot, "initech").is_empty(), "two tenants have a place, one of them by its reserve");
    assert_eq!(used(&snapshot, "series.max"), Some(120));
}
