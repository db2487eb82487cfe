//! The three budgeting methods side by side: what each makes of the same slices (`slo.md` 2.3).

use super::sheet::{Row, Section, Value};
use super::words;
use crate::exact::{Decimal, Fraction, Quotient};
use crate::spec::{EmptySlice, Method, Target, TimeSpan};

/// 10^8, the denominator of budgets (`slo.md` 2.1).
const ONE: u128 = 100_000_000;

/// What a slice of time counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// All its events.
    pub total: u64,
    /// The bad ones, at most `total`.
    pub bad: u64,
}

/// What a method makes of slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Its published name.
    pub method: &'static str,
    /// Events, or slices that count.
    pub total: u64,
    /// Bad events or slices; of `RatioTimeslices` the sum of what slices fall short by.
    pub bad: Quotient,
    /// The SLI, where it fits 64 bits above and below the line: sums of many slices' ratios do not.
    pub exact: Option<Fraction>,
    /// The SLI; `None` where nothing counts. Where it is not exact, the shortfalls were rounded down to 2^-64.
    pub sli: Option<Quotient>,
}

impl Figures {
    fn whole(method: Method, bad: u128, total: u64) -> Self {
        let exact = u64::try_from(u128::from(total).saturating_sub(bad)).ok().filter(|_| total > 0);
        Self {
            method: method.name(),
            total,
            bad: Quotient { is_negative: false, numerator: bad, denominator: 1 },
            exact: exact.map(|good| Fraction::new(good, total)),
            sli: Quotient::difference(total.into(), bad, total.into()),
        }
    }

    /// How many times faster than evenly the budget goes: the share of bad ones over beta. `None` where nothing counts,
    /// or where it fits no 128 bits.
    #[must_use]
    pub fn burn(&self, target: Target) -> Option<Quotient> {
        let below = u128::from(target.beta()) * u128::from(self.total);
        Quotient::of(self.bad.numerator.checked_mul(ONE)?, self.bad.denominator.checked_mul(below)?)
    }
}

/// What `Occurrences`, `Timeslices` (a slice is good if at least `slice_target` of it is) and `RatioTimeslices` make of
/// the same slices.
#[must_use]
pub fn side_by_side(slices: &[Slice], slice_target: Decimal, empty: EmptySlice) -> [Figures; 3] {
    let events: u128 = slices.iter().map(|slice| u128::from(slice.total)).sum();
    let bad: u128 = slices.iter().map(|slice| u128::from(slice.bad.min(slice.total))).sum();
    let length = TimeSpan(60);
    let (time, ratio) =
        (Method::Timeslices { slice: length, target: slice_target }, Method::RatioTimeslices { slice: length });
    [
        Figures::whole(Method::Occurrences, bad, u64::try_from(events).unwrap_or(u64::MAX)),
        timeslices(time, slices, (slice_target, empty)),
        ratio_timeslices(ratio, slices, empty),
    ]
}

/// Slices that count, each with whether it is bad altogether because it is empty.
fn counted(slices: &[Slice], empty: EmptySlice) -> impl Iterator<Item = Slice> + '_ {
    slices.iter().filter_map(move |slice| match (slice.total, empty) {
        (0, EmptySlice::Skip) => None,
        (0, EmptySlice::Good) => Some(Slice { total: 1, bad: 0 }),
        (0, EmptySlice::Bad) => Some(Slice { total: 1, bad: 1 }),
        (total, _) => Some(Slice { total, bad: slice.bad.min(total) }),
    })
}

fn timeslices(method: Method, slices: &[Slice], (target, empty): (Decimal, EmptySlice)) -> Figures {
    let (one, least) = (10_u128.pow(target.scale().into()), u128::try_from(target.mantissa()).unwrap_or(0));
    let is_bad = |slice: &Slice| u128::from(slice.total - slice.bad) * one < least * u128::from(slice.total);
    let total = counted(slices, empty).count() as u64;
    let bad = counted(slices, empty).filter(is_bad).count() as u128;
    Figures::whole(method, bad, total)
}

fn ratio_timeslices(method: Method, slices: &[Slice], empty: EmptySlice) -> Figures {
    let total = counted(slices, empty).count() as u64;
    let exact = counted(slices, empty)
        .try_fold(Fraction::ZERO, |sum, slice| sum.plus(Fraction::new(slice.bad, slice.total)))
        .filter(|_| total > 0);
    let rounded = counted(slices, empty).map(|slice| (u128::from(slice.bad) << 64) / u128::from(slice.total)).sum();
    let ratio = exact.and_then(|short| Fraction::ONE.minus(short.over(Fraction::new(total, 1))?));
    let all = u128::from(total) << 64;
    Figures {
        method: method.name(),
        total,
        bad: match exact {
            Some(short) => short.quotient(),
            None => Quotient { is_negative: false, numerator: rounded, denominator: 1 << 64 },
        },
        exact: ratio,
        sli: ratio.map(Fraction::quotient).or_else(|| Quotient::difference(all, rounded, all)),
    }
}

/// The figures as a part of an explanation, with the burn that each means for a target.
#[must_use]
pub fn section(figures: &[Figures; 3], target: Target) -> Section {
    let rows = figures.iter().map(|figures| {
        let row = |text: String| Row::new(figures.method, text).with("total", Value::Count(figures.total));
        let (Some(sli), Some(burn)) = (figures.sli, figures.burn(target)) else {
            return row("nothing counts".to_owned());
        };
        let exact = figures.exact.map_or_else(|| sli.to_string(), words::percent);
        let counted = words::grouped(figures.total.into());
        let what = if figures.method == Method::Occurrences.name() { "events" } else { "slices" };
        row(format!("SLI {exact} of {counted} {what}, burn {burn}"))
            .with("sli_ratio", Value::Ratio(sli))
            .with("bad", Value::Ratio(figures.bad))
            .with("burn", Value::Burn(burn))
    });
    Section::list("methods", "The same slices by each method", rows.collect())
}
