//! Instances over hours: what fires when, what it becomes, and that nothing depends on how ticks arrive. The numbers come
//! from the closed forms of `slo.md` 2.5.

mod corrections;
mod composites;
mod redefine;
mod signed;
mod slices;

use super::fleet::{Fleet, Limits};
use super::incident::{Event, Kind, Reason};
use super::status::State;
use super::sums::{Delta, Source};
use super::tiers::Phase;
use super::windows::Grid;
use crate::exact::{Decimal, Fraction};
use crate::spec::{
    Draft, EmptySlice, Expect, Globs, GroupBy, Method, Op, Period, Rate, Selector, Severity, Sli, Slo, Target, Terms,
    TierDraft, TierSource, TimeSpan,
};

/// 2026-03-01T00:00:00Z in ticks of 10 s.
const START: u64 = 177_232_320;
const LIMITS: Limits = Limits { instances_max: 100, memory_bytes_max: 1 << 30 };

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

fn tier(severity: Severity, long: u64, short: u64, factor: (u64, u64)) -> TierDraft {
    TierDraft {
        severity,
        long: TimeSpan(long),
        short: Some(TimeSpan(short)),
        rate: Rate::Factor(Fraction::new(factor.0, factor.1)),
        op: Op::Gt,
        hold: TimeSpan(0),
    }
}

/// 99.9 % over 30 d with a page (1h/5m) and a ticket (6h/30m).
pub(crate) fn promise() -> Slo {
    let target = Target::of(decimal("0.999")).expect("a target");
    let terms = Terms::usual(target, Period::Rolling(TimeSpan(30 * 86_400)));
    let tiers = vec![tier(Severity::Page, 3_600, 300, (144, 10)), tier(Severity::Ticket, 6 * 3_600, 1_800, (6, 1))];
    Slo {
        id: "availability".to_owned(),
        display_name: String::new(),
        description: String::new(),
        service: "rag_hub".to_owned(),
        labels: Default::default(),
        selector: Selector {
            tenant: Globs::of_tenants(["*"]),
            module: Globs::new(["*"]),
            operation: Globs::new(["*"]),
            group_by: GroupBy { tenant: true, module: true },
        },
        sli: Sli::Availability,
        method: Method::Occurrences,
        draft: Draft { terms, tiers: TierSource::List(tiers) },
        overrides: Vec::new(),
        instances_max: 2_000,
        owner: None,
        revision: "00000000".to_owned(),
    }
}

/// A fleet with one instance, driven tick by tick.
struct Run {
    fleet: Fleet,
    next: u64,
    events: Vec<Event>,
}

impl Run {
    fn new(slo: Slo) -> Self {
        let mut fleet = Fleet::new(vec![slo], Grid::LIVE, "store", LIMITS);
        assert_eq!(fleet.places_of(("acme", "rag_hub", "GET /a"), START), [0]);
        Self { fleet, next: START, events: Vec::new() }
    }

    /// So many ticks of so many bad ones of so many events each.
    fn ticks(&mut self, ticks: u64, (bad, total): (i64, i64), source: Source) -> Vec<(u64, Kind, Severity)> {
        let before = self.events.len();
        for _ in 0..ticks {
            let delta = Delta { bad, total, raw_bad: bad, raw_total: total };
            self.fleet.bring(0, self.next, delta);
            let told = self.fleet.close(self.next, |_, _| source);
            self.events.extend(told.into_iter().map(|(_, event)| event));
            self.next += 1;
        }
        self.events[before..].iter().map(|event| (event.at - START, event.kind, event.level)).collect()
    }

    fn quiet(&mut self, ticks: u64) -> Vec<(u64, Kind, Severity)> {
        self.ticks(ticks, (0, 100), Source::Silent)
    }

    fn state(&self) -> State {
        self.fleet.members()[0].instance.state()
    }
}

#[test]
fn an_outage_is_told_by_one_incident_that_ends_with_the_short_window() {
    let mut run = Run::new(promise());
    assert!(run.quiet(2_160).is_empty(), "six clean hours");
    // Long window: 0.001 x 14.4 x 3600 s = 51.84 s of outage: the sixth tick is over it. The ticket would need
    // 0.001 x 6 x 21600 s = 129.6 s: the thirteenth; it is part of the same incident and says nothing.
    assert_eq!(run.ticks(30, (100, 100), Source::Silent), [(2_166, Kind::Firing, Severity::Page)]);
    // 3,000 bad of 219,000: more than the 219 that so young a budget allows.
    assert_eq!(run.state(), State::Exhausted);
    assert_eq!(run.fleet.members()[0].instance.status().tiers[0].word, State::Critical);
    // The page ends when the short window is at most 1.44 % bad: 300 s after the last bad tick; the level falls two
    // minutes later. The ticket's short window holds until 1800 - 0.001 x 6 x 1800 s = 1789.2 s: 179 ticks; it fires
    // until then.
    let told = run.quiet(400);
    let page_clear = 2_190 + 30;
    let ticket_clear = 2_190 + 179;
    assert_eq!(
        told,
        [
            (page_clear + 12, Kind::Deescalated, Severity::Ticket),
            (ticket_clear + 12, Kind::Resolved(Reason::Recovered), Severity::Ticket),
        ]
    );
    let incident = run.fleet.members()[0].instance.incidents.current.as_ref().expect("one");
    assert_eq!((incident.opened - START, incident.ended.map(|(at, _)| at - START)), (2_166, Some(ticket_clear)));
    assert_eq!((incident.peak, incident.events.len()), (Severity::Page, 3));
    let chain: Vec<_> = incident.events.windows(2).map(|pair| pair[1].supersedes == Some(pair[0].id)).collect();
    assert_eq!(chain, [true, true]);
}

#[test]
fn a_page_does_not_resolve_because_data_stopped() {
    let mut run = Run::new(promise());
    run.quiet(2_160);
    run.ticks(30, (100, 100), Source::Silent);
    // Silence: nothing says whether it would have been heard. Both short windows run dry and cannot be told.
    assert!(run.ticks(300, (0, 0), Source::Silent).is_empty());
    assert_eq!(run.state(), State::Frozen);
    // It comes back well: the page's short window is measured again, and so it ends.
    let told = run.quiet(400);
    assert_eq!(told.last().map(|(_, kind, _)| *kind), Some(Kind::Resolved(Reason::Recovered)));
}

#[test]
fn a_source_that_is_alive_and_asked_nothing_ends_an_alert() {
    let mut run = Run::new(promise());
    run.quiet(2_160);
    run.ticks(30, (100, 100), Source::Alive);
    let told = run.ticks(2_500, (0, 0), Source::Alive);
    assert_eq!(told.last().map(|(_, kind, _)| *kind), Some(Kind::Resolved(Reason::NoTraffic)), "{told:?}");
}

#[test]
fn a_gap_of_ten_minutes_is_a_ticket() {
    let mut run = Run::new(promise());
    run.quiet(360);
    let told = run.ticks(100, (0, 0), Source::Dead);
    // Seen first after one tick, held for sixty.
    assert_eq!(told, [(360 + 1 + 60, Kind::NoData, Severity::Ticket)]);
    assert_eq!(run.quiet(20), [(460 + 1 + 12, Kind::Resolved(Reason::Recovered), Severity::Ticket)]);
}

#[test]
fn firing_again_within_ten_minutes_goes_on_with_the_same_incident() {
    let mut slo = promise();
    slo.draft.tiers = TierSource::List(vec![tier(Severity::Page, 3_600, 300, (144, 10))]);
    let mut run = Run::new(slo);
    run.quiet(2_160);
    run.ticks(30, (100, 100), Source::Silent);
    let ended = run.quiet(50);
    assert_eq!(ended.len(), 1);
    // The long window still holds the outage: two bad ticks put the short one over.
    let again = run.ticks(2, (100, 100), Source::Silent);
    assert_eq!(again.len(), 1);
    let current = run.fleet.members()[0].instance.incidents.current.as_ref().expect("one");
    assert_eq!((current.reopened, current.events.len(), current.ended), (1, 3, None));
    // Ten minutes after its end a new one begins.
    run.quiet(30 + 12 + 61);
    let first = current_id(&run);
    run.ticks(2, (100, 100), Source::Silent);
    assert_ne!(current_id(&run), first);
}

fn current_id(run: &Run) -> String {
    run.fleet.members()[0].instance.incidents.current.as_ref().expect("one").id.to_string()
}

#[test]
fn late_events_count_in_their_own_tick() {
    let mut run = Run::new(promise());
    run.quiet(720);
    run.fleet.bring(0, START + 700, Delta { bad: 50, total: 50, raw_bad: 50, raw_total: 50 });
    run.quiet(1);
    let status = run.fleet.members()[0].instance.status();
    // 721 ticks of 100 and the late 50.
    assert_eq!((status.period.sums.bad, status.period.sums.total), (50, 72_150));
    let short = status.tiers[0].short.expect("a short window");
    assert_eq!((short.sums.bad, short.sums.total), (50, 30 * 100 + 50));
    // Thirty ticks after it the late tick leaves the five minutes.
    run.quiet(10);
    let short = run.fleet.members()[0].instance.status().tiers[0].short.expect("a short window");
    assert_eq!((short.sums.bad, short.sums.total), (0, 3_000));
}

#[test]
fn budget_and_ratio_are_exact() {
    let mut run = Run::new(promise());
    run.quiet(999);
    run.ticks(1, (50, 100), Source::Silent);
    let status = run.fleet.members()[0].instance.status();
    // 100,000 events, 50 bad, 100 allowed.
    assert_eq!(status.budget.remaining.to_string(), "0.5");
    assert_eq!(
        (status.budget.allowed.to_string(), status.period.ratio().map(|r| r.to_string())),
        ("100".to_owned(), Some("0.9995".to_owned()))
    );
    assert_eq!(status.period.burn.map(|burn| burn.to_string()).as_deref(), Some("0.5"));
    run.ticks(1, (100, 100), Source::Silent);
    // 150 bad of 100,100 x 0.001 = 100.1 allowed: R = 1 - 150 / 100.1.
    let status = run.fleet.members()[0].instance.status();
    assert_eq!((status.budget.remaining.to_string().as_str(), status.state), ("-0.498501499", State::Exhausted));
}

#[test]
fn slices_are_judged_one_by_one() {
    // `slo.md` W7: (100,0) (100,10) (10,10) (0,0), a slice is good at 95 %.
    let slices = [(0, 100), (10, 100), (10, 10), (0, 0)];
    let read = |method: Method, empty: EmptySlice| {
        let mut slo = promise();
        slo.method = method;
        slo.draft.terms.no_data.empty_slice = empty;
        let mut run = Run::new(slo);
        for (bad, total) in slices {
            run.ticks(1, (bad, total), Source::Silent);
            run.ticks(5, (0, 0), Source::Silent);
        }
        let period = run.fleet.members()[0].instance.status().period;
        period.ratio().map(|ratio| ratio.to_string()).unwrap_or_default()
    };
    let slice = TimeSpan(60);
    let timeslices = Method::Timeslices { slice, target: decimal("0.95") };
    let ratios = Method::RatioTimeslices { slice };
    assert_eq!(read(Method::Occurrences, EmptySlice::Skip), "0.904761905");
    assert_eq!(read(timeslices, EmptySlice::Skip), "0.333333333");
    assert_eq!(read(timeslices, EmptySlice::Good), "0.5");
    assert_eq!(read(ratios, EmptySlice::Skip), "0.633333333");
    assert_eq!(read(ratios, EmptySlice::Good), "0.725");
}

#[test]
fn a_pending_tier_waits_as_long_as_it_says_and_starts_anew() {
    let mut slo = promise();
    let held = TierDraft { hold: TimeSpan(60), ..tier(Severity::Page, 3_600, 300, (144, 10)) };
    slo.draft.tiers = TierSource::List(vec![held]);
    let mut run = Run::new(slo);
    run.quiet(2_160);
    let told = run.ticks(20, (100, 100), Source::Silent);
    assert_eq!(told, [(2_166 + 6, Kind::Firing, Severity::Page)]);
    run.quiet(60);
    assert_eq!(run.fleet.members()[0].instance.tiers()[0].phase, Phase::Ok);
}

#[test]
fn without_traffic_for_its_time_to_live_an_instance_rests_and_begins_anew() {
    let mut slo = promise();
    slo.draft.terms.ttl = TimeSpan(7_200);
    let mut run = Run::new(slo);
    run.quiet(360);
    run.ticks(10, (100, 100), Source::Alive);
    // Two hours are 720 ticks; silence that nobody can judge holds the page until then.
    let told = run.ticks(722, (0, 0), Source::Silent);
    let end = 369 + 720 + 1;
    assert_eq!(told.last(), Some(&(end, Kind::Resolved(Reason::Expired), Severity::Page)), "{told:?}");
    assert!(run.fleet.members()[0].is_archived);
    run.quiet(3);
    let member = &run.fleet.members()[0];
    let status = member.instance.status();
    assert_eq!((member.is_archived, status.period.sums.total, status.period.sums.bad), (false, 300, 0));
    assert_eq!(status.born - START, 370 + 722, "what was before is not counted any more");
}

#[test]
fn a_pause_is_a_gap_and_a_long_one_a_new_beginning() {
    let mut run = Run::new(promise());
    run.quiet(360);
    // An hour of sleep, then ticks go on.
    run.next += 360;
    run.quiet(1);
    let sums = run.fleet.members()[0].instance.status().period.sums;
    assert_eq!((sums.ticks, sums.gaps, sums.total), (721, 360, 36_100));
    // A year of sleep: nothing of before is in any window.
    run.next += 365 * 8_640;
    run.quiet(1);
    let sums = run.fleet.members()[0].instance.status().period.sums;
    assert_eq!((sums.ticks, sums.gaps, sums.total), (1, 0, 100));
}

#[test]
fn nobody_is_told_of_missing_data_for_a_pause_of_those_who_count() {
    for expect in [Expect::Auto, Expect::Traffic] {
        let mut slo = promise();
        slo.draft.terms.no_data.expect = expect;
        let mut run = Run::new(slo);
        run.quiet(360);
        // An hour of sleep: six times `alertAfter`. Ticks go on, at first without traffic.
        run.next += 360;
        assert_eq!(run.ticks(6, (0, 0), Source::Alive), [], "{expect:?}");
        assert_eq!(run.quiet(10), [], "{expect:?}");
    }
}

#[test]
fn an_incident_keeps_its_first_event_and_the_latest() {
    let mut slo = promise();
    slo.draft.terms.alerts.repeat_every = TimeSpan(10);
    let mut run = Run::new(slo);
    run.quiet(60);
    run.ticks(400, (100, 100), Source::Alive);
    let incident = run.fleet.members()[0].instance.incidents.current.as_ref().expect("one");
    let (first, last) = (&incident.events[0], incident.events.last().expect("events"));
    assert_eq!((incident.events.len(), first.seq), (256, 1));
    assert!(last.seq > 380 && last.repeat + 2 > last.seq - 1, "{last:?}");
}

#[test]
fn slices_of_ratios_end_when_their_shortfalls_do() {
    // Half of every slice is bad: a burn of 0.5 / 0.1 = 5 over an hour of 60 slices, of which 6 may go.
    let mut slo = promise();
    slo.method = Method::RatioTimeslices { slice: TimeSpan(60) };
    slo.draft.tiers = TierSource::List(Vec::new());
    let terms = &mut slo.draft.terms;
    terms.target = Target::of(decimal("0.9")).expect("a target");
    (terms.period, terms.forecast.window) = (Period::Rolling(TimeSpan(3_600)), TimeSpan(600));
    let mut run = Run::new(slo);
    run.ticks(6 * 4, (50, 100), Source::Alive);
    let forecast = run.fleet.members()[0].instance.forecast();
    // Two of six are gone: R = 2/3, and R x 3600 s / 5 = 480 s.
    assert_eq!(forecast.constant.map(|seconds| seconds.to_string()).as_deref(), Some("480"));
}

#[test]
fn history_stays_within_its_bytes_and_the_latest_is_what_stays() {
    let limits = Limits { instances_max: 100, memory_bytes_max: 60_000 };
    let mut fleet = Fleet::new(vec![promise()], Grid::LIVE, "store", limits);
    for tenant in ["acme", "globex"] {
        fleet.places_of((tenant, "rag_hub", "GET /a"), START);
    }
    for tick in START..START + 20_000 {
        // Counts that pack badly, so that two days take more than there is room for.
        let total = 1 + (tick * 7_919 % 100_003) as i64;
        for place in 0..2 {
            fleet.bring(place, tick, Delta { bad: total / 9_999, total, raw_bad: 0, raw_total: total });
        }
        fleet.close(tick, |_, _| Source::Alive);
    }
    assert!(fleet.memory_bytes() <= 60_000 && fleet.refused().shed > 0, "{:?}", fleet.refused());
    for member in fleet.members() {
        let status = member.instance.status();
        let (from, to) = status.period_ticks;
        let kept: u64 = (from..to).map(|tick| 1 + tick * 7_919 % 100_003).sum();
        assert!(from > START && to == START + 20_000);
        assert_eq!((status.period.sums.total, u64::from(status.period.sums.ticks)), (kept, to - from));
    }
}
