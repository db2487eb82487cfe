//! SLOs that change while they run (`slo.md` 1.3).

use proptest::prelude::*;

use super::*;
use crate::engine::incident::Cause;
use crate::engine::status::Status;
use crate::spec::{CalendarUnit, Override, Patch, PolicyStep};

impl Run {
    fn member(&self) -> &crate::engine::fleet::Member {
        &self.fleet.members()[0]
    }

    fn status(&self) -> Status {
        self.member().instance.status()
    }

    fn redefine(&mut self, slos: Vec<Slo>) -> Vec<(u32, Kind)> {
        self.fleet.redefine(slos).into_iter().map(|(place, event)| (place, event.kind)).collect()
    }
}

fn revised(revision: &str, change: impl FnOnce(&mut Slo)) -> Slo {
    let mut slo = Slo { revision: revision.to_owned(), ..promise() };
    change(&mut slo);
    slo
}

fn with_target(ratio: &str) -> Slo {
    revised("11111111", |slo| slo.draft.terms.target = Target::of(decimal(ratio)).expect("a target"))
}

#[test]
fn another_target_holds_at_once_for_what_was_counted_before() {
    let mut run = Run::new(promise());
    run.quiet(999);
    run.ticks(1, (50, 100), Source::Silent);
    assert_eq!(run.status().budget.remaining.to_string(), "0.5");
    assert_eq!(run.redefine(vec![with_target("0.9995")]), []);
    // 50 bad, and 100,000 x 0.0005 = 50 are allowed.
    assert_eq!((run.status().budget.remaining.to_string(), run.status().seen), ("0".to_owned(), 100_000));
    assert_eq!((&*run.member().generation, &*run.member().slo.revision), ("00000000", "11111111"));
}

#[test]
fn a_tier_that_stays_goes_on_counting_while_others_come() {
    let held = TierDraft { hold: TimeSpan(100), ..tier(Severity::Page, 3_600, 300, (144, 10)) };
    let of = |tiers: Vec<TierDraft>| revised("11111111", |slo| slo.draft.tiers = TierSource::List(tiers));
    let mut run = Run::new(of(vec![held]));
    run.quiet(2_160);
    // Pending from the sixth tick on (see the closed form in the parent); four of ten ticks later the SLO changes.
    run.ticks(10, (100, 100), Source::Silent);
    assert_eq!(run.member().instance.tiers()[0].phase, Phase::Pending(4));
    run.redefine(vec![of(vec![tier(Severity::Page, 1_800, 60, (300, 1)), held])]);
    let kept = &run.member().instance.tiers()[1];
    assert_eq!((kept.phase, kept.since - START), (Phase::Pending(4), 2_166));
    let told = run.ticks(8, (100, 100), Source::Silent);
    assert_eq!(told, [(2_166 + 10, Kind::Firing, Severity::Page)]);
}

#[test]
fn an_incident_goes_on_over_a_change_of_terms() {
    let mut run = Run::new(promise());
    run.quiet(2_160);
    run.ticks(30, (100, 100), Source::Silent);
    let id = current_id(&run);
    // A ticket of another length comes first now; the page is what it was.
    let slo = revised("11111111", |slo| {
        let tiers = vec![tier(Severity::Page, 1_200, 60, (900, 1)), tier(Severity::Page, 3_600, 300, (144, 10))];
        slo.draft.tiers = TierSource::List(tiers);
        slo.draft.terms.alerts.receivers = Some(vec!["oncall".to_owned()]);
    });
    assert_eq!(run.redefine(vec![slo]), []);
    let open = run.member().instance.open_incident().expect("it is open");
    assert_eq!((open.cause, open.events[0].cause), (Cause::Tier(1), Cause::Tier(1)));
    let told = run.quiet(60);
    assert_eq!(told, [(2_190 + 30 + 12, Kind::Resolved(Reason::Recovered), Severity::Page)]);
    assert_eq!(current_id(&run), id);
}

#[test]
fn an_incident_whose_tier_was_taken_out_ends_after_the_hold_down() {
    let mut run = Run::new(promise());
    run.quiet(2_160);
    run.ticks(30, (100, 100), Source::Silent);
    run.redefine(vec![revised("11111111", |slo| slo.draft.tiers = TierSource::List(Vec::new()))]);
    assert_eq!(run.member().instance.open_incident().map(|open| open.cause), Some(Cause::Tier(Cause::GONE)));
    // The first clear tick is the next one; two minutes later it is resolved.
    assert_eq!(run.quiet(20), [(2_191 + 12, Kind::Resolved(Reason::Recovered), Severity::Page)]);
}

#[test]
fn a_period_becomes_shorter_exactly_and_longer_as_far_as_cells_are_kept() {
    let of = |seconds: u64| {
        revised("11111111", |slo| {
            slo.draft.terms.period = Period::Rolling(TimeSpan(seconds));
            slo.draft.terms.forecast.window = TimeSpan(600);
            slo.draft.tiers = TierSource::List(vec![tier(Severity::Page, 3_600, 300, (144, 10))]);
        })
    };
    let mut run = Run::new(of(30 * 86_400));
    run.quiet(3_000);
    run.redefine(vec![of(4 * 3_600)]);
    assert_eq!((run.status().period.sums.total, run.status().period.sums.ticks), (144_000, 1_440));
    run.quiet(600);
    run.redefine(vec![of(30 * 86_400)]);
    let (from, to) = run.status().period_ticks;
    let sums = run.status().period.sums;
    // Four hours, and what is left of the block that they begin in: 32 cells of a minute.
    assert!(from > START && (1_440..1_440 + 192).contains(&(to - from)), "{}", to - from);
    assert_eq!((sums.total, u64::from(sums.ticks), to), (100 * (to - from), to - from, START + 3_600));
    run.quiet(100);
    assert_eq!((run.status().period_ticks.0, run.status().period.sums.total), (from, 100 * (to - from + 100)));
}

#[test]
fn a_step_of_the_policy_keeps_its_state_by_name() {
    let step = |name: &str, below: &str| PolicyStep {
        name: name.to_owned(),
        below: decimal(below),
        severity: Severity::Ticket,
        message: String::new(),
    };
    let of = |policy: Vec<PolicyStep>| {
        revised("11111111", |slo| {
            slo.draft.terms.policy = policy;
            slo.draft.tiers = TierSource::List(Vec::new());
        })
    };
    let mut run = Run::new(of(vec![step("slow", "0.5")]));
    run.quiet(999);
    // 51 bad of 100,000: R = 0.49. Later 102,000: R = 0.5, and the step re-arms at 0.52 only.
    run.ticks(1, (51, 100), Source::Silent);
    run.quiet(20);
    assert_eq!(run.status().policy_step.as_deref(), Some("slow"));
    run.redefine(vec![of(vec![step("stop", "0.5"), step("slow", "0.5")])]);
    run.quiet(1);
    assert_eq!(run.status().policy_step.as_deref(), Some("slow"), "`stop` is new, and R is not below a half");
    run.redefine(vec![of(vec![step("stop", "0.5")])]);
    run.quiet(1);
    assert_eq!(run.status().policy_step, None);
}

#[test]
fn another_sli_begins_anew_with_the_next_observation_and_ends_the_incident() {
    let mut run = Run::new(promise());
    run.quiet(2_160);
    run.ticks(30, (100, 100), Source::Silent);
    let first = current_id(&run);
    let slow = Sli::Latency { threshold_ns: 1, failures_are_slow: false };
    assert_eq!(
        run.redefine(vec![revised("22222222", |slo| slo.sli = slow)]),
        [(0, Kind::Resolved(Reason::SloChanged))]
    );
    assert!(run.member().is_gone && run.fleet.instances() == 0);
    // What is still brought to the old place is for nobody.
    run.fleet.bring(0, run.next, Delta { bad: 7, total: 7, raw_bad: 7, raw_total: 7 });
    assert_eq!(run.fleet.places_of(("acme", "rag_hub", "GET /a"), run.next), [0], "its place is its own");
    assert!(run.ticks(10, (0, 0), Source::Alive).is_empty() && run.member().is_archived, "it rests");
    // Nine clean ticks of the new generation, then an outage.
    run.quiet(9);
    let status = run.status();
    assert_eq!((status.born - START, status.period.sums.total, status.seen), (2_200, 900, 900));
    assert_eq!((&*run.member().generation, run.fleet.instances()), ("22222222", 1));
    let told = run.ticks(2, (100, 100), Source::Silent);
    assert_eq!(told.len(), 1);
    assert_ne!(current_id(&run), first, "it is within ten minutes, but another incident");
}

#[test]
fn method_selector_group_and_owner_begin_a_generation_and_names_do_not() {
    type Change = fn(&mut Slo);
    let changes: [(Change, bool); 6] = [
        (|slo| slo.method = Method::RatioTimeslices { slice: TimeSpan(60) }, true),
        (|slo| slo.selector.operation = Globs::new(["GET *"]), true),
        (|slo| slo.selector.group_by.module = false, true),
        (|slo| slo.owner = Some("acme".to_owned()), true),
        (|slo| slo.display_name = "What people call it".to_owned(), false),
        (|slo| slo.instances_max = 1, false),
    ];
    for (change, is_generation) in changes {
        let mut run = Run::new(promise());
        run.quiet(10);
        run.redefine(vec![revised("33333333", change)]);
        assert_eq!(run.member().is_gone, is_generation);
        run.fleet.places_of(("acme", "rag_hub", "GET /a"), run.next);
        assert_eq!(&*run.fleet.members().last().expect("a member").slo.revision, "33333333");
    }
}

#[test]
fn an_slo_that_is_gone_leaves_a_place_for_its_instance_alone() {
    let mut run = Run::new(promise());
    run.quiet(2_160);
    run.ticks(30, (100, 100), Source::Silent);
    let other = revised("44444444", |slo| slo.id = "other".to_owned());
    assert_eq!(run.redefine(vec![other.clone()]), [(0, Kind::Resolved(Reason::SloDeleted))]);
    let ended = run.member().instance.incidents.current.as_ref().and_then(|incident| incident.ended);
    assert_eq!(ended, Some((START + 2_190, Reason::SloDeleted)));
    assert_eq!(run.fleet.places_of(("acme", "rag_hub", "GET /a"), run.next), [1]);
    // Both again: each where it was.
    run.redefine(vec![promise(), other]);
    assert_eq!(run.fleet.places_of(("acme", "rag_hub", "GET /a"), run.next), [0, 1]);
    run.quiet(1);
    assert_eq!((run.status().period.sums.total, run.fleet.instances()), (100, 2));
}

#[test]
fn an_override_that_turns_an_instance_off_deletes_it() {
    let mut run = Run::new(promise());
    run.quiet(2_160);
    run.ticks(30, (100, 100), Source::Silent);
    let slo = revised("55555555", |slo| {
        slo.overrides.push(Override {
            tenant: Globs::of_tenants(["acme"]),
            module: Globs::new(["*"]),
            sets: Vec::new(),
            patch: Patch { enabled: Some(false), ..Patch::default() },
        });
    });
    assert_eq!(run.redefine(vec![slo]), [(0, Kind::Resolved(Reason::SloDeleted))]);
    assert!(run.fleet.places_of(("acme", "rag_hub", "GET /a"), run.next).is_empty());
    assert!(run.ticks(700, (0, 0), Source::Alive).is_empty(), "it says nothing more");
}

#[test]
fn who_is_gone_makes_room_for_others() {
    let limits = Limits { instances_max: 2, ..LIMITS };
    let mut fleet = Fleet::new(vec![promise()], Grid::LIVE, "store", limits);
    let ask = |fleet: &mut Fleet, tenant: &str| fleet.places_of((tenant, "rag_hub", "GET /a"), START);
    assert_eq!(["a", "b", "c"].map(|tenant| ask(&mut fleet, tenant)), [vec![0], vec![1], vec![]]);
    fleet.close(START, |_, _| Source::Alive);
    fleet.redefine(vec![revised("66666666", |slo| slo.selector.tenant = Globs::of_tenants(["b", "c", "d"]))]);
    assert_eq!(fleet.instances(), 0);
    assert_eq!(["d", "b", "c"].map(|tenant| ask(&mut fleet, tenant)), [vec![2], vec![1], vec![]]);
    assert_eq!((fleet.instances(), fleet.refused().by_number), (2, 2));
}

#[test]
fn another_meaning_of_empty_slices_holds_for_those_that_are_kept() {
    let of = |empty: EmptySlice| {
        revised("77777777", |slo| {
            slo.method = Method::Timeslices { slice: TimeSpan(60), target: decimal("0.95") };
            slo.draft.terms.no_data.empty_slice = empty;
        })
    };
    let mut run = Run::new(of(EmptySlice::Bad));
    let counts = |run: &Run| (run.status().period.sums.bad, run.status().period.sums.total);
    run.ticks(6, (0, 100), Source::Alive);
    run.ticks(12, (0, 0), Source::Alive);
    assert_eq!(counts(&run), (2, 3));
    run.redefine(vec![of(EmptySlice::Skip)]);
    assert_eq!(counts(&run), (0, 1));
    // A late event in an empty slice: one slice more, and good.
    run.fleet.bring(0, START + 7, Delta { bad: 0, total: 5, raw_bad: 0, raw_total: 5 });
    run.ticks(1, (0, 0), Source::Alive);
    assert_eq!(counts(&run), (0, 2));
}

#[test]
fn every_tick_is_in_one_slice_when_the_period_changes() {
    let of = |period: Period| {
        revised("77777777", |slo| {
            slo.method = Method::RatioTimeslices { slice: TimeSpan(420) };
            slo.draft.terms.period = period;
            slo.draft.tiers = TierSource::List(Vec::new());
        })
    };
    // START is the seventh tick of a slice of 42 on the UTC grid: slices end after 36, 78 and 120 ticks. On the hour they
    // end after 126, 168, .., 336, and with the hour after 360.
    assert_eq!(START % 42, 6);
    let hour = Period::Calendar(crate::spec::Calendar {
        start: "2026-01-01T00:00:00".parse().expect("a date"),
        count: 1,
        unit: CalendarUnit::Hour,
        zone: jiff::tz::TimeZone::UTC,
    });
    for (changed, ended) in [(121, 3), (125, 3), (126, 4), (127, 3)] {
        let mut run = Run::new(of(Period::Rolling(TimeSpan(30 * 86_400))));
        let figures = |run: &Run| (run.status().period.bad().to_string(), run.status().period.sums.total);
        run.ticks(120, (0, 10), Source::Alive);
        run.ticks(changed - 120, (1, 1), Source::Alive);
        run.redefine(vec![of(hour.clone())]);
        // Of six ticks, all bad, a slice of its own is made where the change leaves it one.
        assert_eq!(figures(&run), (if changed == 126 { "1" } else { "0" }.to_owned(), ended), "{changed}");
        run.ticks(360 - changed, (0, 1), Source::Alive);
        // The last change leaves a slice that ends after 162 ticks, as on the grid, and one that ends after 168.
        assert_eq!(run.status().period.sums.total, 10, "{changed}");
        // The hour turns, and so do its slices: one of 42 ticks has ended. Back on the grid they end after 414 ticks.
        run.ticks(42, (1, 1), Source::Alive);
        assert_eq!(figures(&run), ("1".to_owned(), 1), "{changed}");
        run.redefine(vec![of(Period::Rolling(TimeSpan(30 * 86_400)))]);
        run.ticks(12, (1, 1), Source::Alive);
        assert_eq!(run.status().period.sums.total, 12, "{changed}");
    }
}

fn month() -> Period {
    let start = "2026-01-31T00:00:00".parse().expect("a date");
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone");
    Period::Calendar(crate::spec::Calendar { start, count: 1, unit: CalendarUnit::Day, zone })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_change_that_touches_no_figure_changes_none(
        steps in prop::collection::vec((0_i64..30, 0_i64..90, 0_u64..900, 0_u8..3), 300..2_000),
        (method, period, when) in (0_usize..3, 0_usize..3, 1_usize..2_000),
    ) {
        let slice = TimeSpan(120);
        let timeslices = Method::Timeslices { slice, target: decimal("0.7") };
        let other = |is_other: bool| revised("88888888", |slo| {
            slo.method = [Method::Occurrences, timeslices, Method::RatioTimeslices { slice }][method];
            slo.draft.terms.target = Target::of(decimal("0.9")).expect("a target");
            let rolling = Period::Rolling(TimeSpan(4 * 3_600));
            slo.draft.terms.period = [rolling, month(), Period::Rolling(TimeSpan(86_400))][period].clone();
            let tiers = vec![tier(Severity::Page, 3_600, 300, (2, 1)), tier(Severity::Ticket, 3 * 3_600, 1_800, (1, 1))];
            slo.draft.tiers = TierSource::List(tiers);
            slo.draft.terms.alerts.receivers = is_other.then(|| vec!["oncall".to_owned()]);
        });
        let (mut one, mut two) = (Run::new(other(false)), Run::new(other(false)));
        for (step, (bad, good, late, source)) in steps.into_iter().enumerate() {
            let source = [Source::Silent, Source::Alive, Source::Dead][usize::from(source)];
            let tick = (START + step as u64).saturating_sub(if late < 300 { late } else { 0 });
            for run in [&mut one, &mut two] {
                run.fleet.bring(0, tick, Delta { bad, total: bad + good, raw_bad: bad, raw_total: bad + good });
                run.ticks(1, (0, 0), source);
            }
            if step == when {
                two.redefine(vec![other(true)]);
            }
            prop_assert_eq!(one.status(), two.status(), "after tick {}", step);
        }
        prop_assert_eq!(one.events, two.events);
    }
}
