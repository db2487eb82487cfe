//! Figures as people read them: grouped digits, percentages, lengths of time. Whole numbers until the last digit.

use jiff::Timestamp;

use crate::exact::Quotient;
use crate::time::SLOT_SECONDS;

const DAY: u64 = 86_400;
const HOUR: u64 = 3_600;
const MINUTE: u64 = 60;

/// From so many of a unit on, the next smaller one says nothing more.
const ALONE_FROM: u64 = 10;

/// Digits in groups of three: `1,400`.
pub(super) fn grouped(count: u128) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place % 3 == first {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Per cent with at most two decimals, ties to even: `3.07 %`. Something never reads as nothing, nor less than all as all.
pub(super) fn percent(ratio: &Quotient) -> String {
    let hundredths = ratio.rounded(4).unsigned_abs();
    let is_exact = |whole: u128| ratio.denominator.checked_mul(whole) == Some(ratio.numerator);
    match hundredths {
        0 if !is_exact(0) => "under 0.01 %".to_owned(),
        10_000 if ratio.numerator < ratio.denominator => "over 99.99 %".to_owned(),
        _ => format!("{} %", decimals(hundredths, 2)),
    }
}

/// Tenths of a per cent: `81.4 %`.
pub(super) fn share(tenths: u64) -> String {
    format!("{} %", decimals(tenths.into(), 1))
}

/// A number of `10^-places`, without trailing zeros.
fn decimals(units: u128, places: usize) -> String {
    let one = 10_u128.pow(places as u32);
    let part = format!("{:0places$}", units % one);
    match part.trim_end_matches('0') {
        "" => grouped(units / one),
        part => format!("{}.{part}", grouped(units / one)),
    }
}

/// A length that somebody wrote, exactly, in the largest unit that it is a whole number of: `1 h`, `36 h`, `5 min`.
pub(super) fn span(seconds: u64) -> String {
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min")];
    let (unit, name) = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit)).unwrap_or((1, "s"));
    format!("{} {name}", grouped((seconds / unit).into()))
}

/// About how long, never more than it is: `18 h`, `1 d 7 h`, `22 min`.
pub(super) fn about(seconds: u64) -> String {
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (1, "s")];
    let first = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(units.len() - 1);
    let (unit, name) = units[first];
    let (count, rest) = (seconds / unit, seconds % unit);
    let largest = format!("{} {name}", grouped(count.into()));
    match units.get(first + 1) {
        Some((unit, name)) if count < ALONE_FROM && rest >= *unit => format!("{largest} {} {name}", rest / unit),
        _ => largest,
    }
}

/// When a tick began, in UTC: the time alone on the day of `now`, else with its date.
pub(super) fn clock(tick: u64, now: u64) -> String {
    let seconds = tick * SLOT_SECONDS;
    let at = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let form = if seconds / DAY == now * SLOT_SECONDS / DAY { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" };
    at.map_or_else(|| "an unknown time".to_owned(), |at| at.strftime(form).to_string())
}

/// A probability with three decimals.
pub(super) fn probability(p: f64) -> String {
    if p < 0.000_5 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (count, text) in [(0, "0"), (43, "43"), (999, "999"), (1_400, "1,400"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(count), text);
        }
    }

    #[test]
    fn per_cent_have_two_decimals_and_never_lie_at_the_edges() {
        for ((numerator, denominator), text) in [
            ((43, 1_400), "3.07 %"),
            ((0, 7), "0 %"),
            ((1, 1_000_000), "under 0.01 %"),
            ((999_999, 1_000_000), "over 99.99 %"),
            ((7, 7), "100 %"),
            ((62, 100), "62 %"),
            // Ties: 0.125 % and 0.135 %.
            ((125, 100_000), "0.12 %"),
            ((135, 100_000), "0.14 %"),
            ((30, 1), "3,000 %"),
        ] {
            assert_eq!(percent(&Quotient::of(numerator, denominator).expect("a quotient")), text);
        }
        assert_eq!((share(814), share(1_000), share(5)), ("81.4 %".into(), "100 %".into(), "0.5 %".into()));
    }

    #[test]
    fn lengths_are_in_the_largest_units_that_fit() {
        for (seconds, exact, rounded) in [
            (300, "5 min", "5 min"),
            (90, "90 s", "1 min 30 s"),
            (3_600, "1 h", "1 h"),
            (129_600, "36 h", "1 d 12 h"),
            (2_592_000, "30 d", "30 d"),
            (1_320, "22 min", "22 min"),
            (66_600, "1,110 min", "18 h"),
            (7_290, "7,290 s", "2 h 1 min"),
        ] {
            assert_eq!((span(seconds).as_str(), about(seconds).as_str()), (exact, rounded));
        }
        assert_eq!(about(0), "0 s");
    }

    #[test]
    fn a_time_of_another_day_has_its_date() {
        // `date -u -d @1700000000` says Tue Nov 14 22:13:20 UTC 2023.
        assert_eq!(clock(170_000_000, 170_000_600), "22:13 UTC");
        assert_eq!(clock(170_000_000, 170_008_640), "2023-11-14 22:13 UTC");
    }

    #[test]
    fn a_probability_has_three_decimals() {
        assert_eq!((probability(0.012), probability(0.000_4)), ("p = 0.012".to_owned(), "p < 0.001".to_owned()));
    }
}
