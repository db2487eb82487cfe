//! Lengths of time as Prometheus writes them: `1h`, `1h30m`, `4w`. Sloth and Pyrra use these.

use crate::document::{Code, Findings, Node, shortened};
use crate::spec::TimeSpan;

/// Units in the order in which they stand, each at most once, in milliseconds. A year has 365 days
/// (`prometheus/common`, `model.ParseDuration`).
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Milliseconds; `None` if it is no length or does not fit.
fn milliseconds(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut sum, mut first) = (text, 0_u64, 0);
    while !rest.is_empty() || text.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let letters = rest[digits..].find(|character: char| character.is_ascii_digit());
        let end = letters.map_or(rest.len(), |letters| digits + letters);
        let unit = first + UNITS[first..].iter().position(|(unit, _)| *unit == &rest[digits..end])?;
        let count: u64 = rest[..digits].parse().ok()?;
        sum = sum.checked_add(count.checked_mul(UNITS[unit].1)?)?;
        (rest, first) = (&rest[end..], unit + 1);
    }
    Some(sum)
}

/// Reads a length of whole seconds, above 0.
pub(crate) fn span(node: &Node, out: &mut Findings) -> Option<TimeSpan> {
    let text = node.text().unwrap_or_default();
    let found = milliseconds(text);
    if let Some(ms) = found.filter(|ms| *ms > 0 && ms.is_multiple_of(1_000)) {
        return Some(TimeSpan(ms / 1_000));
    }
    let message = match found {
        Some(0) => "it lasts no time".to_owned(),
        Some(_) => "a whole number of seconds belongs here".to_owned(),
        None if text.is_empty() => format!("{} is no duration", node.shape()),
        None => format!("`{}` is no duration", shortened(text)),
    };
    out.add(Code::Duration, node.at, message).help("write it as Prometheus does: `5m`, `1h30m`, `28d`, `4w`");
    None
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn lengths_are_those_of_prometheus() {
        for (text, ms) in [
            ("5m", 300_000),
            ("4w", 2_419_200_000),
            ("1h30m", 5_400_000),
            ("1y", 31_536_000_000),
            ("1d1ms", 86_400_001),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(milliseconds(text), Some(ms), "{text}");
        }
        for text in ["", "5", "m", "1.5h", "30m1h", "1h1h", "-1h", "1 h", "1M", "99999999999999999999s", "1h30"] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }
}
