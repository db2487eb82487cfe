//! Composites (`slo.md` 2.3): SLOs that are told by what other instances of the same tenant counted, not by events of
//! their own. What parts say together is decided here; which they are and when they are asked is `assembly`'s.
//!
//! Occurrences: burn = sum w b over the parts. RatioTimeslices: error = sum w e. Both are told window by window; shortfalls
//! are rounded down to 2^-64. Timeslices: a slice is bad if it is for any part; such slices are counted as others are.

use super::fleet::Key;
use super::instance::Instance;
use super::tiers::Unit;
use super::truth::Value;
use crate::exact::{Fraction, Quotient};
use crate::saved;
use crate::spec::{EmptySlice, Method, Target, WhenUnmeasured};

const ONE: u128 = 100_000_000;
/// All of it, in 2^-64.
const WHOLE: u128 = 1 << 64;

/// A part of one composite instance.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Who it is.
    pub(super) key: Key,
    /// Where it is; `None`: there is no such instance.
    pub(super) place: Option<u32>,
    /// By place of the composite's windows: the windows of the part that are like them.
    pub(super) windows: Vec<usize>,
    /// What it promises.
    pub(super) target: Target,
    pub(super) weight: Fraction,
    pub(super) when: WhenUnmeasured,
}

saved!(struct Part { key, place, windows, target, weight, when });

/// What one part says of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice {
    pub(super) value: Value,
    /// Its error ratio in 2^-64, rounded down.
    pub(super) error: u128,
    /// What it counted.
    pub(super) total: u64,
    /// What its error is multiplied by.
    pub(super) by: (Fraction, Fraction),
    pub(super) when: WhenUnmeasured,
}

/// What all parts say of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) value: Value,
    /// The error ratio of all in 2^-64, times `total`.
    pub(super) bad: u128,
    /// Of events the sum of the parts, of slices the most that one counted.
    pub(super) total: u64,
}

/// What one part says of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SliceVoice {
    Good,
    Bad,
    /// It does not count for the part: nobody asked, or a correction takes it out.
    Empty,
    Unmeasured(WhenUnmeasured),
}

impl Part {
    /// What it says of the window that is at `place` of the composite's.
    pub(super) fn voice(&self, instance: Option<&Instance>, place: usize, whole: &Instance) -> Voice {
        let by_target = match whole.counting.method {
            Method::Occurrences => Fraction::new(whole.terms.target.beta(), self.target.beta()),
            Method::Timeslices { .. } | Method::RatioTimeslices { .. } => Fraction::ONE,
        };
        let silent =
            Voice { value: Value::Unmeasured, error: 0, total: 0, by: (self.weight, by_target), when: self.when };
        let Some((instance, window)) = instance.zip(self.windows.get(place)) else { return silent };
        let (sums, total) = (instance.windows.sums(*window), instance.windows.sums(*window).total());
        let bad = match instance.unit() {
            Unit::Whole => u128::from(u64::try_from(sums.bad()).unwrap_or(u64::MAX).min(total)) << 64,
            Unit::Fraction => sums.bad().min(u128::from(total) << 64),
        };
        let value = Value::of(sums, instance.terms.no_data.floor);
        Voice { value, error: bad.checked_div(total.into()).unwrap_or(0), total, ..silent }
    }

    /// What it says of the slice of so many ticks that ends with this one.
    pub(super) fn slice(&self, instance: Option<&Instance>, last: u64, ticks: u64) -> SliceVoice {
        let Some(instance) = instance else { return SliceVoice::Unmeasured(self.when) };
        let counted = instance.windows.seen_at(last);
        let first = (last + 1).saturating_sub(ticks);
        match counted.total() {
            0 if last < instance.born => SliceVoice::Unmeasured(self.when),
            0 if instance.windows.count(first, last + 1).gaps > 0 => SliceVoice::Unmeasured(self.when),
            0 => SliceVoice::Empty,
            _ if counted.bad() > 0 => SliceVoice::Bad,
            _ => SliceVoice::Good,
        }
    }
}

impl Voice {
    /// What it adds to the error of all, in 2^-64; `None`: it is left out.
    fn adds(&self) -> Option<u128> {
        let error = match (self.value, self.when) {
            (Value::Measured, _) => self.error,
            (Value::Unmeasured, WhenUnmeasured::Good) => 0,
            (Value::Unmeasured, WhenUnmeasured::Bad) => WHOLE,
            // What is known of it counts, though it does not tell enough.
            (Value::Unmeasured, WhenUnmeasured::Freeze) if self.total > 0 => self.error,
            (Value::Empty | Value::Unmeasured, _) => return None,
        };
        let (weight, target) = self.by;
        Some(match weight.times(target) {
            Some(by) => scaled(error, by),
            None => scaled(scaled(error, target), weight),
        })
    }

    fn freezes(&self) -> bool {
        (self.value, self.when) == (Value::Unmeasured, WhenUnmeasured::Freeze)
    }
}

/// Rounded down; what does not fit is as much as there can be.
fn scaled(error: u128, by: Fraction) -> u128 {
    error.saturating_mul(by.numerator().into()) / u128::from(by.denominator())
}

/// What the parts say of a window together.
pub(super) fn joined(is_of_events: bool, voices: impl Iterator<Item = Voice>) -> Told {
    let (mut error, mut total) = (0_u128, 0_u64);
    let (mut is_frozen, mut is_told, mut is_empty) = (false, false, false);
    for voice in voices {
        is_frozen |= voice.freezes();
        is_empty |= voice.value == Value::Empty;
        let Some(adds) = voice.adds() else { continue };
        is_told = true;
        error = error.saturating_add(adds);
        // A part that is only taken for good or bad counts as one.
        let counted = voice.total.max(1);
        total = if is_of_events { total.saturating_add(counted) } else { total.max(counted) };
    }
    let value = match (is_frozen, is_told, is_empty) {
        (true, _, _) | (false, false, false) => Value::Unmeasured,
        (false, true, _) => Value::Measured,
        (false, false, true) => Value::Empty,
    };
    Told { value, bad: error.saturating_mul(total.into()), total }
}

/// What a slice counts as, and how many of it are bad: it is bad if it is for any part.
pub(super) fn joined_slice(empty: EmptySlice, voices: impl Iterator<Item = SliceVoice>) -> (u64, u128) {
    let (mut is_good, mut is_frozen, mut is_empty) = (false, false, false);
    for voice in voices {
        match voice {
            SliceVoice::Bad | SliceVoice::Unmeasured(WhenUnmeasured::Bad) => return (1, 1),
            SliceVoice::Good | SliceVoice::Unmeasured(WhenUnmeasured::Good) => is_good = true,
            SliceVoice::Unmeasured(WhenUnmeasured::Freeze) => is_frozen = true,
            SliceVoice::Unmeasured(WhenUnmeasured::Ignore) => {}
            SliceVoice::Empty => is_empty = true,
        }
    }
    match (is_frozen, is_good, is_empty, empty) {
        (true, _, _, _) | (_, false, false, _) | (_, false, true, EmptySlice::Skip) => (0, 0),
        (_, true, _, _) | (_, _, true, EmptySlice::Good) => (1, 0),
        (_, false, true, EmptySlice::Bad) => (1, 1),
    }
}

impl Instance {
    /// `R x P / b` of a composite whose windows are told, in 2^-64: the budget less the error, over the latest error.
    pub(super) fn told_constant(&self, period_s: u64) -> Option<Quotient> {
        let recent = self.windows.sums(self.forecast_window);
        let error = |bad: u128, total: u64| bad.checked_div(total.into());
        let spent = error(self.windows.sums(self.period).bad(), self.budget_total())?;
        let left = ((u128::from(self.terms.target.beta()) << 64) / ONE).saturating_sub(spent);
        Quotient::of(left.checked_mul(period_s.into())?, error(recent.bad(), recent.total())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(error_ppm: u128, weight: (u64, u64), when: WhenUnmeasured) -> Voice {
        let by = (Fraction::new(weight.0, weight.1), Fraction::ONE);
        Voice { value: Value::Measured, error: WHOLE * error_ppm / 1_000_000, total: 1_000, by, when }
    }

    fn error(told: Told) -> String {
        Quotient::of(told.bad, u128::from(told.total) << 64).map(|ratio| ratio.to_string()).unwrap_or_default()
    }

    #[test]
    fn errors_are_weighed_and_never_normalised() {
        // The README of OpenSLO: two at 95 % give 90 %.
        let two = [voice(50_000, (1, 1), WhenUnmeasured::Freeze); 2];
        assert_eq!(error(joined(false, two.into_iter())), "0.1");
        let weighed = [voice(50_000, (7, 10), WhenUnmeasured::Freeze), voice(10_000, (3, 1), WhenUnmeasured::Freeze)];
        let told = joined(true, weighed.into_iter());
        // 0.7 x 5 % + 3 x 1 % = 6.5 %; events add up.
        assert_eq!((error(told).as_str(), told.total, told.value), ("0.065", 2_000, Value::Measured));
    }

    #[test]
    fn a_sum_of_ratios_is_less_than_a_billionth_short_and_never_over() {
        // Thirds: 2^64 / 3 is no whole number. 1/3 + 1/3 + 1/3 is short by less than 2^-62.
        let third = Voice { error: WHOLE / 3, ..voice(0, (1, 1), WhenUnmeasured::Freeze) };
        let told = joined(false, [third; 3].into_iter());
        let all = u128::from(told.total) << 64;
        assert!(told.bad < all && all - told.bad <= 4 * u128::from(told.total), "{told:?}");
    }

    #[test]
    fn a_part_that_is_not_measured_says_what_it_was_told_to() {
        let missing = |when| Voice { value: Value::Unmeasured, total: 0, ..voice(0, (1, 2), when) };
        let beside = voice(10_000, (1, 1), WhenUnmeasured::Freeze);
        let of = |when| {
            let told = joined(true, [beside, missing(when)].into_iter());
            (told.value, error(told))
        };
        assert_eq!(of(WhenUnmeasured::Freeze), (Value::Unmeasured, "0.01".to_owned()));
        assert_eq!(of(WhenUnmeasured::Ignore), (Value::Measured, "0.01".to_owned()));
        assert_eq!(of(WhenUnmeasured::Good), (Value::Measured, "0.01".to_owned()));
        assert_eq!(of(WhenUnmeasured::Bad), (Value::Measured, "0.51".to_owned()));
        let alone = |when| joined(true, [missing(when)].into_iter()).value;
        assert_eq!((alone(WhenUnmeasured::Ignore), alone(WhenUnmeasured::Good)), (Value::Unmeasured, Value::Measured));
        let empty = Voice { value: Value::Empty, ..missing(WhenUnmeasured::Bad) };
        assert_eq!(joined(true, [empty, empty].into_iter()), Told { value: Value::Empty, bad: 0, total: 0 });
        assert_eq!(joined(true, [empty, beside].into_iter()).value, Value::Measured);
    }

    #[test]
    fn a_slice_is_bad_if_it_is_for_any_part() {
        use SliceVoice::{Bad, Empty, Good, Unmeasured};
        use WhenUnmeasured::{Freeze, Ignore};
        let of = |voices: &[SliceVoice]| joined_slice(EmptySlice::Skip, voices.iter().copied());
        assert_eq!((of(&[Good, Good]), of(&[Good, Bad])), ((1, 0), (1, 1)));
        assert_eq!((of(&[Unmeasured(Freeze), Bad]), of(&[Unmeasured(Freeze), Good])), ((1, 1), (0, 0)));
        assert_eq!((of(&[Unmeasured(Ignore), Good]), of(&[Unmeasured(Ignore)])), ((1, 0), (0, 0)));
        let other = [WhenUnmeasured::Good, WhenUnmeasured::Bad].map(|when| of(&[Unmeasured(when), Good]));
        assert_eq!(other, [(1, 0), (1, 1)]);
        assert_eq!((of(&[Empty, Good]), of(&[Empty, Empty])), ((1, 0), (0, 0)));
        let empty = [EmptySlice::Good, EmptySlice::Bad].map(|empty| joined_slice(empty, [Empty].into_iter()));
        assert_eq!(empty, [(1, 0), (1, 1)]);
        assert_eq!(joined_slice(EmptySlice::Bad, [Empty, Unmeasured(Freeze)].into_iter()), (0, 0));
    }
}
