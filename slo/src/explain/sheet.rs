//! What an explanation is made of: sections of rows, each with a text for people and numbers for programs.

use std::fmt;

use super::words;
use crate::exact::{Fraction, Quotient};

/// An explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The SLO's id.
    pub slo: String,
    /// Its revision.
    pub revision: String,
    /// What is told, in reading order.
    pub sections: Vec<Section>,
}

/// A part of an explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Its name in JSON: `promise`, `tiers`.
    pub name: &'static str,
    /// What people read above it.
    pub title: String,
    /// Its rows.
    pub rows: Vec<Row>,
    /// Each row is a thing of its own: in JSON a list of objects that have the label as `name`. Else the numbers of all
    /// rows make one object.
    pub is_list: bool,
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is about.
    pub label: String,
    /// For people.
    pub text: String,
    /// For programs.
    pub numbers: Vec<Number>,
}

/// A number with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// The key in JSON; of a length of time without its ending.
    pub name: &'static str,
    /// What it is.
    pub value: Value,
}

/// What a number is, so that each is written as its kind is (`slo.md` 2.1).
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A word.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// A count, as a number.
    Count(u64),
    /// A ratio or a sum of ratios, as a number with nine places.
    Ratio(Quotient),
    /// A target, factor, burn or budget as a string: the exact decimal, else the fraction.
    Exact(Fraction),
    /// A burn that was counted, as a string with nine places.
    Burn(Quotient),
    /// Seconds; `None`: never. Written twice, as `<name>_s` with three places and as `<name>_exact`.
    Seconds(Option<Fraction>),
}

/// A value as JSON has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// A string.
    Text(String),
    /// A number, by its digits.
    Number(String),
    /// A boolean.
    Flag(bool),
    /// `null`.
    Nothing,
}

impl Number {
    /// Its keys and values in JSON.
    #[must_use]
    pub fn written(&self) -> Vec<(String, Written)> {
        let one = |written: Written| vec![(self.name.to_owned(), written)];
        match &self.value {
            Value::Text(text) => one(Written::Text(text.clone())),
            Value::Flag(flag) => one(Written::Flag(*flag)),
            Value::Count(count) => one(Written::Number(count.to_string())),
            Value::Ratio(ratio) => one(Written::Number(ratio.to_string())),
            Value::Exact(exact) => one(Written::Text(exact.to_string())),
            Value::Burn(burn) => one(Written::Text(burn.to_string())),
            Value::Seconds(seconds) => {
                let rounded = seconds.map(|seconds| words::decimals(seconds.quotient().rounded(3).unsigned_abs(), 3));
                let exact = seconds.map(|seconds| seconds.to_string());
                vec![
                    (format!("{}_s", self.name), rounded.map_or(Written::Nothing, Written::Number)),
                    (format!("{}_exact", self.name), exact.map_or(Written::Nothing, Written::Text)),
                ]
            }
        }
    }
}

impl Section {
    /// A section whose numbers make one object.
    pub(super) fn new(name: &'static str, title: impl Into<String>, rows: Vec<Row>) -> Self {
        Self { name, title: title.into(), rows, is_list: false }
    }

    /// A section whose rows are things of their own.
    pub(super) fn list(name: &'static str, title: impl Into<String>, rows: Vec<Row>) -> Self {
        Self { is_list: true, ..Self::new(name, title, rows) }
    }
}

impl Row {
    /// A row without numbers.
    pub(super) fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self { label: label.into(), text: text.into(), numbers: Vec::new() }
    }

    /// The same row with one more number.
    pub(super) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.numbers.push(Number { name, value });
        self
    }

    /// The number of this name.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<&Value> {
        self.numbers.iter().find(|number| number.name == name).map(|number| &number.value)
    }
}

impl fmt::Display for Explanation {
    /// As a terminal shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  (revision {})", self.slo, self.revision)?;
        self.sections.iter().try_for_each(|section| write!(f, "\n{section}"))
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let width = self.rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0);
        self.rows.iter().try_for_each(|row| writeln!(f, "  {:<width$}  {}", row.label, row.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &'static str, value: Value) -> Vec<(String, Written)> {
        Number { name, value }.written()
    }

    /// `slo.md` 2.1: 9 places for ratios, targets and burns as strings, lengths of time twice.
    #[test]
    fn each_kind_of_number_is_written_as_the_page_says() {
        let text = |text: &str| Written::Text(text.to_owned());
        let number = |digits: &str| Written::Number(digits.to_owned());
        let third = Fraction::new(518_400, 7);
        assert_eq!(
            written("lasts", Value::Seconds(Some(third))),
            [("lasts_s".to_owned(), number("74057.143")), ("lasts_exact".to_owned(), text("518400/7"))]
        );
        assert_eq!(
            written("lasts", Value::Seconds(None)),
            [("lasts_s".to_owned(), Written::Nothing), ("lasts_exact".to_owned(), Written::Nothing)]
        );
        let sli = Value::Ratio(Fraction::new(19, 21).quotient());
        assert_eq!(written("sli", sli), [("sli".to_owned(), number("0.904761905"))]);
        let factor = Value::Exact(Fraction::new(14, 15));
        assert_eq!(written("factor", factor), [("factor".to_owned(), text("14/15"))]);
        let target = Value::Exact(Fraction::new(999, 1_000));
        assert_eq!(written("target", target), [("target".to_owned(), text("0.999"))]);
    }

    #[test]
    fn a_terminal_shows_labels_in_a_column() {
        let rows = vec![Row::new("target", "99.9 %"), Row::new("method", "Occurrences"), Row::new("a", "b")];
        let section = Section::new("promise", "Promise", rows);
        assert_eq!(section.to_string(), "Promise\n  target  99.9 %\n  method  Occurrences\n  a       b\n");
    }
}
