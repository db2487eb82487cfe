//! Named sets of tiers (`slo.md` 2.4).

use super::{Op, Preset, Severity, Tier, TimeSpan};
use crate::exact::Fraction;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Severity, long and short window of the workbook's pairs, in hours and minutes.
const PAIRS: [(Severity, u64, u64); 4] = [
    (Severity::Page, HOUR, 300),
    (Severity::Page, 6 * HOUR, 1_800),
    (Severity::Ticket, DAY, 2 * HOUR),
    (Severity::Ticket, 3 * DAY, 6 * HOUR),
];

/// Pyrra's pairs: parts of the period that the windows and the wait are, and the factor.
const PYRRA: [(Severity, u64, u64, u64, u64); 4] = [
    (Severity::Page, 672, 8_064, 20_160, 14),
    (Severity::Page, 112, 1_344, 2_688, 7),
    (Severity::Ticket, 28, 336, 672, 2),
    (Severity::Ticket, 7, 112, 224, 1),
];

/// The tiers of a set over a period of so many seconds, pages first. Those that would say nothing are left out: factors
/// under 0.9, long windows over half the period.
#[must_use]
pub fn tiers(preset: Preset, period_s: u64) -> Vec<Tier> {
    let all: Vec<Tier> = match preset {
        Preset::None => Vec::new(),
        Preset::Standard => standard(period_s),
        Preset::Pyrra => pyrra(period_s),
    };
    let says_something = |tier: &Tier| tier.factor >= Fraction::new(9, 10) && 2 * tier.long.seconds() <= period_s;
    all.into_iter().filter(says_something).collect()
}

/// Shares of the budget by the length of the period, in thousandths.
const fn consumption(period_s: u64) -> [u64; 4] {
    if period_s < 21 * DAY {
        [80, 125, 200, 420]
    } else if period_s > 45 * DAY {
        [10, 30, 50, 50]
    } else {
        [20, 50, 100, 100]
    }
}

fn standard(period_s: u64) -> Vec<Tier> {
    let shares = consumption(period_s).map(|share| Fraction::new(share, 1_000));
    let tiers = PAIRS.iter().zip(shares).filter_map(|((severity, long, short), share)| {
        let factor = share.times(Fraction::new(period_s, *long))?;
        Some(tier(*severity, (*long, *short), factor, 0))
    });
    tiers.collect()
}

fn pyrra(period_s: u64) -> Vec<Tier> {
    let tiers = PYRRA.iter().map(|(severity, long, short, hold, factor)| {
        let windows = (minutes(period_s, *long), minutes(period_s, *short));
        tier(*severity, windows, Fraction::new(*factor, 1), minutes(period_s, *hold))
    });
    tiers.collect()
}

fn tier(severity: Severity, (long, short): (u64, u64), factor: Fraction, hold: u64) -> Tier {
    let (long, short) = (TimeSpan(long), Some(TimeSpan(short)));
    Tier { severity, long, short, factor, op: Op::Gt, hold: TimeSpan(hold) }
}

/// A part of the period in whole minutes, half up, at least one.
const fn minutes(period_s: u64, part: u64) -> u64 {
    let minutes = (2 * period_s + 60 * part) / (2 * 60 * part);
    60 * if minutes == 0 { 1 } else { minutes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(days: u64) -> Vec<String> {
        tiers(Preset::Standard, days * DAY).iter().map(|tier| format!("{} {}", tier.name(), tier.factor)).collect()
    }

    #[test]
    fn the_table_of_the_page() {
        let names = ["page/1h/5m", "page/6h/30m", "ticket/1d/2h", "ticket/3d/6h"];
        let rows = [
            (30, ["14.4", "6", "3", "1"]),
            (28, ["13.44", "5.6", "2.8", "14/15"]),
            (7, ["13.44", "3.5", "1.4", "0.98"]),
            (90, ["21.6", "10.8", "4.5", "1.5"]),
        ];
        for (days, row) in rows {
            let expected: Vec<String> =
                names.iter().zip(row).map(|(name, factor)| format!("{name} {factor}")).collect();
            assert_eq!(factors(days), expected, "{days} d");
        }
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        // 42 % of 5 d in 3 d is a factor of 0.7, and 3 d is more than half of it.
        assert_eq!(factors(5), ["page/1h/5m 9.6", "page/6h/30m 2.5", "ticket/1d/2h 1"]);
        assert!(tiers(Preset::None, 30 * DAY).is_empty());
    }

    /// 28 d are what Pyrra's parts are made for: 1 h, 6 h, 1 d, 4 d.
    #[test]
    fn pyrra_scales_windows_and_keeps_factors() {
        let of = |days: u64| {
            let tiers = tiers(Preset::Pyrra, days * DAY);
            tiers.iter().map(|tier| format!("{} {} {}", tier.name(), tier.factor, tier.hold)).collect::<Vec<_>>()
        };
        let month = ["page/1h/5m 14 2m", "page/6h/30m 7 15m", "ticket/1d/2h 2 1h", "ticket/4d/6h 1 3h"];
        assert_eq!(of(28), month);
        // 30 d / 672 = 64.29 min, / 8064 = 5.36 min, / 20160 = 2.14 min.
        assert_eq!(of(30)[0], "page/64m/5m 14 2m");
    }
}
