//! Reads Prometheus' text format 0.0.4 strictly enough to be an oracle: what a server would not take is an error.

use std::collections::BTreeMap;

/// One line of a scrape.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name of the series' metric (`x_total`, `x_bucket`).
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Value.
    pub value: f64,
}

impl Sample {
    /// The value of a label; empty when it is absent, as Prometheus has it.
    #[must_use]
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// The sum of all samples of this name that carry these labels.
#[must_use]
pub fn sum(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let matches =
        |sample: &&Sample| sample.name == name && labels.iter().all(|(key, value)| sample.label(key) == *value);
    samples.iter().filter(matches).map(|sample| sample.value).sum()
}

/// Parses a scrape.
///
/// # Errors
/// The first line that is neither empty, a comment nor a sample.
pub fn parse(text: &str) -> Result<Vec<Sample>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| sample(line).ok_or_else(|| format!("line {}: no sample: {line}", number + 1))).collect()
}

fn sample(line: &str) -> Option<Sample> {
    let name_end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(name_end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (label, after) = rest.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            labels.insert(label.to_owned(), value);
            rest = after.strip_prefix(',').unwrap_or(after);
        }
    }
    let value = rest.strip_prefix(' ')?.split(' ').next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// A label value up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                other @ ('\\' | '"') => other,
                _ => return None,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_braces_quotes_and_newlines() {
        let text = "# HELP x y\nx_total{a=\"}{\",b=\"q\\\"\\\\\\n\"} 3\n\nx_total 1e3 1700000000000\n";
        let samples = parse(text).expect("it is well formed");
        assert_eq!(samples.len(), 2);
        assert_eq!((samples[0].label("a"), samples[0].label("b")), ("}{", "q\"\\\n"));
        assert_eq!(sum(&samples, "x_total", &[]).to_string(), "1003");
        assert_eq!(sum(&samples, "x_total", &[("a", "}{")]).to_string(), "3");
    }

    #[test]
    fn what_is_no_sample_is_an_error_with_its_line() {
        for bad in ["x", "x{a=\"b\" 1", "x{a=\"\\q\"} 1", "x{} one"] {
            assert_eq!(
                parse(&format!("y 1\n{bad}")).map_err(|error| error[..6].to_owned()),
                Err("line 2".to_owned()),
                "{bad}"
            );
        }
    }
}
