//! Quantities as operators write them: `64MiB`, `10s`. Every room's settings use these two.
//!
//! A bare number other than 0 is refused: it would leave the unit to the reader's guess.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of bytes, written `64MiB` (powers of 1024), `64MB` (powers of 1000) or `0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

/// A length of time, written `500ms`, `90s`, `5m`, `1h30m`, `28d`, `4w` or `0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(pub Duration);

/// Why a quantity could not be read. The text names what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadQuantity {
    /// Not a size.
    #[error("`{0}` is not a size: write a number with B, KiB, MiB, GiB, TiB, kB, MB, GB or TB, as in `64MiB`")]
    Size(String),
    /// Not a duration.
    #[error("`{0}` is not a duration: write numbers with ms, s, m, h, d or w, as in `500ms` or `1h30m`")]
    Duration(String),
}

const SIZE_UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

const DURATION_UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

impl ByteSize {
    /// This many mebibytes.
    #[must_use]
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }

    /// This many kibibytes.
    #[must_use]
    pub const fn kib(n: u64) -> Self {
        Self(n << 10)
    }

    /// The number as a length in memory.
    #[must_use]
    pub fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Period {
    /// This many seconds.
    #[must_use]
    pub const fn seconds(n: u64) -> Self {
        Self(Duration::from_secs(n))
    }

    /// This many milliseconds.
    #[must_use]
    pub const fn millis(n: u64) -> Self {
        Self(Duration::from_millis(n))
    }

    /// Its length in nanoseconds; 584 years at most.
    #[must_use]
    pub fn nanos(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        let bad = || BadQuantity::Size(text.to_owned());
        if text == "0" {
            return Ok(Self(0));
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| bad())?;
        let (_, scale) = SIZE_UNITS.iter().find(|(name, _)| *name == unit.trim_start()).ok_or_else(bad)?;
        number.checked_mul(*scale).map(Self).ok_or_else(bad)
    }
}

impl FromStr for Period {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        let bad = || BadQuantity::Duration(text.to_owned());
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let mut rest = text;
        let mut total_ms = 0_u64;
        let mut last_scale = u64::MAX;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
            let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
            let unit = &rest[digits..digits + letters];
            let (_, scale) = DURATION_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(bad)?;
            // Units fall from left to right, so that `1m1h` (a slip) is not read as 61 minutes.
            if *scale >= last_scale {
                return Err(bad());
            }
            last_scale = *scale;
            total_ms = number.checked_mul(*scale).and_then(|ms| total_ms.checked_add(ms)).ok_or_else(bad)?;
            rest = &rest[digits + letters..];
        }
        if text.is_empty() { Err(bad()) } else { Ok(Self(Duration::from_millis(total_ms))) }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0");
        }
        for (unit, scale) in [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1_u64 << 10)] {
            if self.0.is_multiple_of(scale) {
                return write!(f, "{}{unit}", self.0 / scale);
            }
        }
        write!(f, "{}B", self.0)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ms = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if ms == 0 {
            return f.write_str("0");
        }
        for (unit, scale) in DURATION_UNITS.iter().rev().filter(|(unit, _)| *unit != "w") {
            if ms >= *scale {
                write!(f, "{}{unit}", ms / scale)?;
                ms %= scale;
            }
        }
        Ok(())
    }
}

macro_rules! written_as_text {
    ($name:ident, $format:literal, $pattern:literal, $example:literal, $what:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!($what, " such as `", $example, "`"))
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                    fn visit_u64<E: de::Error>(self, number: u64) -> Result<$name, E> {
                        number.to_string().parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_any(Text)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": ["string", "integer"],
                    "format": $format,
                    "pattern": $pattern,
                    "minimum": 0,
                    "maximum": 0,
                    "examples": [$example],
                })
            }
        }
    };
}

written_as_text!(ByteSize, "size", "^(0|[0-9]+ ?(B|[KMGT]iB|[kMGT]B))$", "64MiB", "a size");
written_as_text!(Period, "period", "^(0|([0-9]+(ms|s|m|h|d|w))+)$", "10s", "a duration");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_read_as_operators_write_them() {
        assert_eq!("64MiB".parse(), Ok(ByteSize(64 << 20)));
        assert_eq!("64MB".parse(), Ok(ByteSize(64_000_000)));
        assert_eq!("1h30m".parse(), Ok(Period::seconds(5_400)));
        assert_eq!("500ms".parse(), Ok(Period::millis(500)));
        assert_eq!("4w".parse(), Ok(Period::seconds(28 * 86_400)));
        assert_eq!("0".parse(), Ok(Period::seconds(0)));
    }

    #[test]
    fn a_number_without_a_unit_is_refused() {
        for text in ["10", "", "10 parsecs", "-1s", "1m1h", "99999999999999999999s"] {
            assert!(text.parse::<Period>().is_err(), "{text:?} as a duration");
            assert!(text.parse::<ByteSize>().is_err(), "{text:?} as a size");
        }
    }

    #[test]
    fn what_is_shown_reads_back_the_same() {
        for period in [Period::millis(1), Period::seconds(90), Period::seconds(5_400), Period::seconds(28 * 86_400)] {
            assert_eq!(period.to_string().parse(), Ok(period));
        }
        for size in [ByteSize(1), ByteSize::kib(64), ByteSize::mib(256), ByteSize(1_000_000)] {
            assert_eq!(size.to_string().parse(), Ok(size));
        }
    }
}
