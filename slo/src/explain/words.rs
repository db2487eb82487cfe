//! Figures as people read them: exact where that is short, else rounded once and said to be about so much.

use crate::exact::Fraction;
use crate::spec::TimeSpan;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;
/// Places of a length of time (`slo.md` 2.1), and of per cent: 0.0231 % of a budget is still something.
const LENGTH_PLACES: u32 = 3;
const PERCENT_PLACES: u32 = 4;

/// Digits in groups of three: `20,160`.
pub(super) fn grouped(count: u128) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of `10^-places`, without trailing zeros.
pub(super) fn decimals(units: u128, places: u32) -> String {
    number(units, places, |whole| whole.to_string())
}

fn number(units: u128, places: u32, whole: impl Fn(u128) -> String) -> String {
    let one = 10_u128.pow(places);
    let part = format!("{:0width$}", units % one, width = places as usize);
    match part.trim_end_matches('0') {
        "" => whole(units / one),
        part => format!("{}.{part}", whole(units / one)),
    }
}

/// Per cent with at most four places, half to even. Something never reads as nothing, nor less than all as all.
pub(super) fn percent(ratio: Fraction) -> String {
    let units = ratio.quotient().rounded(PERCENT_PLACES + 2).unsigned_abs();
    match units {
        0 if ratio > Fraction::ZERO => "under 0.0001 %".to_owned(),
        1_000_000 if ratio < Fraction::ONE => "over 99.9999 %".to_owned(),
        _ => format!("{} %", number(units, PERCENT_PLACES, grouped)),
    }
}

/// A number that may have no end: exact if it is a decimal of at most six places, else about so much.
pub(super) fn plain(value: Fraction) -> String {
    let units = value.quotient().rounded(6).unsigned_abs();
    let is_exact = value.decimal().is_some_and(|decimal| decimal.scale() <= 6);
    format!("{}{}", if is_exact { "" } else { "about " }, number(units, 6, grouped))
}

/// A length of time: whole seconds in all units that it has (`12 d 16 h`, `43 min 12 s`), others in seconds under an hour
/// (`129.6 s`), in hours under three days (`about 20.571 h`), else in days.
pub(super) fn length(seconds: Fraction) -> String {
    if seconds.denominator() == 1 {
        return whole(seconds.numerator());
    }
    let of = |unit: u64| seconds >= Fraction::new(unit, 1);
    let (unit, name) = match (of(3 * DAY), of(HOUR)) {
        (true, _) => (DAY, "d"),
        (_, true) => (HOUR, "h"),
        _ => (1, "s"),
    };
    let below = u128::from(seconds.denominator()) * u128::from(unit);
    let scaled = u128::from(seconds.numerator()) * 10_u128.pow(LENGTH_PLACES);
    let (units, rest) = (scaled / below, scaled % below);
    let up = u128::from(2 * rest > below || 2 * rest == below && !units.is_multiple_of(2));
    match (units + up, rest) {
        (0, _) => "under 0.001 s".to_owned(),
        (units, 0) => format!("{} {name}", number(units, LENGTH_PLACES, grouped)),
        (units, _) => format!("about {} {name}", number(units, LENGTH_PLACES, grouped)),
    }
}

/// A length that a document wrote.
pub(super) fn span(span: TimeSpan) -> String {
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min")];
    let seconds = span.seconds();
    let fits = |unit: &&(u64, &str)| seconds > 0 && seconds.is_multiple_of(unit.0);
    let (unit, name) = units.iter().find(fits).unwrap_or(&(1, "s"));
    format!("{} {name}", grouped((seconds / unit).into()))
}

fn whole(seconds: u64) -> String {
    let parts =
        [(seconds / DAY, "d"), (seconds % DAY / HOUR, "h"), (seconds % HOUR / MINUTE, "min"), (seconds % MINUTE, "s")];
    let parts: Vec<_> = parts.iter().filter(|(count, _)| *count > 0).collect();
    if parts.is_empty() {
        return "0 s".to_owned();
    }
    let shown = |(count, name): &&(u64, &str)| format!("{} {name}", grouped((*count).into()));
    parts.iter().map(shown).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_exact_where_that_is_short() {
        for (seconds, text) in [
            ((0, 1), "0 s"),
            ((2_592, 1), "43 min 12 s"),
            ((2_592_000, 1), "30 d"),
            ((1_094_400, 1), "12 d 16 h"),
            ((518_400, 7), "about 20.571 h"),
            ((1_296, 10), "129.6 s"),
            ((34_704, 10), "3,470.4 s"),
            ((2_592, 100), "25.92 s"),
            ((1, 3), "about 0.333 s"),
            ((1, 10_000), "under 0.001 s"),
            // 3600.06 s are 1.0000166.. h.
            ((360_006, 100), "about 1 h"),
            ((5_400_001, 10), "about 6.25 d"),
        ] {
            assert_eq!(length(Fraction::new(seconds.0, seconds.1)), text, "{seconds:?}");
        }
        assert_eq!((span(TimeSpan(5_400)).as_str(), span(TimeSpan(0)).as_str()), ("90 min", "0 s"));
    }

    #[test]
    fn per_cent_never_lie_at_the_edges() {
        for (ratio, text) in [
            ((1, 4_320), "0.0231 %"),
            ((144, 10_000), "1.44 %"),
            ((0, 7), "0 %"),
            ((1, 10_000_000), "under 0.0001 %"),
            ((9_999_999, 10_000_000), "over 99.9999 %"),
            ((1, 1), "100 %"),
            ((250, 1), "25,000 %"),
            // Ties: 0.00005 % and 0.00015 % at four places.
            ((15, 10_000_000), "0.0002 %"),
        ] {
            assert_eq!(percent(Fraction::new(ratio.0, ratio.1)), text, "{ratio:?}");
        }
        assert_eq!((grouped(20_160).as_str(), grouped(999).as_str()), ("20,160", "999"));
        assert_eq!(
            (plain(Fraction::new(14, 15)), plain(Fraction::new(1_008, 1))),
            ("about 0.933333".into(), "1,008".into())
        );
    }
}
