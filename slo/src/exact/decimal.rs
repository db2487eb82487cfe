//! A decimal from its source text.

use crate::saved::Saved;
use crate::wire::{Read, Reader, Writer};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Digits after the point that a decimal may have.
const SCALE_MAX: u32 = 18;

/// `mantissa / 10^scale`, without trailing zeros: equal numbers are equal values.
///
/// ```
/// use bailiwick_slo::exact::Decimal;
/// let target: Decimal = "99.90".parse().unwrap();
/// assert_eq!(target.to_string(), "99.9");
/// assert_eq!(target.units(8), Some(9_990_000_000));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal {
    mantissa: i64,
    scale: u8,
}

impl Saved for Decimal {
    fn save(&self, to: &mut Writer) {
        to.signed(self.mantissa);
        to.byte(self.scale);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let (mantissa, scale) = (from.signed()?, from.byte()?);
        if u32::from(scale) > SCALE_MAX {
            return from.wrong("a decimal has more than 18 places");
        }
        Ok(Self::new(mantissa, scale))
    }
}

/// A text that is no decimal, or one with more digits than are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadDecimal;

impl fmt::Display for BadDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a decimal number of at most 18 digits")
    }
}

impl std::error::Error for BadDecimal {}

impl Decimal {
    /// Nought.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: 1, scale: 0 };

    /// `mantissa / 10^scale`; `scale` at most 18.
    #[must_use]
    pub const fn new(mantissa: i64, scale: u8) -> Self {
        let (mut mantissa, mut scale) = (mantissa, scale);
        while scale > 0 && mantissa % 10 == 0 {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        Self { mantissa, scale }
    }

    /// Digits above the line.
    #[must_use]
    pub const fn mantissa(self) -> i64 {
        self.mantissa
    }

    /// Digits after the point.
    #[must_use]
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// How many `10^-scale` it is, where that is a whole number that fits.
    #[must_use]
    pub fn units(self, scale: u8) -> Option<i64> {
        let more = u32::from(scale).checked_sub(u32::from(self.scale))?;
        self.mantissa.checked_mul(10_i64.checked_pow(more)?)
    }

    /// A hundredth of it: what so many per cent are. `None` when it would have more than 18 decimals.
    #[must_use]
    pub fn hundredth(self) -> Option<Self> {
        (u32::from(self.scale) + 2 <= SCALE_MAX).then(|| Self::new(self.mantissa, self.scale + 2))
    }

    /// The nearest float, for what is only shown.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shown, never compared")]
    pub fn as_f64(self) -> f64 {
        self.mantissa as f64 / 10_f64.powi(i32::from(self.scale))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        // 10^18 x 2^63 stays below 2^123.
        let one = i128::from(self.mantissa) * 10_i128.pow(u32::from(other.scale));
        one.cmp(&(i128::from(other.mantissa) * 10_i128.pow(u32::from(self.scale))))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Decimal {
    type Err = BadDecimal;

    /// Reads `-12.5`, `.5`, `1e-3` as YAML and JSON write numbers.
    fn from_str(text: &str) -> Result<Self, BadDecimal> {
        let (digits, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().map_err(|_| BadDecimal)?),
            None => (text, 0),
        };
        let (is_negative, digits) = match digits.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, digits.strip_prefix('+').unwrap_or(digits)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + part.len() == 0 || !is_number(whole) || !is_number(part) || exponent.abs() > 40 {
            return Err(BadDecimal);
        }
        let part = part.trim_end_matches('0');
        let mut mantissa: i64 = 0;
        for digit in whole.bytes().chain(part.bytes()) {
            let more = mantissa.checked_mul(10).and_then(|m| m.checked_add(i64::from(digit - b'0')));
            mantissa = more.ok_or(BadDecimal)?;
        }
        let mut scale = i32::try_from(part.len()).map_err(|_| BadDecimal)? - exponent;
        while scale < 0 && mantissa != 0 {
            mantissa = mantissa.checked_mul(10).ok_or(BadDecimal)?;
            scale += 1;
        }
        while scale > 0 && mantissa % 10 == 0 && mantissa != 0 {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        let scale = if mantissa == 0 { 0 } else { u8::try_from(scale).map_err(|_| BadDecimal)? };
        if u32::from(scale) > SCALE_MAX {
            return Err(BadDecimal);
        }
        Ok(Self::new(if is_negative { -mantissa } else { mantissa }, scale))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let (units, scale) = (self.mantissa.unsigned_abs(), usize::from(self.scale));
        let one = 10_u64.pow(u32::from(self.scale));
        if scale == 0 { write!(f, "{sign}{units}") } else { write!(f, "{sign}{}.{:0scale$}", units / one, units % one) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_reads_back_from_its_text_and_keeps_every_digit() {
        for (text, written) in [
            ("99.95", "99.95"),
            ("0.999000", "0.999"),
            ("1e-3", "0.001"),
            ("1.5E2", "150"),
            (".5", "0.5"),
            ("-0.00", "0"),
            ("-2.50", "-2.5"),
            ("+14.4", "14.4"),
            ("0.000000000000000001", "0.000000000000000001"),
            ("9223372036854775807", "9223372036854775807"),
        ] {
            assert_eq!(text.parse::<Decimal>().map(|value| value.to_string()).as_deref(), Ok(written), "{text}");
        }
        for text in
            ["", ".", "1,5", "0x1", "NaN", "1e", "1e99", "9223372036854775808", "0.0000000000000000001", "1.2.3"]
        {
            assert_eq!(text.parse::<Decimal>(), Err(BadDecimal), "{text}");
        }
    }

    #[test]
    fn decimals_compare_as_numbers() {
        let of = |text: &str| text.parse::<Decimal>().expect("a decimal");
        assert!(of("0.9") > of("0.8999999999") && of("-1") < of("0.1") && of("1.0") == of("1"));
        assert_eq!((of("99.9").hundredth(), of("0.5").units(8)), (Some(of("0.999")), Some(50_000_000)));
        assert_eq!(of("0.123").units(2), None);
    }
}
