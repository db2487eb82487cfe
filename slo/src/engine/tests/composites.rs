//! Composites in the fleet: they are what their parts say, whatever happens to those.

use proptest::prelude::*;

use super::*;
use crate::engine::fleet::{Key, Member};
use crate::engine::status::Status;
use crate::engine::truth::Value;
use crate::engine::windows::Effect;
use crate::spec::{Calendar, CalendarUnit, Component, WhenUnmeasured};

const SLICE: TimeSpan = TimeSpan(60);

fn timeslices() -> Method {
    Method::Timeslices { slice: SLICE, target: decimal("0.95") }
}

fn component(slo: &str, weight: &str, when_unmeasured: WhenUnmeasured) -> Component {
    Component { slo: slo.to_owned(), module: None, weight: decimal(weight), when_unmeasured }
}

fn of(id: &str, module: &str, method: Method, ratio: &str) -> Slo {
    let mut slo = promise();
    (slo.id, slo.service, slo.method) = (id.to_owned(), module.to_owned(), method);
    slo.selector.module = Globs::new([module]);
    slo.draft.terms.target = Target::of(decimal(ratio)).expect("a target");
    slo.draft.tiers = TierSource::List(Vec::new());
    slo
}

/// `search`, `checkout` and `whole` of both, in module `shop`.
fn shop(method: Method, weights: [&str; 2], when: WhenUnmeasured) -> Vec<Slo> {
    let mut whole = of("whole", "shop", method, "0.9");
    whole.sli = Sli::Composite(vec![component("search", weights[0], when), component("checkout", weights[1], when)]);
    whole.draft.tiers = TierSource::List(vec![tier(Severity::Page, 3_600, 300, (2, 1))]);
    vec![of("search", "search", method, "0.9"), whole, of("checkout", "checkout", method, "0.99")]
}

/// A fleet that hears of both modules, driven tick by tick.
struct Shop {
    fleet: Fleet,
    next: u64,
    events: Vec<(u32, Event)>,
}

/// Bad ones and all of search and checkout.
type Both = [(i64, i64); 2];

impl Shop {
    fn new(slos: Vec<Slo>) -> Self {
        let mut shop = Self { fleet: Fleet::new(slos, Grid::LIVE, "store", LIMITS), next: START, events: Vec::new() };
        shop.ask();
        shop
    }

    fn ask(&mut self) -> [Vec<u32>; 2] {
        ["search", "checkout"].map(|module| self.fleet.places_of(("acme", module, "GET /a"), self.next))
    }

    fn bring(&mut self, tick: u64, both: Both) {
        for (slo, (bad, total)) in ["search", "checkout"].into_iter().zip(both) {
            let place = self.place(slo);
            self.fleet.bring(place, tick, Delta { bad, total, raw_bad: bad, raw_total: total });
        }
    }

    fn ticks(&mut self, ticks: u64, both: Both, source: Source) {
        for _ in 0..ticks {
            self.bring(self.next, both);
            self.events.extend(self.fleet.close(self.next, |_, _| source));
            self.next += 1;
        }
    }

    fn place(&self, slo: &str) -> u32 {
        let place = self.fleet.members().iter().position(|member| &*member.key.slo == slo);
        place.unwrap_or_else(|| panic!("no {slo}")) as u32
    }

    fn of(&self, slo: &str) -> &Member {
        &self.fleet.members()[self.place(slo) as usize]
    }

    fn whole(&self) -> Status {
        self.of("whole").instance.status()
    }

    fn sli(&self) -> String {
        self.whole().period.ratio().map(|ratio| ratio.to_string()).unwrap_or_default()
    }
}

#[test]
fn a_composite_is_made_once_with_the_first_of_its_parts_and_no_series_is_its_own() {
    let mut shop = Shop::new(shop(Method::Occurrences, ["1", "1"], WhenUnmeasured::Freeze));
    assert_eq!(shop.ask(), [vec![0], vec![2]], "a series is brought to parts only");
    let keys: Vec<String> =
        shop.fleet.members().iter().map(|member| format!("{}/{}", member.key.slo, member.key.module)).collect();
    assert_eq!(keys, ["search/search", "whole/shop", "checkout/checkout"]);
    assert!(shop.fleet.places_of(("acme", "shop", "GET /a"), START).is_empty());
    assert!(shop.fleet.places_of(("globex", "other", "GET /a"), START).is_empty());
    assert_eq!(shop.fleet.instances(), 3);
}

#[test]
fn parts_of_many_modules_have_a_composite_in_each() {
    let mut slos = shop(Method::Occurrences, ["1", "1"], WhenUnmeasured::Freeze);
    slos.iter_mut().for_each(|slo| slo.selector.module = Globs::new(["*"]));
    let shop = Shop::new(slos);
    let wholes = shop.fleet.members().iter().filter(|member| &*member.key.slo == "whole");
    assert_eq!(wholes.map(|member| &*member.key.module).collect::<Vec<_>>(), ["search", "checkout"]);
}

#[test]
fn a_tenant_without_the_composite_or_of_another_owner_has_none() {
    let mut slos = shop(Method::Occurrences, ["1", "1"], WhenUnmeasured::Freeze);
    slos[1].owner = Some("globex".to_owned());
    assert_eq!(Shop::new(slos.clone()).fleet.instances(), 2);
    (slos[1].owner, slos[1].selector.tenant) = (None, Globs::of_tenants(["globex"]));
    assert_eq!(Shop::new(slos).fleet.instances(), 2);
}

#[test]
fn what_is_left_lasts_as_the_sum_of_burns_says() {
    let mut shop = Shop::new(shop(Method::Occurrences, ["0.5", "0.1"], WhenUnmeasured::Freeze));
    // search: 0.02 / 0.1 = 0.2; checkout: 0.01 / 0.01 = 1. Together 0.1 + 0.1 = 0.2, and 0.8 x 30 d / 0.2 = 120 d.
    shop.ticks(100, [(2, 100), (1, 100)], Source::Alive);
    let (status, forecast) = (shop.whole(), shop.of("whole").instance.forecast());
    assert_eq!((status.budget.remaining.to_string(), status.seen), ("0.8".to_owned(), 20_000));
    assert_eq!(forecast.constant.map(|seconds| seconds.rounded(0)), Some(120 * 86_400));
    assert_eq!((forecast.rolling, status.budget.is_low_traffic), (None, false));
    assert_eq!(status.period.burn.map(|burn| burn.to_string()).as_deref(), Some("0.2"));
}

#[test]
fn a_part_that_rests_is_not_measured_and_is_heard_again_when_it_wakes() {
    for (when, value) in [(WhenUnmeasured::Freeze, Value::Unmeasured), (WhenUnmeasured::Ignore, Value::Measured)] {
        let mut slos = shop(Method::Occurrences, ["1", "1"], when);
        slos[0].draft.terms.ttl = TimeSpan(3_600);
        let mut shop = Shop::new(slos);
        shop.ticks(30, [(10, 100), (0, 100)], Source::Alive);
        assert_eq!(shop.sli(), "0.9");
        shop.ticks(400, [(0, 0), (0, 100)], Source::Alive);
        assert!(shop.of("search").is_archived);
        assert_eq!((shop.sli(), shop.whole().period.value), ("1".to_owned(), value));
        // A quarter of what is new is bad, and nothing of before is counted.
        shop.ticks(30, [(25, 100), (0, 100)], Source::Alive);
        assert_eq!((shop.sli(), shop.whole().period.value), ("0.75".to_owned(), Value::Measured));
    }
}

#[test]
fn a_pause_is_a_gap_of_the_composite_too_and_holds_its_page() {
    for method in [Method::Occurrences, timeslices()] {
        let mut shop = Shop::new(shop(method, ["1", "1"], WhenUnmeasured::Freeze));
        shop.ticks(60, [(0, 100), (0, 100)], Source::Alive);
        shop.ticks(60, [(90, 100), (90, 100)], Source::Alive);
        let told = shop.events.len();
        assert_eq!((told, shop.events[0].1.kind, shop.events[0].0), (1, Kind::Firing, 1));
        shop.next += 200;
        shop.ticks(1, [(0, 100), (0, 100)], Source::Alive);
        let sums = shop.whole().period.sums;
        assert_eq!((sums.ticks, sums.gaps), (321, 200));
        assert_eq!((shop.of("whole").instance.state(), shop.whole().next), (State::Frozen, shop.next));
        assert!(shop.events[told..].iter().all(|(_, event)| event.kind == Kind::NoData), "{:?}", shop.events);
    }
}

#[test]
fn a_pause_is_no_time_in_which_a_composite_was_seen_to_burn() {
    let mut slos = shop(Method::Occurrences, ["1", "1"], WhenUnmeasured::Freeze);
    let held = TierDraft { hold: TimeSpan(600), ..tier(Severity::Page, 3_600, 300, (2, 1)) };
    slos[1].draft.tiers = TierSource::List(vec![held]);
    let mut shop = Shop::new(slos);
    shop.ticks(60, [(0, 100), (0, 100)], Source::Alive);
    shop.ticks(20, [(90, 100), (90, 100)], Source::Alive);
    let before = shop.of("whole").instance.tiers()[0].phase;
    assert!(matches!(before, Phase::Pending(_)), "{before:?}");
    shop.next += 55;
    shop.ticks(1, [(90, 100), (90, 100)], Source::Alive);
    assert_eq!((shop.of("whole").instance.tiers()[0].phase, shop.events.len()), (before, 0));
}

#[test]
fn a_calendar_composite_begins_anew_with_its_own_month_whatever_its_parts_count() {
    let mut slos = shop(Method::Occurrences, ["1", "1"], WhenUnmeasured::Freeze);
    let day = |count: u32| {
        let start = "2026-02-28T02:00:00".parse().expect("a date");
        Period::Calendar(Calendar { start, count, unit: CalendarUnit::Day, zone: jiff::tz::TimeZone::UTC })
    };
    slos[1].draft.terms.period = day(1);
    // Another begins at the same moment and lasts four days.
    let mut longer = Slo { id: "longer".to_owned(), ..slos[1].clone() };
    longer.draft.terms.period = day(4);
    slos.push(longer);
    let mut shop = Shop::new(slos);
    // Two hours to the new day: all of them bad for search.
    shop.ticks(720, [(100, 100), (0, 100)], Source::Alive);
    assert_eq!(shop.sli(), "0");
    shop.ticks(100, [(0, 100), (0, 100)], Source::Alive);
    assert_eq!((shop.sli(), shop.whole().period.sums.total), ("1".to_owned(), 20_000));
    assert_eq!(shop.of("search").instance.status().period.sums.total, 82_000);
    assert_eq!(shop.of("longer").instance.status().period.sums.total, 164_000);
}

/// Search is bad for 12 ticks, two whole slices.
fn after_an_outage(method: Method) -> Shop {
    let mut shop = Shop::new(shop(method, ["1", "0.1"], WhenUnmeasured::Freeze));
    shop.ticks(60, [(0, 100), (0, 100)], Source::Alive);
    shop.ticks(12, [(100, 100), (0, 100)], Source::Alive);
    shop.ticks(48, [(0, 100), (0, 100)], Source::Alive);
    shop
}

#[test]
fn what_is_corrected_of_a_part_is_corrected_of_the_whole_and_told_before() {
    let outage = Effect { from: START + 60, to: START + 72, is_good: false };
    let effects = move |key: &Key| if &*key.slo == "search" { vec![outage] } else { Vec::new() };
    // 12 of 120 ticks, or 2 of 20 slices.
    for method in [Method::Occurrences, timeslices(), Method::RatioTimeslices { slice: SLICE }] {
        let mut shop = after_an_outage(method);
        assert_eq!(shop.sli(), "0.9", "{method:?}");
        let place = shop.place("whole");
        let (before, after) = shop.fleet.try_corrections(place, effects);
        assert_eq!((before, shop.sli()), (shop.of("whole").instance.standing(), "0.9".to_owned()));
        assert!(before.bad.numerator > 0 && after.bad.numerator == 0, "{method:?} {after:?}");
        shop.fleet.set_corrections(effects);
        assert_eq!((shop.sli(), shop.of("whole").instance.standing()), ("1".to_owned(), after), "{method:?}");
        shop.ticks(1, [(0, 100), (0, 100)], Source::Alive);
        assert_eq!(shop.sli(), "1");
    }
}

#[test]
fn a_correction_of_a_part_is_why_the_incident_of_the_whole_ends() {
    for method in [Method::Occurrences, timeslices()] {
        let mut shop = Shop::new(shop(method, ["1", "1"], WhenUnmeasured::Freeze));
        shop.ticks(60, [(0, 100), (0, 100)], Source::Alive);
        shop.ticks(30, [(100, 100), (0, 100)], Source::Alive);
        assert!(shop.of("whole").instance.open_incident().is_some());
        let outage = Effect { from: START + 60, to: START + 90, is_good: true };
        shop.fleet.set_corrections(move |key| if &*key.slo == "search" { vec![outage] } else { Vec::new() });
        shop.ticks(20, [(0, 100), (0, 100)], Source::Alive);
        let last = shop.events.last().map(|(place, event)| (*place, event.kind));
        assert_eq!(last, Some((1, Kind::Resolved(Reason::Correction))), "{method:?}");
    }
}

#[test]
fn slices_that_a_part_cannot_tell_any_more_stay_as_they_were_judged() {
    let mut shop = after_an_outage(timeslices());
    let mut slos: Vec<Slo> = shop.fleet.slos().iter().map(|slo| (**slo).clone()).collect();
    slos[0].sli = Sli::Latency { threshold_ns: 1, failures_are_slow: false };
    shop.fleet.redefine(slos);
    assert_eq!((shop.sli(), shop.whole().period.sums.total), ("0.9".to_owned(), 20));
    shop.ask();
    shop.fleet.set_corrections(|_| vec![Effect { from: 0, to: START, is_good: false }]);
    assert_eq!((shop.sli(), shop.whole().period.sums.total), ("0.9".to_owned(), 20));
    shop.ticks(60, [(0, 100), (0, 100)], Source::Alive);
    assert_eq!((shop.sli(), shop.whole().period.sums.total), ("0.933333333".to_owned(), 30));
}

#[test]
fn another_target_of_a_part_is_asked_at_once_and_other_parts_begin_a_generation() {
    let mut shop = after_an_outage(Method::Occurrences);
    // search burns 0.1 / 0.1 = 1.
    assert_eq!(shop.whole().period.burn.map(|burn| burn.to_string()).as_deref(), Some("1"));
    let mut slos: Vec<Slo> = shop.fleet.slos().iter().map(|slo| (**slo).clone()).collect();
    slos[0].draft.terms.target = Target::of(decimal("0.8")).expect("a target");
    assert!(shop.fleet.redefine(slos.clone()).is_empty());
    assert_eq!(shop.whole().period.burn.map(|burn| burn.to_string()).as_deref(), Some("0.5"));
    assert_eq!((shop.of("whole").is_gone, shop.of("whole").is_archived), (false, false));
    // Another weight is another SLI; the windows of the parts are what they were, so that it says something at once.
    slos[1].sli = Sli::Composite(vec![component("search", "3", WhenUnmeasured::Freeze)]);
    slos[1].revision = "22222222".to_owned();
    let ended = shop.fleet.redefine(slos.clone());
    assert!(ended.iter().all(|(place, event)| (*place, event.kind) == (1, Kind::Resolved(Reason::SloChanged))));
    assert_eq!((shop.place("whole"), &*shop.of("whole").generation, shop.fleet.instances()), (1, "22222222", 3));
    shop.ticks(1, [(0, 0), (0, 100)], Source::Alive);
    assert!(shop.of("whole").is_archived, "it rests until its part hears something");
    shop.ticks(1, [(0, 100), (0, 100)], Source::Alive);
    let status = shop.whole();
    // 3 x 1,200 / 12,100 / 0.2.
    assert_eq!(status.period.burn.map(|burn| burn.to_string()).as_deref(), Some("1.487603306"));
    assert_eq!(status.born, shop.next - 1);
    // Without the composite its parts are what they are without it.
    slos.remove(1);
    shop.fleet.redefine(slos.clone());
    assert!(shop.of("whole").is_gone && shop.fleet.instances() == 2);
    let windows = |shop: &Shop| shop.of("search").instance.windows.len();
    assert_eq!(windows(&shop), shop.of("search").instance.own_windows);
}

#[test]
fn a_part_of_another_generation_is_found_again() {
    let mut shop = after_an_outage(Method::Occurrences);
    let mut slos: Vec<Slo> = shop.fleet.slos().iter().map(|slo| (**slo).clone()).collect();
    slos[0].sli = Sli::Latency { threshold_ns: 1, failures_are_slow: false };
    shop.fleet.redefine(slos);
    shop.ask();
    assert_eq!(shop.whole().period.value, Value::Unmeasured);
    shop.ticks(10, [(20, 100), (0, 100)], Source::Alive);
    assert_eq!((shop.sli(), shop.whole().period.value), ("0.8".to_owned(), Value::Measured));
}

/// What a model counts of one part: bad and all by tick.
type Ticks = Vec<(i64, i64)>;

fn sum(ticks: &[(i64, i64)], from: usize) -> (i64, i64) {
    ticks[from.min(ticks.len())..].iter().fold((0, 0), |(bad, total), tick| (bad + tick.0, total + tick.1))
}

/// Whether two numbers differ by less than a billionth of a billionth.
fn is_near(found: f64, exact: f64) -> bool {
    (found - exact).abs() < 1e-12
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_composite_is_the_sum_of_its_parts_whenever_their_events_come(
        steps in prop::collection::vec(((0_i64..9, 1_i64..90), (0_i64..9, 1_i64..90), 0_u64..900), 30..900),
    ) {
        let [mut events, mut slices] = [Method::Occurrences, timeslices()]
            .map(|method| Shop::new(shop(method, ["0.7", "0.3"], WhenUnmeasured::Freeze)));
        let mut model: [Ticks; 2] = [Vec::new(), Vec::new()];
        for (step, (search, checkout, late)) in (0_u64..).zip(steps) {
            let tick = step.saturating_sub(if late < 300 { late } else { 0 });
            let both = [(search.0, search.0 + search.1), (checkout.0, checkout.0 + checkout.1)];
            for (ticks, (bad, total)) in model.iter_mut().zip(both) {
                ticks.push((0, 0));
                let at = &mut ticks[tick as usize];
                *at = (at.0 + bad, at.1 + total);
            }
            for shop in [&mut events, &mut slices] {
                shop.bring(START + tick, both);
                shop.ticks(1, [(0, 0), (0, 0)], Source::Alive);
            }
            // 0.7 x e / 0.1 + 0.3 x e / 0.01, of the hour and of all.
            let burn = |from: usize| {
                let parts = [(&model[0], 0.7 / 0.1), (&model[1], 0.3 / 0.01)];
                parts.iter().map(|(ticks, by)| { let (bad, total) = sum(ticks, from); bad as f64 / total as f64 * by }).sum::<f64>()
            };
            let status = events.whole();
            let found = |observed: &crate::engine::status::Observed| observed.burn.map_or(0.0, |burn| burn.as_f64());
            let hour = (step as usize + 1).saturating_sub(360);
            prop_assert!(is_near(found(&status.period), burn(0)), "{} {}", found(&status.period), burn(0));
            prop_assert!(is_near(found(&status.tiers[0].long), burn(hour)));
            let bad_slices = (6..=model[0].len()).step_by(6).filter(|end| {
                let is_bad = |ticks: &Ticks| { let (bad, total) = sum(&ticks[..*end], end - 6); bad * 100 > total * 5 };
                model.iter().any(is_bad)
            });
            let empty = (6..=model[0].len()).step_by(6).filter(|end| model.iter().all(|ticks| sum(&ticks[..*end], end - 6).1 == 0));
            let sums = slices.whole().period.sums;
            let expected = (bad_slices.count() as u128, (model[0].len() / 6 - empty.count()) as u64);
            prop_assert_eq!((sums.bad, sums.total), expected);
            prop_assert!(slices.of("search").instance.judged().len() <= 2, "what was judged is told once");
        }
    }
}
