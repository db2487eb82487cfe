//! Changes that take back what was counted elsewhere: a tick may count less than nothing, a window never does.

use proptest::prelude::*;

use super::*;
use crate::engine::status::Observed;

/// `total - good`, where what is good may be told a tick before or after its total.
#[test]
fn what_one_tick_takes_back_the_next_may_bring() {
    let mut run = Run::new(promise());
    run.quiet(10);
    // 30 good ones too many, and 50 bad ones with the tick after them: 20.
    run.ticks(1, (-30, 0), Source::Alive);
    let page = |run: &Run| run.fleet.members()[0].instance.status().tiers[0].long;
    assert_eq!((page(&run).sums.bad, page(&run).ratio().map(|ratio| ratio.to_string())), (0, Some("1".to_owned())));
    run.ticks(1, (50, 100), Source::Alive);
    assert_eq!((page(&run).sums.bad, page(&run).sums.total), (20, 1_100));
    // What was seen since birth goes the same way.
    run.ticks(1, (0, -300), Source::Alive);
    run.ticks(1, (0, 400), Source::Alive);
    assert_eq!((run.fleet.members()[0].instance.status().seen, page(&run).sums.total), (1_200, 1_200));
}

type Counts = [i128; 4];

fn floored(ticks: &[Counts], from: u64) -> [u128; 4] {
    let sum = |place: usize| ticks.iter().skip(from as usize).map(|counts| counts[place]).sum::<i128>();
    std::array::from_fn(|place| u128::try_from(sum(place)).unwrap_or(0))
}

fn seen(observed: &Observed) -> [u128; 4] {
    let sums = &observed.sums;
    [sums.bad, sums.total.into(), sums.raw_bad.into(), sums.raw_total.into()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn in_any_order_a_window_is_the_exact_sum_of_its_ticks_and_at_least_nothing(
        steps in prop::collection::vec((-60_i64..60, -40_i64..90, 0_u64..900), 1..900),
    ) {
        let mut run = Run::new(promise());
        let mut model: Vec<Counts> = Vec::new();
        for (step, (bad, total, late)) in (0_u64..).zip(steps) {
            // A third of the changes are late, by up to two and a half hours: within the life of the instance.
            let tick = step.saturating_sub(if late < 300 { late * 3 } else { 0 });
            model.push([0; 4]);
            let delta = Delta { bad, total, raw_bad: -bad, raw_total: total - bad };
            let counts = [delta.bad, delta.total, delta.raw_bad, delta.raw_total];
            model[tick as usize].iter_mut().zip(counts).for_each(|(sum, count)| *sum += i128::from(count));
            run.fleet.bring(0, START + tick, delta);
            run.fleet.close(START + step, |_, _| Source::Alive);
            let (status, next) = (run.fleet.members()[0].instance.status(), step + 1);
            // Longer than an hour: it begins at a whole minute.
            let six_hours = next.saturating_sub(2_160);
            prop_assert_eq!(seen(&status.period), floored(&model, 0));
            prop_assert_eq!(seen(&status.tiers[0].long), floored(&model, next.saturating_sub(360)));
            prop_assert_eq!(status.tiers[0].short.as_ref().map(seen), Some(floored(&model, next.saturating_sub(30))));
            prop_assert_eq!(seen(&status.tiers[1].long), floored(&model, six_hours - six_hours % 6));
        }
    }
}
