//! What is to be written: a tree without places.

use std::fmt::Display;

use crate::document::tree::{Node, Value};

/// A value to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Yaml {
    /// `null`.
    Nothing,
    /// A token that stands as it is: a number, a length of time, a share, a flag.
    Plain(String),
    /// A text, quoted where it must be.
    Text(String),
    /// A sequence.
    List(Vec<Self>),
    /// A mapping, in this order.
    Map(Vec<(String, Self)>),
}

impl Yaml {
    /// A text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number, length, share or flag of our own: its text must be a [token](is_token).
    pub(crate) fn plain(value: impl Display) -> Self {
        let text = value.to_string();
        if is_token(&text) { Self::Plain(text) } else { Self::Text(text) }
    }

    /// What was read: numbers stay numbers, and what stood in quotes stays text.
    pub(crate) fn of(node: &Node) -> Self {
        match &node.value {
            Value::Scalar(scalar) if scalar.is_nothing() => Self::Nothing,
            Value::Scalar(scalar) if !scalar.is_quoted && is_token(&scalar.text) => Self::Plain(scalar.text.clone()),
            Value::Scalar(scalar) => Self::Text(scalar.text.clone()),
            Value::List(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::Map(entries) => {
                Self::Map(entries.iter().map(|entry| (entry.key.clone(), Self::of(&entry.node))).collect())
            }
        }
    }
}

/// Whether a text means the same without quotes, wherever it stands, as it does by itself.
fn is_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_body = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-+%/".contains(byte);
    let starts_well = match bytes {
        [first, ..] if first.is_ascii_alphanumeric() => true,
        [b'-' | b'+' | b'.', second, ..] => second.is_ascii_digit(),
        _ => false,
    };
    starts_well && bytes.iter().all(is_body) && !text.eq_ignore_ascii_case("null")
}

/// A mapping while it is put together, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(String, Yaml)>);

impl Fields {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// With one more.
    pub(crate) fn with(mut self, key: &str, value: Yaml) -> Self {
        self.0.push((key.to_owned(), value));
        self
    }

    /// With one more, where there is one.
    pub(crate) fn with_some(self, key: &str, value: Option<Yaml>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Sets a key: where it stands if it does, else at the end.
    pub(crate) fn set(&mut self, key: &str, value: Yaml) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, place)) => *place = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    /// All of them; `None` where there are none.
    pub(crate) fn some(self) -> Option<Yaml> {
        (!self.0.is_empty()).then(|| self.into())
    }
}

impl From<Fields> for Yaml {
    fn from(fields: Fields) -> Self {
        Self::Map(fields.0)
    }
}

impl FromIterator<(String, Yaml)> for Fields {
    fn from_iter<T: IntoIterator<Item = (String, Yaml)>>(entries: T) -> Self {
        Self(entries.into_iter().collect())
    }
}
