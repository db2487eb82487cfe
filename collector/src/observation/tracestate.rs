//! What a span's `tracestate` says of sampling, and the weight that comes of it (`sli.md` 1.7; OpenTelemetry,
//! "TraceState: Probability Sampling").
//!
//! Only the member whose key is exactly `ot` is looked at; of several the first counts. Nothing here allocates.

use bailiwick_slo::weight::Weight;

use super::batch::row::WeightSource;

/// Longest value of an `ot` member.
const ENTRY_BYTES_MAX: usize = 256;
/// Hexadecimal digits of a whole threshold and of a randomness: 56 bits.
const DIGITS: usize = 14;

/// The `ot` entry of a tracestate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Entry {
    /// `th`: traces whose randomness is below it were rejected.
    pub(super) threshold: Threshold,
    /// `rv`: the randomness of the trace, 56 bits.
    pub(super) randomness: Option<u64>,
}

/// What `th` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Threshold {
    /// Nothing: there is no entry, or no `th` in it.
    #[default]
    None,
    /// A rejection threshold below 2^56.
    Stated(u64),
    /// The entry or its `th` is malformed.
    Invalid,
}

/// What `sampling.rate_attribute` says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) enum Rate {
    /// The span has no such attribute.
    #[default]
    None,
    /// The probability with which it was kept; anything but a number over 0 and up to 1 is malformed.
    Stated(f64),
}

/// Reads a tracestate.
pub(super) fn read(trace_state: &[u8]) -> Entry {
    let mut members = trace_state.split(|byte| *byte == b',');
    let Some(value) = members.find_map(|member| without_space(member).strip_prefix(b"ot=")) else {
        return Entry::default();
    };
    entry(value).unwrap_or(Entry { threshold: Threshold::Invalid, randomness: None })
}

/// Spaces and tabs may stand around the commas of a tracestate.
fn without_space(mut member: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = member {
        member = rest;
    }
    member
}

/// `None`: a breach of the syntax voids the entry.
fn entry(value: &[u8]) -> Option<Entry> {
    if value.len() > ENTRY_BYTES_MAX {
        return None;
    }
    let mut entry = Entry::default();
    let pieces = || value.split(|byte| *byte == b';');
    for (number, piece) in pieces().enumerate() {
        let (key, value) = pair(piece)?;
        if pieces().take(number).any(|earlier| pair(earlier).is_some_and(|(known, _)| known == key)) {
            return None;
        }
        match key {
            b"th" => entry.threshold = threshold(value),
            b"rv" if value.len() == DIGITS => entry.randomness = digits(value),
            _ => {}
        }
    }
    Some(entry)
}

fn pair(piece: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = piece.iter().position(|byte| *byte == b':')?;
    let (key, value) = (&piece[..colon], &piece[colon + 1..]);
    let is_key = key.first().is_some_and(u8::is_ascii_lowercase)
        && key.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_value = value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    (is_key && is_value).then_some((key, value))
}

fn threshold(value: &[u8]) -> Threshold {
    match digits(value) {
        // Digits that are not there are zeros.
        Some(read) => Threshold::Stated(read << (4 * (DIGITS - value.len()))),
        None => Threshold::Invalid,
    }
}

/// One to 14 lower-case hexadecimal digits.
fn digits(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > DIGITS {
        return None;
    }
    value.iter().try_fold(0, |sum, byte| match byte {
        b'0'..=b'9' => Some(sum << 4 | u64::from(byte - b'0')),
        b'a'..=b'f' => Some(sum << 4 | u64::from(byte - b'a' + 10)),
        _ => None,
    })
}

impl Entry {
    /// The weight of a span in units of 2^-32 (0: none stated, which is 1) and how it came about. The attribute counts
    /// where no threshold is stated; a malformed entry is worse than none and stays malformed.
    pub(super) fn weigh(&self, rate: Rate, weight_max: u32) -> (u64, WeightSource) {
        let (weighed, source) = match (self.threshold, rate) {
            (Threshold::Invalid, _) => return (0, WeightSource::Invalid),
            (Threshold::None, Rate::None) => return (0, WeightSource::None),
            (Threshold::None, Rate::Stated(kept)) => match Weight::of_probability(kept, weight_max) {
                Some(weighed) => (weighed, WeightSource::Attribute),
                None => return (0, WeightSource::Invalid),
            },
            (Threshold::Stated(threshold), _) => {
                let is_rejected = self.randomness.is_some_and(|randomness| randomness < threshold);
                let source = if is_rejected { WeightSource::Inconsistent } else { WeightSource::Threshold };
                (Weight::of_threshold(threshold, weight_max), source)
            }
        };
        let (weight, is_capped) = weighed;
        (weight.units(), if is_capped { WeightSource::Capped } else { source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u32 = 1_000_000;

    fn weighed(trace_state: &str) -> (u64, WeightSource) {
        read(trace_state.as_bytes()).weigh(Rate::None, MAX)
    }

    #[test]
    fn vectors_weigh_as_sli_1_7_says() {
        for (text, weight) in [("ot=th:0", 1), ("ot=th:8", 2), ("ot=th:c", 4), ("ot=th:e", 8), ("ot=th:f8", 32)] {
            assert_eq!(weighed(text), (weight << 32, WeightSource::Threshold), "{text}");
        }
        assert_eq!(weighed("ot=th:3"), (5_286_113_596, WeightSource::Threshold));
        assert_eq!(weighed("ot=th:b3333333333333"), (14_316_557_654, WeightSource::Threshold));
        assert_eq!(weighed("ot=th:ffffffffffffff"), (u64::from(MAX) << 32, WeightSource::Capped));
        for text in ["", "vendor=th:8", "ot=rv:6e6d1a75832a2f"] {
            assert_eq!(weighed(text), (0, WeightSource::None), "{text}");
        }
        for text in ["ot=th:G", "ot=th:C", "ot=th:8;th:c", "ot=th:8;"] {
            assert_eq!(weighed(text), (0, WeightSource::Invalid), "{text}");
        }
    }

    #[test]
    fn the_member_is_found_among_others_whatever_space_is_around_the_commas() {
        for text in ["a=1,ot=th:8", "a=1 ,\tot=th:8 \t, b=2", " ot=th:8", "ot=th:8,ot=th:c", ",,ot=th:8"] {
            assert_eq!(weighed(text), (2 << 32, WeightSource::Threshold), "{text:?}");
        }
        for text in ["not=th:8", "ot@v=th:8", "Ot=th:8", "ot =th:8", "ot", "a=ot=th:8"] {
            assert_eq!(weighed(text), (0, WeightSource::None), "{text:?}");
        }
    }

    #[test]
    fn a_breach_of_the_syntax_voids_the_entry_with_its_randomness() {
        let long = |bytes: usize| format!("ot=rv:6e6d1a75832a2f;x:{}", "a".repeat(bytes - 20));
        assert_eq!(read(long(256).as_bytes()).randomness, Some(0x6e_6d1a_7583_2a2f));
        let breaches = ["ot=", "ot=;rv:6e6d1a75832a2f", "ot=1x:;rv:6e6d1a75832a2f", "ot=rv:6e6d1a75832a2f;a:1;a:2"];
        for text in breaches.map(str::to_owned).into_iter().chain([long(257), "ot=rv:6e6d1a75832a2f;x:\u{e9}".into()]) {
            assert_eq!(read(text.as_bytes()), Entry { threshold: Threshold::Invalid, randomness: None }, "{text}");
        }
    }

    #[test]
    fn a_bad_randomness_alone_is_ignored_and_a_bad_threshold_leaves_a_good_one() {
        for text in ["ot=th:8;rv:6e6d1a75832a2", "ot=th:8;rv:6E6d1a75832a2f", "ot=rv:6e6d1a75832a2f0;th:8"] {
            assert_eq!(read(text.as_bytes()), Entry { threshold: Threshold::Stated(1 << 55), randomness: None });
        }
        for text in ["ot=th:;rv:00000000000001", "ot=th:123456789abcdef;rv:00000000000001"] {
            assert_eq!(read(text.as_bytes()), Entry { threshold: Threshold::Invalid, randomness: Some(1) });
        }
    }

    #[test]
    fn a_kept_trace_below_its_threshold_is_inconsistent_and_keeps_its_weight() {
        assert_eq!(weighed("ot=th:8;rv:7fffffffffffff"), (2 << 32, WeightSource::Inconsistent));
        assert_eq!(weighed("ot=th:8;rv:80000000000000"), (2 << 32, WeightSource::Threshold));
    }

    #[test]
    fn a_rate_counts_where_there_is_no_threshold() {
        let by = |text: &str, kept| read(text.as_bytes()).weigh(Rate::Stated(kept), MAX);
        assert_eq!(by("", 0.25), (4 << 32, WeightSource::Attribute));
        assert_eq!(by("ot=rv:6e6d1a75832a2f", 1.0), (1 << 32, WeightSource::Attribute));
        assert_eq!(by("", 1e-9), (u64::from(MAX) << 32, WeightSource::Capped));
        assert_eq!(by("ot=th:8", 0.25), (2 << 32, WeightSource::Threshold));
        assert_eq!(by("ot=th:G", 0.25), (0, WeightSource::Invalid));
        for bad in [0.0, -0.5, 1.5, f64::NAN, f64::INFINITY] {
            assert_eq!(by("", bad), (0, WeightSource::Invalid), "{bad}");
        }
    }
}
