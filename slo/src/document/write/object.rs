//! An object of `bailiwick/v1` to be written.

use super::render::render;
use super::{Fields, Yaml};
use crate::document::read::Kind;

/// An object of `bailiwick/v1` that [`load`](crate::document::load) reads: an SLO, or a named set of tiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    kind: Kind,
    name: String,
    root: Yaml,
}

impl Document {
    /// An object with what belongs to its `metadata` beside the name, and its `spec`.
    pub(crate) fn new(kind: Kind, name: &str, beside: Fields, spec: Yaml) -> Self {
        let mut metadata = Fields::new().with("name", Yaml::text(name));
        if let Yaml::Map(entries) = Yaml::from(beside) {
            entries.into_iter().for_each(|(key, value)| metadata.set(&key, value));
        }
        let root = Fields::new()
            .with("apiVersion", Yaml::plain("bailiwick/v1"))
            .with("kind", Yaml::plain(kind.name()))
            .with("metadata", metadata.into())
            .with("spec", spec);
        Self { kind, name: name.to_owned(), root: root.into() }
    }

    /// Its kind: `SLO` or `AlertWindows`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind.name()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its YAML: the same for the same object, with an end of line at its end.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        render(&self.root)
    }
}

/// The YAML of several objects, in this order, as one file.
#[must_use]
pub fn write(documents: &[Document]) -> String {
    documents.iter().map(Document::to_yaml).collect::<Vec<_>>().join("---\n")
}
