//! More names than there are series for: no count is lost over promotions, demotions and days without a request, the
//! heavy names get series of their own, and nothing grows with the flood.

use bailiwick_slo::time::{Slot, Window};
use proptest::prelude::*;

use super::{NOW, SECOND};
use crate::aggregator::fold::terms::KnownModule;
use crate::aggregator::snapshot::Snapshot;
use crate::aggregator::{Aggregator, CoverageSettings, SeriesSettings, Settings, Terms};
use crate::observation::batch::row::{Context, Evidence, Span};
use crate::observation::batch::{Builder, Head, Meta};
use crate::units::ByteSize;

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

    /// One that has no index of traces: each span is by itself.
    fn without_index(series: SeriesSettings, modules: Vec<KnownModule>) -> Self {
        let coverage = CoverageSettings { index_bytes_max: ByteSize(0), ..CoverageSettings::default() };
        let settings = Settings { series, coverage, ..Settings::default() };
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
    assert_eq!(settled.resting(), [("acme".into(), 2)]);
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
fn a_number_that_a_forgotten_name_had_means_the_next_name_only() {
    let paid: Vec<String> = (0..20).map(|n| format!("POST /pay/{n}")).collect();
    let named = KnownModule { name: "chat".to_owned(), operations: paid.clone(), ..KnownModule::default() };
    let limits = SeriesSettings { operations_top: 1, ..SeriesSettings::default() };
    let mut daemon = Flooded::without_index(limits, vec![named]);
    // The first has a series. The others have none: where they go is remembered.
    daemon.send("acme", "chat", (0..1_000).map(|n| format!("GET /lost/{n}")));
    // So many names that those of the first batch are forgotten: 4,096 stay that nobody uses.
    daemon.send("acme", "chat", (0..4_000).map(|n| format!("GET /next/{n}")));
    // These are given the numbers that are free, and have series of their own whoever comes before.
    daemon.send("acme", "chat", paid.clone());
    let snapshot = daemon.tick(SECOND);
    for operation in &paid {
        assert_eq!(of(&snapshot, "acme", &format!("chat {operation}")), Some(1), "{operation}");
    }
    assert_eq!(of(&snapshot, "acme", "chat _other"), Some(4_999));
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

/// Ten minutes of a steady tenant, beside one that asks for so many names per second, and 20 of them often.
fn attacked(names_per_second: u64) -> (Flooded, std::sync::Arc<Snapshot>) {
    let mut daemon = Flooded::new(SeriesSettings { operations_top: 25, ..SeriesSettings::default() }, Vec::new());
    for second in 0..600 {
        daemon.send("steady", "chat", (0..10).map(|n| format!("GET /{n}")));
        if names_per_second > 0 {
            let names = (0..names_per_second).map(|n| format!("GET /user/{}", second * names_per_second + n));
            // In their middle, so that the flood is first and last.
            let heavy = (0..20).flat_map(|n| times(&format!("POST /heavy/{n}"), 8));
            daemon.send("flood", "chat", names.clone().take(names_per_second as usize / 2).chain(heavy));
            daemon.send("flood", "chat", names.skip(names_per_second as usize / 2));
        }
        daemon.tick(SECOND);
    }
    daemon.tick(10 * SECOND);
    let snapshot = daemon.tick(10 * SECOND);
    (daemon, snapshot)
}

#[test]
fn a_flood_of_operations_is_counted_bounded_and_felt_by_nobody_else() {
    const NAMES: u64 = 240_000;
    let (daemon, flooded) = attacked(NAMES / 600);
    let (_, alone) = attacked(0);
    let figures = |snapshot: &Snapshot| {
        let mine = (0..).zip(snapshot.series()).filter(|(_, name)| &*name.tenant == "steady");
        let rows = mine.map(|(id, name)| {
            let latency = snapshot.latency(&[id], Window::FiveMinutes).histogram;
            let slots = snapshot.slots(id, Slot(0), Slot(u32::MAX));
            format!("{name:?} {:?} {slots:?} {:?}", snapshot.totals(id), latency.iter_recorded().collect::<Vec<_>>())
        });
        // Numbers of series and modules depend on who else there is.
        rows.map(|row| row.replace("module_id: 1", "module_id: 0")).collect::<Vec<_>>()
    };
    assert_eq!(figures(&flooded), figures(&alone));
    assert_eq!(figures(&alone).len(), 10);

    let counts = counts(&flooded, "flood");
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), NAMES + 600 * 20 * 8, "no request is lost");
    let heavy = counts.iter().filter(|(name, _)| name.contains("heavy"));
    assert_eq!(heavy.clone().count(), 20, "{counts:?}");
    // From the second look on: what came before went to `_other`.
    assert!(heavy.clone().all(|(_, count)| *count >= 560 * 8), "{counts:?}");

    let (_, wanted) = flooded.demand().iter().find(|(tenant, _)| &**tenant == "flood").cloned().expect("it asked");
    // Three standard errors of 3.25 %.
    assert!((wanted as f64 / (NAMES + 20) as f64 - 1.0).abs() < 0.0975, "{wanted}");
    let sizes = daemon.fold.names.sizes();
    assert_eq!(sizes.sketches, 1);
    assert!(sizes.counters <= 100, "4 K: {sizes:?}");
    // 25 first, 20 heavy, and the few that came in by a rank that nobody else claimed.
    assert!(sizes.series <= 10 + 50 + 1 && sizes.texts <= sizes.series + 4, "{sizes:?}");
    assert!(daemon.fold.overflow.len() <= 16_384 && daemon.fold.overflow.capacity() <= 65_536);
    // What nobody uses any more goes from the pool: 4,096 idle names, and those of spans that are still kept.
    assert!(daemon.fold.index.memory_bytes() as u64 <= daemon.fold.settings.coverage.index_bytes_max.bytes() as u64);
}

/// Requests by tenant, module and operation, and the seconds until the next tick.
type Stretch = (Vec<(u8, u8, u8)>, u64);

/// Minutes, hours and days.
fn hours() -> impl Strategy<Value = Vec<Stretch>> {
    let operation = prop_oneof![3 => 1_u8..4, 2 => 4_u8..40];
    let requests = prop::collection::vec((0_u8..3, 0_u8..2, operation), 0..40);
    let after_s = prop_oneof![6 => Just(60_u64), 3 => Just(300), 1 => Just(3_600), 1 => Just(90_000)];
    prop::collection::vec((requests, after_s), 1..40)
}

proptest! {
    #[test]
    fn every_request_is_in_one_series_over_promotions_demotions_and_days(
        hours in hours(),
        maxima in (16_u32..30, 4_u32..12, 1_u32..4, 1_u32..4),
        (sketches_max, dry_run) in (0_u32..4, any::<bool>()),
    ) {
        let (max, per_tenant_max, modules_max, operations_top) = maxima;
        let reserved_tenants = if max > 20 { vec!["t1".to_owned()] } else { Vec::new() };
        let series = SeriesSettings {
            max, per_tenant_max, modules_max, operations_top, sketches_max, dry_run, reserved_tenants, tenants_max: 2,
        };
        let mut daemon = Flooded::new(series, Vec::new());
        // By series: when its totals began, and what they were.
        let mut before: Vec<(u64, u64)> = Vec::new();
        // What series had counted when they began again.
        let mut restarted = 0;
        for (requests, after_s) in hours.into_iter().chain([(Vec::new(), 60)]) {
            for (tenant, module, operation) in requests {
                let operation = if operation == 1 { "_other".to_owned() } else { format!("GET /{operation}") };
                daemon.send(&format!("t{tenant}"), &format!("m{module}"), [operation]);
            }
            let snapshot = daemon.tick(after_s * SECOND);
            let shown = (0..).zip(snapshot.series());
            let now: Vec<_> = shown.map(|(id, name)| (name.created_ns, snapshot.totals(id).spans)).collect();
            for ((created_ns, spans), (created_before_ns, spans_before)) in now.iter().zip(&before) {
                if created_ns == created_before_ns {
                    prop_assert!(spans >= spans_before, "counters never fall");
                } else {
                    restarted += spans_before;
                }
            }
            before.clone_from(&now);
            let all: u64 = now.iter().map(|(_, spans)| spans).sum();
            prop_assert_eq!(all + restarted, daemon.sent);
            let limited: u64 = snapshot.limited().iter().map(|(_, _, count)| count).sum();
            let overflow = (0..).zip(snapshot.series()).filter(|(_, name)| name.overflow);
            let overflow: u64 = overflow.map(|(id, _)| snapshot.totals(id).spans).sum();
            prop_assert!(limited == overflow || dry_run && limited >= overflow);
            prop_assert!(used(&snapshot, "series.max").is_some_and(|used| used <= u64::from(max)));
            prop_assert!(dry_run || used(&snapshot, "series.per_tenant_max") <= Some(u64::from(per_tenant_max)));
            let sizes = daemon.fold.names.sizes();
            prop_assert!(sizes.sketches <= sketches_max as usize);
            prop_assert!(sizes.counters <= (sketches_max * operations_top * 4) as usize);
        }
    }
}
