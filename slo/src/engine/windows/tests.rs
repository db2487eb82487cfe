//! Windows against their ticks as a list.

use proptest::prelude::*;

use super::*;

fn add(bad: u64, total: u64) -> impl Fn(&mut Sums) {
    move |cell: &mut Sums| {
        cell.bad += u128::from(bad);
        cell.total += total;
    }
}

#[test]
fn a_window_up_to_an_hour_is_exact_and_a_longer_one_begins_at_a_minute() {
    let mut windows = Windows::new(Grid::LIVE, 600);
    let (hour, two) = (windows.open(Span::Last(360)), windows.open(Span::Last(720)));
    for tick in 600..600 + 725 {
        windows.close(Source::Silent);
        windows.change(tick, add(0, 1));
    }
    // 725 ticks have closed; the edge of two hours is tick 605, of whose minute all six are in.
    assert_eq!((windows.sums(hour).total, windows.sums(two).total), (360, 725));
    windows.close(Source::Silent);
    assert_eq!((windows.from(two), windows.sums(two).ticks), (606, 720));
}

/// Ticks as a list, with what corrections leave of them.
fn naive(cells: &[Sums], effects: &[Effect], from: u64, to: u64) -> Sums {
    let mut sums = Sums::default();
    for tick in from..to.min(cells.len() as u64) {
        let mut cell = cells[tick as usize];
        match effects.iter().find(|effect| effect.from <= tick && tick < effect.to) {
            None => sums.add(&cell),
            Some(effect) if effect.is_good => {
                (cell.bad, cell.raw_bad) = (0, 0);
                sums.add(&cell);
            }
            Some(_) => {}
        }
    }
    sums
}

#[test]
fn what_is_shed_leaves_all_windows_that_held_it() {
    for cell_ticks in [1, 6] {
        let mut windows = Windows::new(Grid { tick_s: 10, cell_ticks }, 0);
        let (hour, day) = (windows.open(Span::Last(360)), windows.open(Span::Last(8_640)));
        let all = windows.open(Span::Since(0));
        for tick in 0..4_800 {
            windows.close(Source::Alive);
            windows.change(tick, add(u64::from(tick % 7 == 0), tick % 11));
        }
        let sum = |from: u64| (from..4_800).map(|tick| tick % 11).sum::<u64>();
        assert_eq!((windows.sums(day).total, windows.sums(hour).total), (sum(0), sum(4_440)));
        let before = windows.memory_bytes();
        assert!(windows.shed() && windows.memory_bytes() < before);
        // An eighth of what is kept, in whole blocks: 576 ticks with either width.
        assert_eq!((windows.from(day), windows.sums(day).total, windows.sums(all).total), (576, sum(576), sum(576)));
        assert_eq!((windows.sums(hour).total, windows.sums(day).ticks), (sum(4_440), 4_224));
        // The window goes on: its edge is before what is kept for a while.
        windows.close(Source::Alive);
        assert_eq!((windows.from(day), windows.sums(day).ticks), (576, 4_225));
        while windows.shed() {}
        assert!(windows.sums(day).ticks >= 1_080, "two hours of late events and an hour are kept");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn windows_are_the_sums_of_their_ticks(
        steps in prop::collection::vec((0_u64..4, 0_u64..40, 0_u64..700, 0_u8..3), 1..1_600),
        spans in (1_u64..60, 300_u64..361, 361_u64..1_300),
        (cell_ticks, since) in (prop_oneof![Just(1_u64), Just(6)], 0_u64..900),
        correction in (0_u64..200, 1_u64..60, any::<bool>(), 0_usize..1_600),
    ) {
        let grid = Grid { tick_s: 10, cell_ticks };
        let mut windows = Windows::new(grid, 0);
        let mut model: Vec<Sums> = Vec::new();
        let spans = [spans.0, spans.1, spans.2];
        let places = spans.map(|ticks| windows.open(Span::Last(ticks)));
        let calendar = windows.open(Span::Since(0));
        let (first, minutes, is_good, when) = correction;
        let effect = Effect { from: first * 6, to: (first + minutes) * 6, is_good };
        let mut effects = Vec::new();
        for (step, (bad, good, late, source)) in steps.into_iter().enumerate() {
            let source = [Source::Silent, Source::Alive, Source::Dead][usize::from(source)];
            windows.close(source);
            model.push(Sums::tick(source));
            let tick = (step as u64).saturating_sub(if late > 600 { late } else { 0 });
            prop_assert!(windows.change(tick, add(bad, bad + good)));
            add(bad, bad + good)(&mut model[tick as usize]);
            if step == when {
                effects.push(effect);
                windows.correct(effects.clone());
            }
            let next = step as u64 + 1;
            for (ticks, place) in spans.iter().zip(places) {
                let edge = next.saturating_sub(*ticks);
                let edge = if *ticks > 360 { edge - edge % cell_ticks } else { edge };
                prop_assert_eq!(*windows.sums(place), naive(&model, &effects, edge, next), "{} at {}", ticks, next);
            }
            if next == since {
                windows.reopen(calendar, since.saturating_sub(100) / 6 * 6);
            }
            let from = if next >= since && since > 0 { since.saturating_sub(100) / 6 * 6 } else { 0 };
            prop_assert_eq!(*windows.sums(calendar), naive(&model, &effects, from, next), "calendar at {}", next);
        }
    }
}
