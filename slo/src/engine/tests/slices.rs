//! Slices of SLIs that are no shares of events (`slo.md` 1.4).

use super::*;
use crate::spec::Amount;

fn amount(metric: &str) -> Amount {
    Amount { metric: metric.to_owned(), attributes: Vec::new() }
}

/// SLI and shortfall over slices of a minute, each brought by its first tick.
fn read(sli: Sli, method: Method, slices: &[(i64, i64)]) -> (String, String) {
    let mut slo = promise();
    (slo.sli, slo.method) = (sli, method);
    let mut run = Run::new(slo);
    for counts in slices {
        run.ticks(1, *counts, Source::Alive);
        run.ticks(5, (0, 0), Source::Alive);
    }
    let period = run.fleet.members()[0].instance.status().period;
    (period.ratio().map(|ratio| ratio.to_string()).unwrap_or_default(), period.bad().to_string())
}

const SLICE: TimeSpan = TimeSpan(60);

#[test]
fn a_slice_is_good_whose_quantile_is_at_most_the_threshold() {
    // q = 0.99: of 200 points 198 must be at or below the threshold; of 100, 99; of 99 all, since 98/99 < 0.99.
    let quantile = || Sli::Quantile { metric: None, q: decimal("0.99"), threshold: decimal("250000000") };
    let slices = [(2, 200), (3, 200), (1, 100), (1, 99), (0, 99), (0, 0)];
    let timeslices = |target: &str| Method::Timeslices { slice: SLICE, target: decimal(target) };
    let expected = ("0.6".to_owned(), "2".to_owned());
    // Its own target of a slice asks nothing more of a slice that is 1 or 0.
    for method in [timeslices("0.5"), timeslices("1"), Method::RatioTimeslices { slice: SLICE }] {
        assert_eq!(read(quantile(), method, &slices), expected, "{method:?}");
    }
}

#[test]
fn a_ratio_is_brought_in_units_of_its_eighth_decimal() {
    // Values 0.95, 0.5 and, of two points in one slice, 1 and 0.98: mean 0.99.
    let ratio = || Sli::Ratio { metric: amount("ready"), is_failure: false };
    let slices = [(5_000_000, 100_000_000), (50_000_000, 100_000_000), (2_000_000, 200_000_000)];
    let timeslices = Method::Timeslices { slice: SLICE, target: decimal("0.95") };
    assert_eq!(read(ratio(), timeslices, &slices), ("0.666666667".to_owned(), "1".to_owned()));
    // (0.95 + 0.5 + 0.99) / 3 = 2.44 / 3.
    let method = Method::RatioTimeslices { slice: SLICE };
    assert_eq!(read(ratio(), method, &slices), ("0.813333333".to_owned(), "0.56".to_owned()));
}

#[test]
fn a_late_event_makes_a_slice_before_birth_count_and_silence_there_does_not() {
    let counts = |empty: EmptySlice| {
        let mut slo = promise();
        slo.method = Method::Timeslices { slice: SLICE, target: decimal("0.95") };
        slo.draft.terms.no_data.empty_slice = empty;
        let mut run = Run::new(slo);
        run.ticks(6, (0, 1), Source::Alive);
        // Two slices before the first tick, of which one hears of a good event and of one that is taken back.
        for total in [5, 1, -1] {
            run.fleet.bring(0, START - 12, Delta { bad: 0, total, raw_bad: 0, raw_total: total });
        }
        run.ticks(6, (0, 1), Source::Alive);
        let sums = run.fleet.members()[0].instance.status().period.sums;
        (sums.bad, sums.total)
    };
    assert_eq!([EmptySlice::Skip, EmptySlice::Good, EmptySlice::Bad].map(counts), [(0, 3); 3]);
}
