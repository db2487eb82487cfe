//! The tree: nodes, their places, their paths.

use std::collections::BTreeMap;

/// Where something was written. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Spot {
    /// Which file, in the order in which they were given.
    pub(crate) file: u32,
    /// Line.
    pub(crate) line: u32,
    /// Column.
    pub(crate) column: u32,
    /// It is a key's, not a value's: the first key of a block mapping begins where the mapping does.
    pub(crate) is_key: bool,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// Where the value begins.
    pub(crate) at: Spot,
    /// Where its key begins; without a key, where the value does.
    pub(crate) named: Spot,
    /// What was written.
    pub(crate) value: Value,
}

/// What may stand behind a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text, a number, a flag or nothing.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written, no key twice.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: String,
    /// Its value.
    pub(crate) node: Node,
}

/// A scalar as it is written, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    /// The text.
    pub(crate) text: String,
    /// It stood in quotes or in a block, which makes it text whatever it looks like.
    pub(crate) is_quoted: bool,
    /// Where a text within this text begins, and how far its lines are indented: `None` where escapes or folds make
    /// that a guess.
    pub(crate) inner: Option<(u32, u32)>,
}

impl Scalar {
    /// Whether it is `null`, `~` or nothing.
    pub(crate) fn is_nothing(&self) -> bool {
        !self.is_quoted && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Node {
    /// The value of a key, also one that is nothing.
    pub(crate) fn entry(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The value of a key, where it is something.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).filter(|node| !node.is_nothing())
    }

    /// Whether nothing was written.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_nothing())
    }

    /// The entries of a mapping; of anything else none.
    pub(crate) fn entries(&self) -> &[Entry] {
        if let Value::Map(entries) = &self.value { entries } else { &[] }
    }

    /// The items of a list; of anything else none.
    pub(crate) fn items(&self) -> &[Self] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// Its text, if it is a scalar and not nothing.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if !scalar.is_nothing() => Some(&scalar.text),
            _ => None,
        }
    }

    /// What kind of value it is, for sentences.
    pub(crate) fn shape(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) if scalar.is_nothing() => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// Nodes in it with itself, and how deep they go.
    pub(crate) fn extent(&self) -> (usize, usize) {
        let of = |children: &mut dyn Iterator<Item = &Self>| {
            children.map(Self::extent).fold((1, 1), |(count, depth), (more, deep)| (count + more, depth.max(deep + 1)))
        };
        match &self.value {
            Value::Scalar(_) => (1, 1),
            Value::List(items) => of(&mut items.iter()),
            Value::Map(entries) => of(&mut entries.iter().map(|entry| &entry.node)),
        }
    }
}

/// Works out the paths from a node down to what begins at the wanted spots: `spec.objectives[0].target`. One walk for
/// all of them, so that a text full of faults costs no more than its length.
pub(crate) fn find_paths(node: &Node, prefix: &str, wanted: &mut BTreeMap<Spot, Option<String>>) {
    let mut steps = if prefix.is_empty() { Vec::new() } else { vec![prefix.to_owned()] };
    walk(node, &mut steps, wanted);
}

fn walk(node: &Node, steps: &mut Vec<String>, wanted: &mut BTreeMap<Spot, Option<String>>) {
    for spot in [node.named, node.at] {
        if let Some(path @ None) = wanted.get_mut(&spot) {
            *path = Some(steps.concat().trim_start_matches('.').to_owned());
        }
    }
    let mut below = |step: String, child: &Node| {
        steps.push(step);
        walk(child, steps, wanted);
        steps.pop();
    };
    match &node.value {
        Value::Scalar(_) => {}
        Value::List(items) => items.iter().enumerate().for_each(|(place, item)| below(format!("[{place}]"), item)),
        Value::Map(entries) => entries.iter().for_each(|entry| below(format!(".{}", entry.key), &entry.node)),
    }
}
