//! A configuration as a tree in which every key and value remembers where it was written.
//!
//! It reads YAML's mappings, sequences and scalars and refuses the rest (aliases, tags, further documents), so that no
//! text can grow beyond its own length. It knows no key.

use std::sync::Arc;

use crate::config::problem::{Place, Source};

/// Deepest nesting of a file: twice what the settings need.
pub(in crate::config) const DEPTH_MAX: usize = 16;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it was written.
    pub place: Place,
    /// What was written.
    pub value: Value,
}

/// What may stand behind a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, a number, a flag or nothing.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written.
    Section(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key was written.
    pub key_place: Place,
    /// Its value.
    pub node: Node,
}

/// A scalar as written, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text.
    pub text: String,
    /// Whether it stood in quotes or in a block, which makes it text whatever it looks like.
    pub quoted: bool,
}

/// What a scalar means (YAML 1.2 core schema; of the flags only `true` and `false`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning<'text> {
    /// `null`, `~` or nothing.
    Nothing,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number; beyond 128 bits it counts as [`Meaning::Real`].
    Whole(i128),
    /// A number that is not whole.
    Real,
    /// Anything else.
    Text(&'text str),
}

impl Scalar {
    /// What it means.
    #[must_use]
    pub fn meaning(&self) -> Meaning<'_> {
        let text = self.text.as_str();
        if self.quoted {
            return Meaning::Text(text);
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Meaning::Nothing,
            "true" => Meaning::Flag(true),
            "false" => Meaning::Flag(false),
            _ => number(text).unwrap_or(Meaning::Text(text)),
        }
    }
}

fn number(text: &str) -> Option<Meaning<'_>> {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !body.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    match text.parse::<i128>() {
        Ok(whole) => Some(Meaning::Whole(whole)),
        Err(_) => text.parse::<f64>().is_ok().then_some(Meaning::Real),
    }
}

impl Node {
    /// An empty mapping at the beginning of a source.
    #[must_use]
    pub fn empty(source: &Arc<Source>) -> Self {
        Self { place: Place::new(source, 0, 0), value: Value::Section(Vec::new()) }
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.meaning() == Meaning::Nothing)
    }

    /// The entry of a mapping.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        let Value::Section(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == key)
    }

    /// The node at a path such as `receiver.grpc.listen[0]`, or the nearest node above it.
    #[must_use]
    pub fn nearest(&self, path: &str) -> &Self {
        let mut node = self;
        let mut rest = path;
        while !rest.is_empty() {
            // A key of the operator's own may hold dots.
            if let Some(entry) = node.entry(rest) {
                return &entry.node;
            }
            let (step, after) = rest.split_at(
                rest.char_indices().skip(1).find(|(_, c)| matches!(c, '.' | '[')).map_or(rest.len(), |(at, _)| at),
            );
            rest = after.strip_prefix('.').unwrap_or(after);
            let index = step.strip_prefix('[').and_then(|step| step.strip_suffix(']'));
            let next = match (&node.value, index) {
                (Value::List(items), Some(index)) => index.parse().ok().and_then(|index: usize| items.get(index)),
                _ => node.entry(step).map(|entry| &entry.node),
            };
            match next {
                Some(next) => node = next,
                None => return node,
            }
        }
        node
    }

    /// The tree as JSON, for the typed reading.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Section(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect(),
            Value::Scalar(scalar) => match scalar.meaning() {
                Meaning::Nothing => serde_json::Value::Null,
                Meaning::Flag(flag) => flag.into(),
                Meaning::Whole(whole) => match (u64::try_from(whole), i64::try_from(whole)) {
                    (Ok(whole), _) => whole.into(),
                    (_, Ok(whole)) => whole.into(),
                    _ => scalar.text.as_str().into(),
                },
                Meaning::Real | Meaning::Text(_) => scalar.text.as_str().into(),
            },
        }
    }
}

/// Lays `over` on `under`: mappings merge, all else is replaced.
#[must_use]
pub(in crate::config) fn merge(under: Node, over: Node) -> Node {
    let (mut entries, over_entries) = match (under.value, over.value) {
        (Value::Section(entries), Value::Section(over_entries)) => (entries, over_entries),
        (_, value) => return Node { place: over.place, value },
    };
    for entry in over_entries {
        match entries.iter().position(|known| known.key == entry.key) {
            Some(at) => {
                let Entry { key, node, .. } = entries.remove(at);
                let merged = Entry { key, key_place: entry.key_place, node: merge(node, entry.node) };
                entries.insert(at, merged);
            }
            None => entries.push(entry),
        }
    }
    Node { place: under.place, value: Value::Section(entries) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problem::SourceKind;

    fn plain(text: &str) -> Scalar {
        Scalar { text: text.to_owned(), quoted: false }
    }

    #[test]
    fn only_true_and_false_are_flags() {
        assert_eq!(plain("true").meaning(), Meaning::Flag(true));
        for text in ["yes", "on", "True", "TRUE", "y"] {
            assert_eq!(plain(text).meaning(), Meaning::Text(text));
        }
    }

    #[test]
    fn quotes_make_text_of_anything() {
        for text in ["1", "true", "", "null"] {
            assert_eq!(Scalar { text: text.to_owned(), quoted: true }.meaning(), Meaning::Text(text));
        }
    }

    #[test]
    fn a_path_leads_to_its_node_or_to_the_nearest_above() {
        let text = "{l: [a, {k: b}], m: {x.y: c}, é: d}".to_owned();
        let source = Arc::new(Source { name: "x".to_owned(), text, kind: SourceKind::File, rank: 0 });
        let (node, _) = crate::config::written::read(&source, 0);
        let node = node.expect("it is a mapping");
        for (path, text) in [("l[0]", "a"), ("l[1].k", "b"), ("m.x.y", "c"), ("é", "d"), ("l[0].k.z", "a")] {
            let place = &node.nearest(path).place;
            assert_eq!(&place.source.text[place.start..place.end], text, "{path}");
        }
        assert_eq!(node.nearest("nothing[3"), &node);
    }

    #[test]
    fn addresses_and_durations_are_no_numbers() {
        for text in ["127.0.0.1:4317", "1h30m", "10s", "inf", "nan", "-", "64MiB"] {
            assert_eq!(plain(text).meaning(), Meaning::Text(text));
        }
        assert_eq!(plain("-3").meaning(), Meaning::Whole(-3));
        assert_eq!(plain("1e3").meaning(), Meaning::Real);
    }
}
