//! Times as scenarios write them: `5s`, `250ms`, `1m30s`, `0.1s`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

const UNITS: [(&str, f64); 6] = [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3_600e9)];

/// Nanoseconds from the scenario's begin, or a length of time. Below 0: before the begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(in crate::scenario) struct Moment(pub(in crate::scenario) i64);

impl Moment {
    pub(in crate::scenario) const fn seconds(seconds: i64) -> Self {
        Self(seconds * 1_000_000_000)
    }

    fn read(text: &str) -> Option<Self> {
        let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let mut total = 0;
        while !rest.is_empty() {
            let digits = rest.find(|letter: char| letter.is_ascii_alphabetic())?;
            let (number, behind) = rest.split_at(digits);
            let letters = behind.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(behind.len());
            let (unit, behind) = behind.split_at(letters);
            let (_, unit_ns) = UNITS.iter().find(|(name, _)| *name == unit)?;
            total += (number.parse::<f64>().ok()? * unit_ns).round() as i64;
            rest = behind;
        }
        (!text.is_empty()).then_some(Self(sign * total))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0 as f64 / 1e9)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no time such as 5s, 250ms or 1m30s")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        let read = |text| Moment::read(text).map(|moment| moment.0);
        assert_eq!(read("5s"), Some(5_000_000_000));
        assert_eq!(read("1m30s"), Some(90_000_000_000));
        assert_eq!(read("0.1s"), Some(100_000_000));
        assert_eq!(read("-250ms"), Some(-250_000_000));
        assert_eq!(read("5"), None);
        assert_eq!(read("5d"), None);
        assert_eq!(read(""), None);
    }
}
