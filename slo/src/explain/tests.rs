//! The figures of `slo.md` 8, each as the page has it.

mod documents;

use super::words::{length, percent};
use super::*;
use crate::exact::{Decimal, Fraction};
use crate::spec::{EmptySlice, Op, Preset, Severity, Target, Tier, TimeSpan, preset_tiers};

const DAY: u64 = 86_400;
const HOUR: u64 = 3_600;
const MONTH: u64 = 30 * DAY;

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

fn ratio(text: &str) -> Fraction {
    Fraction::of(decimal(text)).expect("not negative")
}

fn allowance(target: &str, period_s: u64) -> Allowance {
    Allowance { target: Target::of(decimal(target)).expect("a target"), period_s }
}

/// One window of so many seconds at T = 0.999 over 30 d.
fn single(long: u64, factor: u64, hold: u64) -> TierForms {
    let tier = Tier {
        severity: Severity::Page,
        long: TimeSpan(long),
        short: None,
        factor: Fraction::new(factor, 1),
        op: Op::Gt,
        hold: TimeSpan(hold),
    };
    TierForms { tier, allowance: allowance("0.999", MONTH) }
}

fn total_outage(forms: TierForms) -> Fires {
    forms.fires(Fraction::ONE).expect("it fits").expect("it fires")
}

mod w2 {
    use super::*;

    fn lasts(target: &str, burn: u64) -> Fraction {
        let lasts = allowance(target, MONTH).lasts(Fraction::ONE, Fraction::new(burn, 1));
        lasts.expect("it fits").expect("it ends")
    }

    #[test]
    fn a_full_budget_of_30_days_lasts_so_long() {
        for (burn, exact, shown) in [
            (1, "2592000", "30 d"),
            (2, "1296000", "15 d"),
            (10, "259200", "3 d"),
            (35, "518400/7", "about 20.571 h"),
            (1_000, "2592", "43 min 12 s"),
        ] {
            let seconds = lasts("0.999", burn);
            assert_eq!((seconds.to_string().as_str(), length(seconds).as_str()), (exact, shown), "burn {burn}");
        }
        assert_eq!(allowance("0.999", MONTH).lasts(Fraction::ONE, Fraction::ZERO), Ok(None));
    }

    #[test]
    fn five_nines_are_gone_in_26_seconds_of_total_outage() {
        let five = allowance("0.99999", MONTH);
        assert_eq!(five.largest_burn(), Fraction::new(100_000, 1));
        let seconds = lasts("0.99999", 100_000);
        assert_eq!((seconds.to_string().as_str(), length(seconds).as_str()), ("25.92", "25.92 s"));
        assert_eq!(five.bad_time(), Ok(seconds));
    }
}

mod w3 {
    use super::*;

    #[test]
    fn ten_minutes_at_burn_one_page_in_a_second() {
        let fires = total_outage(single(600, 1, 0));
        assert_eq!((fires.after, percent(fires.spent).as_str()), (ratio("0.6"), "0.0231 %"));
        assert_eq!(fires.spent, Fraction::new(1, 4_320));
    }

    #[test]
    fn thirty_six_hours_reset_just_under_36_hours_later() {
        let fires = total_outage(single(36 * HOUR, 1, 0));
        assert_eq!((fires.after, fires.resets_after), (ratio("129.6"), ratio("129470.4")));
        assert!(fires.resets_after < Fraction::new(36 * HOUR, 1));
    }

    #[test]
    fn an_hour_at_burn_36_misses_a_burn_of_35() {
        let tier = single(HOUR, 36, 0);
        let fires = total_outage(tier);
        assert_eq!((fires.after, fires.spent, fires.resets_after), (ratio("129.6"), ratio("0.05"), ratio("3470.4")));
        assert_eq!(tier.allowance.burn(ratio("0.035")), Ok(Fraction::new(35, 1)));
        assert_eq!(tier.fires(ratio("0.035")), Ok(None));
    }

    #[test]
    fn for_of_an_hour_fires_after_the_budget_is_spent() {
        let fires = total_outage(single(60, 1, HOUR));
        // The page's "1 h" and "138.9 %" are 3600.06 s and 138.8912037.. % without rounding.
        assert_eq!((fires.after, length(fires.after).as_str()), (ratio("3600.06"), "about 1 h"));
        assert_eq!(fires.spent.times(Fraction::new(100, 1)).and_then(|spent| spent.round(1)), Some(decimal("138.9")));
        // f L / P = 60 / 2592000, and 1000 x 3600 / 2592000 during `for`.
        assert_eq!(fires.spent, Fraction::new(60 + 3_600_000, 2_592_000));
    }

    /// `slo.md` 2.5, with a short window: the page tier of the 30 d preset at half of everything bad.
    #[test]
    fn the_short_window_crosses_first_and_ends_it() {
        let tier = Tier { short: Some(TimeSpan(300)), factor: ratio("14.4"), ..single(HOUR, 1, 0).tier };
        let forms = TierForms { tier, allowance: allowance("0.999", MONTH) };
        let fires = forms.fires(ratio("0.5")).expect("it fits").expect("it fires");
        // 0.0144 x 3600 / 0.5 = 103.68 s, 0.0144 x 300 / 0.5 = 8.64 s.
        assert_eq!((fires.long_after, fires.short_after), (ratio("103.68"), Some(ratio("8.64"))));
        assert_eq!((fires.resets_after, fires.spent), (ratio("291.36"), ratio("0.02")));
    }

    #[test]
    fn at_the_threshold_only_gte_fires() {
        let gt = single(HOUR, 36, 0);
        let gte = TierForms { tier: Tier { op: Op::Gte, ..gt.tier }, ..gt };
        assert_eq!(gt.fires(ratio("0.036")), Ok(None));
        // With just the threshold bad the window has to be full of it, and ends at the first good second.
        let fires = gte.fires(ratio("0.036")).expect("it fits").expect("it fires");
        assert_eq!((fires.after, fires.resets_after), (Fraction::new(HOUR, 1), Fraction::ZERO));
        assert_eq!(gte.fires(Fraction::ZERO), Ok(None));
    }
}

mod w7 {
    use super::*;

    const SLICES: [Slice; 4] = [
        Slice { total: 100, bad: 0 },
        Slice { total: 100, bad: 10 },
        Slice { total: 10, bad: 10 },
        Slice { total: 0, bad: 0 },
    ];

    fn slis(empty: EmptySlice) -> [(String, String); 3] {
        side_by_side(&SLICES, decimal("0.95"), empty).map(|figures| {
            let exact = figures.exact.expect("few slices are exact");
            (format!("{}/{}", exact.numerator(), exact.denominator()), figures.sli.expect("it counts").to_string())
        })
    }

    #[test]
    fn the_three_methods_make_three_things_of_the_same_slices() {
        let pairs = |pairs: [(&str, &str); 3]| pairs.map(|(one, other)| (one.to_owned(), other.to_owned()));
        let skip = [("19/21", "0.904761905"), ("1/3", "0.333333333"), ("19/30", "0.633333333")];
        assert_eq!(slis(EmptySlice::Skip), pairs(skip));
        let good = [("19/21", "0.904761905"), ("1/2", "0.5"), ("29/40", "0.725")];
        assert_eq!(slis(EmptySlice::Good), pairs(good));
        // With the empty one bad: one of four, and (1 + 0.9 + 0 + 0) / 4.
        let bad = [("19/21", "0.904761905"), ("1/4", "0.25"), ("19/40", "0.475")];
        assert_eq!(slis(EmptySlice::Bad), pairs(bad));
    }

    /// `slo.md` 2.3: good iff good/total >= timeSliceTarget.
    #[test]
    fn a_slice_on_its_target_is_good() {
        let slices = [Slice { total: 100, bad: 5 }, Slice { total: 100, bad: 6 }];
        let [_, figures, _] = side_by_side(&slices, decimal("0.95"), EmptySlice::Skip);
        assert_eq!(figures.exact, Some(Fraction::new(1, 2)));
    }

    #[test]
    fn each_method_burns_by_its_own_share() {
        let target = Target::of(decimal("0.95")).expect("a target");
        let figures = side_by_side(&SLICES, decimal("0.95"), EmptySlice::Good);
        let burns = figures.map(|figures| figures.burn(target).expect("it counts").to_string());
        // (2/21) / 0.05, (1/2) / 0.05, (11/40) / 0.05.
        assert_eq!(burns, ["1.904761905", "10", "5.5"].map(str::to_owned));
        let section = methods::section(&figures, target);
        assert_eq!(section.rows[2].text, "SLI 72.5 % of 4 slices, burn 5.5");
        assert_eq!(section.rows[0].text, "SLI 90.4762 % of 210 events, burn 1.904761905");
    }

    #[test]
    fn many_ratios_are_rounded_where_they_fit_no_fraction() {
        // The primes above 10,000 make a denominator of far more than 64 bits.
        let primes = [10_007, 10_009, 10_037, 10_039, 10_061, 10_067];
        let slices: Vec<_> = primes.iter().map(|total| Slice { total: *total, bad: 1 }).collect();
        let [_, _, figures] = side_by_side(&slices, decimal("0.95"), EmptySlice::Skip);
        // 1 - (1/10007 + .. + 1/10067) / 6 = 0.99990036480.. (Python's fractions).
        let sli = figures.sli.map(|sli| sli.to_string());
        assert_eq!((figures.exact, sli.as_deref()), (None, Some("0.999900365")));
    }

    #[test]
    fn without_events_nothing_counts() {
        let empty = [Slice { total: 0, bad: 0 }];
        let figures = side_by_side(&empty, decimal("0.95"), EmptySlice::Skip);
        assert!(figures.iter().all(|figures| figures.sli.is_none() && figures.exact.is_none()));
    }

    #[test]
    fn two_weeks_of_minutes_at_95_percent_allow_16_hours_48_minutes() {
        let allowance = allowance("0.95", 14 * DAY);
        let (slices, bad) = allowance.slices(60).expect("it fits");
        assert_eq!((slices, bad), (20_160, Fraction::new(1_008, 1)));
        let time = bad.times(Fraction::new(60, 1)).expect("it fits");
        assert_eq!((length(time).as_str(), allowance.bad_time()), ("16 h 48 min", Ok(time)));
        // RatioTimeslices: 99 % before, 1 % now.
        let ends = allowance.lasts_after(ratio("0.01"), ratio("0.99")).expect("it fits").expect("it ends");
        assert_eq!(ends, Fraction::new(5_760 * 60, 7));
        assert_eq!(length(Fraction::new(ends.numerator() / ends.denominator(), 1)), "13 h 42 min 51 s");
    }

    #[test]
    fn a_baseline_at_the_budget_leaves_nothing_and_a_pace_under_it_never_ends() {
        let allowance = allowance("0.95", 14 * DAY);
        assert_eq!(allowance.lasts_after(ratio("0.05"), ratio("0.06")), Ok(Some(Fraction::ZERO)));
        assert_eq!(allowance.lasts_after(ratio("0.01"), ratio("0.049")), Ok(None));
        // Without errors before it is R P / b: 14 d / 20.
        assert_eq!(allowance.lasts_after(Fraction::ZERO, Fraction::ONE), Ok(Some(Fraction::new(14 * DAY, 20))));
    }

    #[test]
    fn a_week_at_99_95_percent_allows_five_minutes() {
        let allowance = allowance("0.9995", 7 * DAY);
        assert_eq!(allowance.slices(60), Ok((10_080, ratio("5.04"))));
        assert_eq!(allowance.bad_time().ok().and_then(|time| time.over(Fraction::new(60, 1))), Some(ratio("5.04")));
    }
}

mod w8 {
    use super::*;

    #[test]
    fn only_the_first_tier_of_the_preset_is_unreachable_at_ninety_percent() {
        let forms = preset_tiers(Preset::Standard, MONTH)
            .into_iter()
            .map(|tier| TierForms { tier, allowance: allowance("0.9", MONTH) });
        let found: Vec<_> = forms
            .map(|forms| (forms.threshold().map(|threshold| threshold.to_string()), forms.is_reachable()))
            .collect();
        let expected = [("1.44", false), ("0.6", true), ("0.3", true), ("0.1", true)];
        let expected = expected.map(|(threshold, reachable)| (Ok(threshold.to_owned()), Ok(reachable)));
        assert_eq!(found, expected);
    }

    #[test]
    fn its_cure_and_a_total_outage() {
        let allowance = allowance("0.9", MONTH);
        // Factor 8 is the fix of 030: 8 x 3600 / 2592000.
        let eight = TierForms { allowance, ..single(HOUR, 8, 0) };
        let places = |share: Fraction| share.times(Fraction::new(100, 1)).and_then(|share| share.round(3));
        assert_eq!(eight.consumption().map(places), Ok(Some(decimal("1.111"))));
        assert_eq!(eight.is_reachable(), Ok(true));
        assert_eq!(allowance.largest_burn(), Fraction::new(10, 1));
        assert_eq!(allowance.spent(Fraction::new(10, 1), HOUR).map(places), Ok(Some(decimal("1.389"))));
    }

    #[test]
    fn burn_14_4_needs_a_target_over_93_0555_percent() {
        let tier = Tier { factor: ratio("14.4"), ..single(HOUR, 1, 0).tier };
        let at = |target: &str| TierForms { tier, allowance: allowance(target, MONTH) };
        assert_eq!(at("0.9").unreachable_up_to(), Some(Fraction::new(67, 72)));
        assert_eq!(Fraction::new(67, 72).floor(6), Some(decimal("0.930555")));
        assert_eq!((at("0.93055555").is_reachable(), at("0.93055556").is_reachable()), (Ok(false), Ok(true)));
    }
}

/// `slo.md` F1: R = 0.844444444 = 38/45, 2 % bad at T = 0.99.
#[test]
fn f1_constant_forecast() {
    let allowance = allowance("0.99", MONTH);
    let burn = allowance.burn(ratio("0.02")).expect("it fits");
    let lasts = allowance.lasts(Fraction::new(38, 45), burn).expect("it fits").expect("it ends");
    assert_eq!((burn, length(lasts).as_str()), (Fraction::new(2, 1), "12 d 16 h"));
}
