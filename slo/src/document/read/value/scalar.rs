//! Single values: text, flags, numbers, words, lengths, lists. Each tells what else it wanted.

use super::duration::{Length, length};
use crate::document::finding::{Code, Findings, FixAt};
use crate::document::tree::{Node, Value};
use crate::exact::Decimal;
use crate::spec::TimeSpan;

/// Its text.
pub(crate) fn text<'a>(node: &'a Node, out: &mut Findings) -> Option<&'a str> {
    match &node.value {
        Value::Scalar(scalar) if !scalar.is_nothing() => Some(&scalar.text),
        _ => wrong(node, "text", out),
    }
}

/// Tells that something else belongs here.
pub(crate) fn wrong<T>(node: &Node, wanted: &str, out: &mut Findings) -> Option<T> {
    let found = match &node.value {
        Value::Scalar(scalar) if !scalar.is_nothing() => format!("`{}`", shortened(&scalar.text)),
        _ => node.shape().to_owned(),
    };
    out.add(Code::Syntax, node.at, format!("{wanted} belongs here, not {found}"));
    None
}

/// What is quoted in a sentence is never longer than a line.
pub(crate) fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

/// `true` or `false`.
pub(crate) fn flag(node: &Node, out: &mut Findings) -> Option<bool> {
    match node.text() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => wrong(node, "`true` or `false`", out),
    }
}

/// A decimal; more digits than are kept are 012.
pub(crate) fn decimal(node: &Node, out: &mut Findings) -> Option<Decimal> {
    let text = node.text().unwrap_or_default();
    if let Ok(decimal) = text.parse() {
        return Some(decimal);
    }
    if is_number(text) {
        out.add(Code::TooFine, node.at, format!("`{}` has more than 18 digits", shortened(text)));
        return None;
    }
    wrong(node, "a number", out)
}

/// Whether a text is a decimal number of whatever length.
pub(crate) fn is_number(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = body.bytes().filter(u8::is_ascii_digit).count();
    let points = body.bytes().filter(|byte| *byte == b'.').count();
    digits > 0 && points <= 1 && digits + points == body.len()
}

/// A whole number.
pub(crate) fn whole<T: std::str::FromStr>(node: &Node, out: &mut Findings) -> Option<T> {
    let number = node.text().and_then(|text| text.parse().ok());
    number.or_else(|| wrong(node, "a whole number", out))
}

/// A share that is written with `%`, as a ratio.
pub(crate) fn percent(node: &Node, out: &mut Findings) -> Option<Decimal> {
    let text = node.text().unwrap_or_default();
    let number: Option<Decimal> = text.strip_suffix('%').and_then(|number| number.trim_end().parse().ok());
    if let Some(ratio) = number.and_then(Decimal::hundredth) {
        return Some(ratio);
    }
    if let Ok(bare) = text.parse::<Decimal>() {
        let as_ratio = bare.mantissa().checked_mul(100).map(|hundred| Decimal::new(hundred, bare.scale()));
        let raw = out.add(Code::Syntax, node.at, format!("`{text}` needs a `%`"));
        let other = as_ratio.map_or_else(String::new, |percent| format!(" or `{percent}%`"));
        raw.help(format!("write `{bare}%`{other}"));
        return None;
    }
    wrong(node, "a share such as `2%`", out)
}

/// A length of any unit.
pub(crate) fn any_length(node: &Node, out: &mut Findings) -> Option<Length> {
    if let Some(length) = node.text().and_then(length) {
        return Some(length);
    }
    let text = node.text().unwrap_or_default();
    let found = if text.is_empty() { node.shape().to_owned() } else { format!("`{}`", shortened(text)) };
    let raw = out.add(Code::Duration, node.at, format!("{found} is no duration"));
    match text.parse::<u32>() {
        Ok(number) => raw.help(format!("give its unit: `{number}s`, `{number}m` or `{number}h`")),
        Err(_) => raw.help("write it as `5m`, `1h30m`, `28d`, `4w`"),
    };
    None
}

/// A length of whole seconds, without `M`, `Q`, `Y`.
pub(crate) fn span(node: &Node, out: &mut Findings) -> Option<TimeSpan> {
    let length = any_length(node, out)?;
    match length.span() {
        Some(span) if !length.is_civil => Some(span),
        Some(span) => {
            let raw = out.add(Code::Duration, node.at, "only periods are counted in `M`, `Q`, `Y`");
            raw.help("`m` is minutes").fix(FixAt::Here, span.to_string());
            None
        }
        None => {
            out.add(Code::Duration, node.at, "a whole number of seconds belongs here");
            None
        }
    }
}

/// A length of nanoseconds, of latencies.
pub(crate) fn nanoseconds(node: &Node, out: &mut Findings) -> Option<u64> {
    let length = any_length(node, out)?;
    if length.nanoseconds == 0 {
        out.add(Code::Duration, node.at, "a latency of nothing is never met");
        return None;
    }
    Some(length.nanoseconds)
}

/// One of some words; `code` tells of others, with the nearest.
pub(crate) fn word<T: Copy>(node: &Node, words: &[(&str, T)], code: Code, out: &mut Findings) -> Option<T> {
    let text = node.text().unwrap_or_default();
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*meaning);
    }
    let found = if text.is_empty() { node.shape().to_owned() } else { format!("`{}`", shortened(text)) };
    let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    let raw = out.add(code, node.at, format!("{found} is none of {}", all.join(", ")));
    if let Some(near) = nearest(text, all) {
        raw.help(format!("did you mean `{near}`?")).fix(FixAt::Here, near);
    }
    None
}

/// The nearest of some words: at most two edits away, or a third of its length.
pub(crate) fn nearest<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LENGTH_MAX: usize = 64;
    let length = text.chars().count();
    if length == 0 || length > LENGTH_MAX {
        return None;
    }
    let lower = text.to_lowercase();
    let edits_max = (length / 3).max(2);
    words
        .into_iter()
        // Counting is cheap, comparing is not, and there may be thousands of names.
        .filter(|word| word.chars().take(length + edits_max + 1).count().abs_diff(length) <= edits_max)
        .map(|word| (strsim::damerau_levenshtein(&lower, &word.to_lowercase()), word))
        .filter(|(distance, _)| *distance <= edits_max && *distance < length)
        .min()
        .map(|(_, word)| word)
}

/// A list of texts, or one text alone.
pub(crate) fn texts<'a>(node: &'a Node, out: &mut Findings) -> Option<Vec<&'a str>> {
    match &node.value {
        Value::List(items) => Some(items.iter().filter_map(|item| text(item, out)).collect()),
        Value::Scalar(scalar) if !scalar.is_nothing() => Some(vec![&scalar.text]),
        _ => wrong(node, "a list of texts", out),
    }
}

/// The items of what must be a list.
pub(crate) fn list<'a>(node: &'a Node, out: &mut Findings) -> Option<&'a [Node]> {
    if let Value::List(items) = &node.value { Some(items) } else { wrong(node, "a list", out) }
}

/// What must be a mapping.
pub(crate) fn mapping<'a>(node: &'a Node, out: &mut Findings) -> Option<&'a Node> {
    if matches!(node.value, Value::Map(_)) { Some(node) } else { wrong(node, "a mapping", out) }
}

/// The value of a key that must be there.
pub(crate) fn required<'a>(node: &'a Node, key: &str, out: &mut Findings) -> Option<&'a Node> {
    let value = node.get(key);
    if value.is_none() && matches!(node.value, Value::Map(_)) {
        let spot = node.entry(key).map_or(node.named, |entry| entry.named);
        out.add(Code::Missing, spot, format!("`{key}` is missing"));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        assert_eq!(nearest("reciever", ["receivers", "runbook"]), Some("receivers"));
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("", ["y"]), None);
        assert_eq!(nearest("Availability", ["availability"]), Some("availability"));
        assert_eq!(nearest("something", ["ttl", "forecast"]), None);
    }

    #[test]
    fn numbers_of_any_length_are_known_as_such() {
        assert!(is_number("0.99999999999999999999") && is_number("-1") && !is_number("1e5") && !is_number("."));
    }

    #[test]
    fn what_is_quoted_is_short() {
        assert_eq!(shortened("one\ntwo"), "one");
        assert_eq!(shortened(&"ä".repeat(99)).chars().count(), 63);
    }
}
