//! How figures read in public: the one place where counts, durations and times become text or floats.

use bailiwick_slo::ratio::Ratio;
use jiff::Timestamp;

/// Decimals of ratios in the API.
pub(crate) const RATIO_DIGITS: u32 = 6;

/// A moment as RFC 3339 in UTC with milliseconds; `None` for 0, which stands for "never".
pub(crate) fn instant(unix_ns: u64) -> Option<String> {
    if unix_ns == 0 {
        return None;
    }
    let ms = i64::try_from(unix_ns / 1_000_000).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).ok().map(|at| format!("{at:.3}"))
}

/// A second since the Unix epoch as RFC 3339 in UTC with milliseconds; `None` outside of the years -9999 to 9999.
pub(crate) fn second(unix_s: i64) -> Option<String> {
    Timestamp::from_second(unix_s).ok().map(|at| format!("{at:.3}"))
}

/// Microseconds as milliseconds with at most three decimals.
#[expect(clippy::cast_precision_loss, reason = "durations end at 3.6e9 us, far below 2^53")]
pub(crate) fn milliseconds(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

/// Nanoseconds as seconds, for exposition.
#[expect(clippy::cast_precision_loss, reason = "a float is what the exposition formats carry")]
pub(crate) fn seconds(nanos: u128) -> f64 {
    nanos as f64 / 1e9
}

/// Bytes of an id as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A ratio as an exact decimal of six digits, cut so that less than all never reads as all; `None` when empty.
pub(crate) fn ratio(ratio: Ratio) -> Option<String> {
    ratio.decimal(RATIO_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_as_rfc_3339_with_milliseconds() {
        // `date -u -d @1700000000` says Tue Nov 14 22:13:20 UTC 2023.
        assert_eq!(instant(1_700_000_000_123_456_789).as_deref(), Some("2023-11-14T22:13:20.123Z"));
        assert_eq!(instant(1_700_000_000_000_000_000).as_deref(), Some("2023-11-14T22:13:20.000Z"));
        assert_eq!(instant(0), None);
    }

    #[test]
    fn milliseconds_have_three_decimals_at_most() {
        assert_eq!(serde_json::to_string(&milliseconds(1_003)).expect("a number"), "1.003");
        assert_eq!(serde_json::to_string(&milliseconds(3_600_000_000)).expect("a number"), "3600000.0");
    }
}
