//! The forecast against the page's vector and against a scan that knows no hours.

use proptest::prelude::*;

use super::super::counting::Counting;
use super::super::instance::Input;
use super::super::sums::{Delta, Source};
use super::super::windows::Grid;
use super::*;
use crate::spec::{Period, Target, Terms, TimeSpan};

const MINUTES: Grid = Grid { tick_s: 60, cell_ticks: 1 };
const DAY: u64 = 86_400;

/// An instance of so many seconds that counted `(bad, total)` in each of its ticks.
fn instance(target: &str, (period_s, window_s): (u64, u64), grid: Grid, ticks: &[(i64, i64)]) -> Instance {
    let target = Target::of(target.parse().expect("a decimal")).expect("a target");
    let mut terms = Terms::usual(target, Period::Rolling(TimeSpan(period_s)));
    terms.forecast.window = TimeSpan(window_s);
    let first = 1_000_000_u64.next_multiple_of(grid.cell_ticks);
    let mut instance = Instance::new(terms, Counting::OCCURRENCES, grid, (String::new(), first));
    for (tick, (bad, total)) in (first..).zip(ticks) {
        let delta = Delta { bad: *bad, total: *total, raw_bad: *bad, raw_total: *total };
        instance.tick(&Input { source: Source::Alive, changes: vec![(tick, delta)] });
    }
    instance
}

/// `slo.md` F1: T = 0.99, P = 30 d, 1 request a second; all bad in the hour that began 20 d ago, 2 % in the last 6 h.
#[test]
fn a_bad_hour_leaves_before_the_budget_is_spent() {
    let minute = |minute: u64| match minute {
        14_400..14_460 => (60, 60),
        // 2 % of 60 are 1.2: six in five minutes.
        42_840.. => (if minute.is_multiple_of(5) { 2 } else { 1 }, 60),
        _ => (0, 60),
    };
    let ticks: Vec<_> = (0..43_200).map(minute).collect();
    let instance = instance("0.99", (30 * DAY, 6 * 3_600), MINUTES, &ticks);
    let forecast = instance.forecast();
    assert_eq!(instance.status().budget.remaining.to_string(), "0.844444444");
    assert_eq!(forecast.constant.map(|seconds| seconds.to_string()), Some((12 * DAY + 16 * 3_600).to_string()));
    assert_eq!(forecast.rolling, Some(14 * DAY + 18 * 3_600));
    // 432 bad in 6 h, isqrt 20. The bad hour is gone after 10 d; then 25,920 - 432 = 25,488 more spend the budget:
    // at 472 in 6 h that is 54 x 6 h, at 392 it is 65.0204.. x 6 h = 1,404,440.8 s, which is over in minute 23,408.
    assert_eq!(forecast.earliest, Some(54 * 6 * 3_600));
    assert_eq!(forecast.latest, Some(23_408 * 60));
}

#[test]
fn few_bad_events_may_be_none_and_no_more_than_all() {
    // One bad of 360 in the last 6 h: 1 + 2 or none at all.
    let mut ticks = vec![(0, 1); 1_440];
    ticks[1_400].0 = 1;
    let forecast = instance("0.99", (DAY, 6 * 3_600), MINUTES, &ticks).forecast();
    // beta x 1440 = 14.4: 15 are needed. At 3 in 360 min, the first one still there: 14 / 3 x 360 = 1680 min > 1 d.
    assert_eq!((forecast.earliest, forecast.rolling, forecast.latest), (None, None, None));
    // All bad from a clean day on: more than all cannot be, so the earliest is the expected one. At 60 bad after an hour
    // of 1440 allowed 144: 84 min more.
    let mut ticks = vec![(0, 1); 1_440];
    ticks[1_380..].fill((1, 1));
    let forecast = instance("0.9", (DAY, 3_600), MINUTES, &ticks).forecast();
    assert_eq!((forecast.earliest, forecast.rolling), (Some(84 * 60), Some(84 * 60)));
    // 60 - 2 x 7 = 46 an hour: 84 x 60 / 46 = 109.6 min.
    assert_eq!(forecast.latest, Some(110 * 60));
}

/// A window of an hour begins at any tick, cells of a minute leave whole: what had left before must not leave again.
#[test]
fn an_hour_whose_errors_are_over_has_no_forecast() {
    // All bad until an hour ago, then good; it is 50 s into a minute.
    let mut ticks = vec![(10, 10); 65];
    ticks.extend(vec![(0, 10); 360]);
    let forecast = instance("0.9", (3_600, 600), Grid::LIVE, &ticks).forecast();
    assert_eq!((forecast.rolling, forecast.latest), (None, None));
}

/// The first minute as the page defines it, each counted anew.
fn by_minutes(instance: &Instance, rates: &Rates) -> Option<u64> {
    let (now, tick_s) = (instance.next() * instance.grid.tick_s, instance.grid.tick_s);
    let period_s = instance.period_seconds();
    let mut minutes = (now.next_multiple_of(60)..=now + period_s).step_by(60);
    let found = minutes.find(|at| {
        let past = instance.windows.count((at.saturating_sub(period_s)) / tick_s, instance.next());
        let future = u128::from(at - now);
        let bad = past.bad * rates.seconds + rates.bad * future;
        let total = u128::from(past.total) * rates.seconds + rates.total * future;
        total > 0 && bad * ONE >= u128::from(instance.terms.target.beta()) * total
    });
    found.map(|at| at - now)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn hours_miss_no_minute(
        pieces in prop::collection::vec((1_usize..200, 0_i64..4, 0_i64..12), 1..12),
        target in prop::sample::select(vec!["0.9", "0.7", "0.99"]),
        grid in prop::sample::select(vec![MINUTES, Grid::LIVE]),
    ) {
        let ticks: Vec<_> =
            pieces.iter().flat_map(|(ticks, bad, good)| vec![(*bad, bad + good); *ticks]).collect();
        let instance = instance(target, (4 * 3_600, 1_200), grid, &ticks);
        let forecast = instance.forecast();
        prop_assert_eq!(forecast.rolling, by_minutes(&instance, &instance.rates()));
        let never = u64::MAX;
        prop_assert!(forecast.earliest.unwrap_or(never) <= forecast.rolling.unwrap_or(never));
        prop_assert!(forecast.rolling.unwrap_or(never) <= forecast.latest.unwrap_or(never));
    }
}
