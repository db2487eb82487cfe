//! Every vector of `sli.md` 2.1 and 2.2, every state, and the interval against simulated loss and sampling.

use super::*;
use crate::weight::Weight;

fn of(requests: u64) -> Option<Denominator> {
    Some(Denominator { requests, source: Source::DurationHistogram })
}

fn decimal(coverage: &Coverage, id: Id) -> Option<String> {
    coverage.get(id).ratio().and_then(|ratio| ratio.decimal(4))
}

/// Entries that all weigh the same, all settled.
fn weighing(weight: u64, (spans, linked): (u64, u64)) -> Counts {
    let weighed = Weight::of_units(weight << 32);
    Counts {
        entries: spans * weight,
        entry_spans: spans,
        sampled_entries: if weight > 1 { spans } else { 0 },
        weight_sum: spans * weighed.sixteenths(),
        weight_squares: spans * weighed.squared_sixteenths(),
        settled_entries: spans * weight,
        linked_entries: linked * weight,
        ..Counts::default()
    }
}

/// "400 requests, 97 entries, 303 declared drops: C1 1.0, C1r 0.2425."
#[test]
fn declared_drops_are_represented_and_not_retained() {
    let counts = Counts { denominator: of(400), declared_drops: 303, ..weighing(1, (97, 97)) };
    let coverage = figures(&counts);
    assert_eq!(decimal(&coverage, Id::C1).as_deref(), Some("1.0000"));
    assert_eq!(decimal(&coverage, Id::C1r).as_deref(), Some("0.2425"));
}

/// "D 1000, sum w(E) 980, linked 931, all settled: C1 0.98, C2 0.95, TC 0.931."
#[test]
fn the_headline_is_what_is_represented_and_linked() {
    let coverage = figures(&Counts { denominator: of(1_000), ..weighing(1, (980, 931)) });
    assert_eq!(decimal(&coverage, Id::C1).as_deref(), Some("0.9800"));
    assert_eq!(decimal(&coverage, Id::C2).as_deref(), Some("0.9500"));
    assert_eq!(decimal(&coverage, Id::Tc).as_deref(), Some("0.9310"));
    assert_eq!(coverage.headline.ratio, Some(Ratio::of(931, 1_000)));
    assert_eq!((coverage.headline.state, coverage.headline.reason), (State::Measured, None));
    assert_eq!(coverage.denominator_source.map(Source::name), Some("duration_histogram"));
}

/// "No D: TC unmeasured, C2 0.95."
#[test]
fn without_an_independent_count_the_headline_is_unmeasured() {
    let coverage = figures(&weighing(1, (980, 931)));
    assert_eq!(coverage.headline.state, State::Unmeasured);
    assert_eq!(coverage.headline.reason, Some(Reason::NoDenominator));
    assert_eq!((coverage.headline.ratio, coverage.headline.interval), (None, None));
    assert_eq!(coverage.headline.grade(950_000, 900_000), Grade::Undecided);
    for id in [Id::Tc, Id::C1, Id::C1r] {
        assert_eq!((coverage.get(id).state, coverage.get(id).ratio()), (State::Unmeasured, None), "{id:?}");
    }
    assert_eq!(decimal(&coverage, Id::C2).as_deref(), Some("0.9500"));
}

/// "(p 0.95, n 400: 0.92404 to 0.96740)"
#[test]
fn unsampled_requests_have_wilsons_interval() {
    let coverage = figures(&Counts { denominator: of(400), ..weighing(1, (380, 380)) });
    let interval = coverage.headline.interval.expect("measured");
    assert_eq!(format!("{:.5} to {:.5}", interval.low, interval.high), "0.92404 to 0.96740");
    assert!(!coverage.headline.low_confidence);
}

/// "with w(parent) > w(child) a share 1 - w(child)/w(parent) of parents is legitimately missing (10, 4: 0.6), only the
/// excess counts."
#[test]
fn parents_that_sampling_took_away_are_excused() {
    let [four, ten] = [4, 10].map(|weight| Weight::of_units(weight << 32));
    assert_eq!(missing_share_ppm(four, ten), 600_000);
    assert_eq!(missing_share_ppm(ten, four), 0);
    assert_eq!(missing_share_ppm(ten, ten), 0);
    // 1 000 children: 600 parents may be missing. 650 are, 50 of them without an excuse.
    let remote = Parents { named: 1_000, present: 350, excused: 600 };
    let local = Parents { named: 100, present: 100, excused: 0 };
    let coverage = figures(&Counts { parents: [local, remote, Parents::default()], ..Counts::default() });
    assert_eq!(coverage.parents, [Ratio::of(100, 100), Ratio::of(950, 1_000), Ratio::of(0, 0)]);
    assert_eq!(coverage.get(Id::C3).ratio(), Some(Ratio::of(1_050, 1_100)));
    // More may be missing than is: not more than all are there.
    assert_eq!(Parents { named: 10, present: 9, excused: 6 }.ratio(), Ratio::of(10, 10));
}

#[test]
fn more_than_1_05_entries_a_request_leave_no_headline() {
    let at_the_edge = figures(&Counts { denominator: of(1_000), ..weighing(1, (1_050, 1_050)) });
    assert_eq!(at_the_edge.headline.state, State::Measured);
    assert_eq!(at_the_edge.headline.ratio, Some(Ratio::of(1_000, 1_000)), "the headline is clamped");
    assert_eq!(at_the_edge.get(Id::C1).ratio(), Some(Ratio::of(1_050, 1_000)), "C1 is not");
    let above = figures(&Counts { denominator: of(1_000), ..weighing(1, (1_051, 1_051)) });
    assert_eq!(above.headline.state, State::DenominatorMismatch);
    assert_eq!(above.headline.reason, Some(Reason::EntriesExceedRequests));
    assert_eq!((above.headline.ratio, above.headline.interval), (None, None));
    assert_eq!(above.get(Id::C1).state, State::DenominatorMismatch);
    assert_eq!(above.get(Id::C1).ratio(), Some(Ratio::of(1_051, 1_000)));
    assert_eq!(above.get(Id::Tc).ratio(), None);
    let nothing_counted = figures(&Counts { denominator: of(0), ..weighing(1, (3, 3)) });
    assert_eq!(nothing_counted.headline.state, State::DenominatorMismatch);
    assert_eq!(nothing_counted.get(Id::C1).ratio(), None);
}

#[test]
fn entries_above_requests_within_the_scatter_of_sampling_are_no_mismatch() {
    // 11 kept of 1 000 at 1 %: 1.1, but 10 +- 3.2 are expected. 150 kept are not within it.
    let scattered = figures(&Counts { denominator: of(1_000), ..weighing(100, (11, 11)) });
    assert_eq!(scattered.headline.state, State::Measured);
    let wrong = figures(&Counts { denominator: of(1_000), ..weighing(100, (15, 15)) });
    assert_eq!(wrong.headline.state, State::Measured, "1 500 +- 759");
    let wrong = figures(&Counts { denominator: of(10_000), ..weighing(100, (150, 150)) });
    assert_eq!(wrong.headline.state, State::DenominatorMismatch, "15 000 +- 2 388");
}

#[test]
fn after_tail_sampling_there_is_no_headline_and_c2_and_c3_are_conditional() {
    let parents = [Parents { named: 10, present: 9, excused: 0 }; 3];
    let position = Position::PostTail;
    let counts = Counts { denominator: of(1_000), parents, position, ..weighing(1, (100, 95)) };
    let coverage = figures(&counts);
    assert_eq!((coverage.headline.state, coverage.headline.ratio), (State::Biased, None));
    assert_eq!(coverage.headline.reason, Some(Reason::TailSampled));
    assert_eq!(coverage.sampling, "biased");
    assert_eq!((coverage.get(Id::C1).state, coverage.get(Id::C1).ratio()), (State::Biased, None));
    assert_eq!(decimal(&coverage, Id::C1r).as_deref(), Some("0.1000"));
    assert_eq!(coverage.get(Id::C2).state, State::Conditional);
    assert_eq!(decimal(&coverage, Id::C2).as_deref(), Some("0.9500"));
    assert_eq!(coverage.get(Id::C3).state, State::Conditional);
    // Three times too many entries are no mismatch either: nothing is adjusted.
    let many = figures(&Counts { denominator: of(10), position, ..weighing(1, (100, 95)) });
    assert_eq!(many.headline.state, State::Biased);
}

#[test]
fn below_99_percent_attribution_figures_by_tenant_are_unreliable() {
    let counts = Counts { denominator: of(1_000), ..weighing(1, (980, 931)) };
    let state = |attributed, extent| {
        let attribution = Some(Ratio::of(attributed, 1_000));
        let delivery = Some(Ratio::of(9, 10));
        let coverage = figures(&Counts { attribution, delivery, extent, ..counts });
        (coverage.headline.state, coverage.get(Id::C6).state, coverage.get(Id::C7).state)
    };
    let (measured, unreliable) = (State::Measured, State::Unreliable);
    assert_eq!(state(990, Extent::TenantModule), (measured, measured, measured));
    assert_eq!(state(989, Extent::TenantModule), (unreliable, measured, measured));
    assert_eq!(state(989, Extent::Module), (measured, measured, measured));
    let coverage = figures(&Counts { attribution: Some(Ratio::of(9, 10)), ..counts });
    assert_eq!(coverage.headline.ratio, Some(Ratio::of(931, 1_000)), "shown with its state");
    assert_eq!(coverage.headline.reason, Some(Reason::Unattributed));
}

#[test]
fn nothing_counted_is_empty_and_nothing_that_could_count_is_unmeasured() {
    let coverage = figures(&Counts { denominator: of(0), edges: Some(Ratio::of(0, 0)), ..Counts::default() });
    assert_eq!((coverage.headline.state, coverage.headline.reason), (State::Empty, Some(Reason::NoRequests)));
    for id in [Id::Tc, Id::C1, Id::C1r, Id::C2, Id::C3, Id::C3t, Id::C4e, Id::C8] {
        assert_eq!((coverage.get(id).state, coverage.get(id).ratio()), (State::Empty, None), "{id:?}");
    }
    for id in [Id::C4, Id::C5, Id::C6, Id::C7] {
        assert_eq!((coverage.get(id).state, coverage.get(id).ratio()), (State::Unmeasured, None), "{id:?}");
    }
    assert!(coverage.headline.low_confidence);
}

#[test]
fn pairs_are_shown_as_they_were_counted() {
    let ratio = |n| Some(Ratio::of(n, 100));
    let counts = Counts {
        modules: ratio(1),
        edges: ratio(2),
        operations: ratio(3),
        attribution: ratio(100),
        delivery: ratio(104),
        time: Ratio::of(5, 100),
        traces: Ratio::of(6, 100),
        ..Counts::default()
    };
    let coverage = figures(&counts);
    for (id, n) in [(Id::C4, 1), (Id::C4e, 2), (Id::C5, 3), (Id::C6, 100), (Id::C7, 104), (Id::C8, 5), (Id::C3t, 6)] {
        assert_eq!(coverage.get(id).ratio(), ratio(n), "{id:?}");
        assert_eq!((coverage.get(id).id, Id::ALL[id as usize]), (id, id));
    }
}

#[test]
fn traces_that_were_not_judged_leave_both_sides() {
    // Half of the traces judged; all entries are represented, 470 of the 490 judged ones are linked.
    let counts = Counts {
        denominator: of(1_000),
        settled_entries: 490,
        linked_entries: 470,
        evaluated_ppm: 500_000,
        ..weighing(1, (980, 0))
    };
    let coverage = figures(&counts);
    assert_eq!(coverage.headline.ratio, Some(Ratio::of(470, 500)));
    assert_eq!(decimal(&coverage, Id::C1).as_deref(), Some("0.9800"));
    assert_eq!(coverage.evaluated_ppm, 500_000);
}

#[test]
fn entries_with_th_hold_declared_drops_already() {
    let counts = Counts { denominator: of(400), declared_drops: 300, ..weighing(4, (100, 100)) };
    let coverage = figures(&counts);
    assert_eq!(decimal(&coverage, Id::C1).as_deref(), Some("1.0000"));
    assert_eq!(decimal(&coverage, Id::C1r).as_deref(), Some("0.2500"));
    assert_eq!(coverage.sampling, "weighted");
    assert_eq!(figures(&weighing(1, (1, 1))).sampling, "exact");
}

#[test]
fn fewer_than_a_hundred_observations_are_no_breach() {
    let grade = |requests, weight, kept| {
        let coverage = figures(&Counts { denominator: of(requests), ..weighing(weight, (kept, kept)) });
        (coverage.headline.low_confidence, coverage.headline.grade(950_000, 900_000))
    };
    assert_eq!(grade(100, 1, 89), (false, Grade::Breach));
    assert_eq!(grade(100, 1, 90), (false, Grade::Warn));
    assert_eq!(grade(100, 1, 94), (false, Grade::Warn));
    assert_eq!(grade(100, 1, 95), (false, Grade::Good));
    assert_eq!(grade(99, 1, 50), (true, Grade::Warn));
    // 990 requests of which one in ten is kept: 99 observations.
    assert_eq!(grade(990, 10, 50), (true, Grade::Warn));
    assert_eq!(grade(1_000, 10, 50), (false, Grade::Breach));
    // Nothing arrives at all: that is a breach, not too little to say.
    assert_eq!(grade(1_000, 1, 0), (false, Grade::Breach));
}

#[test]
fn silent_loss_and_other_error_ratios_are_suspect() {
    let fine = Suspicion {
        represented: Ratio::of(900, 1_000),
        is_declared: false,
        span_errors: Ratio::of(30, 1_000),
        metric_errors: Ratio::of(60, 1_000),
    };
    assert!(!fine.is_suspect());
    let short = Suspicion { represented: Ratio::of(899, 1_000), ..fine };
    assert!(short.is_suspect());
    assert!(!Suspicion { is_declared: true, ..short }.is_suspect());
    assert!(Suspicion { metric_errors: Ratio::of(61, 1_000), ..fine }.is_suspect());
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Dice(u64);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Successes of `n` trials, by the gaps between them.
    fn binomial(&mut self, n: u64, p: f64) -> u64 {
        if p >= 1.0 {
            return n;
        }
        let (mut at, mut successes) = (0.0, 0);
        loop {
            at += (1.0 - self.uniform()).ln() / (1.0 - p).ln();
            at = at.floor() + 1.0;
            if at > n as f64 {
                return successes;
            }
            successes += 1;
        }
    }
}

/// `sli.md`, Proof 5: the truth is inside the interval in at least 94 % of 1 000 runs.
#[test]
fn the_truth_is_inside_the_interval_under_loss_and_head_sampling() {
    let mut dice = Dice(5);
    for weight in [1, 2, 10, 100] {
        for loss in [0.0, 0.01, 0.05, 0.2] {
            let truth = 1.0 - loss;
            let holds = (0..1_000).filter(|_| {
                let kept = dice.binomial(10_000, truth / weight as f64);
                let coverage = figures(&Counts { denominator: of(10_000), ..weighing(weight, (kept, kept)) });
                // Beyond three standard deviations sampling itself looks like a mismatch: none of the 94 %.
                let interval = coverage.headline.interval;
                interval.is_some_and(|interval| interval.low <= truth && truth <= interval.high)
            });
            let holds = holds.count();
            assert!(holds >= 940, "weight {weight}, loss {loss}: {holds} of 1000");
            assert!(weight > 1 || loss > 0.0 || holds == 1_000, "unsampled and whole: exact");
        }
    }
}
