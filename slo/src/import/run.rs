//! The way of an import, from texts to documents and findings.

use std::fmt;
use std::str::FromStr;

use super::map::Map;
use super::{finish, openslo, pyrra, slo_generator, sloth};
use crate::document::{Document, Finding, Findings, Node, Severity, Value, place, read_objects, read_roots, trees};
use crate::spec::TimeSpan;

/// Whose language definitions are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tool {
    /// Sloth: `prometheus/v1`, and `PrometheusServiceLevel` and `AlertWindows` of `sloth.slok.dev/v1`.
    Sloth,
    /// OpenSLO in any version, and `bailiwick/v1` itself.
    OpenSlo,
    /// Pyrra: `ServiceLevelObjective` of `pyrra.dev/v1alpha1`.
    Pyrra,
    /// Google's slo-generator: `ServiceLevelObjective` of `sre.google.com/v2`, and its shared configuration.
    SloGenerator,
}

impl Tool {
    /// All of them, as they are listed.
    pub const ALL: [Self; 4] = [Self::Sloth, Self::OpenSlo, Self::Pyrra, Self::SloGenerator];

    /// The published name, the value of `--from`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sloth => "sloth",
            Self::OpenSlo => "openslo",
            Self::Pyrra => "pyrra",
            Self::SloGenerator => "slo-generator",
        }
    }
}

impl FromStr for Tool {
    type Err = UnknownTool;

    fn from_str(text: &str) -> Result<Self, UnknownTool> {
        Self::ALL.into_iter().find(|tool| tool.name() == text).ok_or(UnknownTool)
    }
}

/// A tool that is none of [`Tool::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownTool;

impl fmt::Display for UnknownTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tool is one of sloth, openslo, pyrra, slo-generator")
    }
}

impl std::error::Error for UnknownTool {}

/// What is known beside the texts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Names and texts of what says when to alert: sloth's `AlertWindows`, slo-generator's shared configuration. They
    /// may stand among the files as well.
    pub windows: &'a [(&'a str, &'a str)],
    /// Name and text of the map: `NAME: {module: .., sli: {kind: ..}}`, by the names of the documents that are written,
    /// or those of the source.
    pub map: Option<(&'a str, &'a str)>,
    /// The period of sloth's SLOs, which their documents do not say; `None`: that of the only `AlertWindows`, else 30
    /// d.
    pub period: Option<TimeSpan>,
}

/// What became of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Objects of `bailiwick/v1`, in the order of the texts, sloth's named windows first. Where there are error
    /// findings, those that could be made; one of them may be what an error is about.
    pub documents: Vec<Document>,
    /// What is wrong, what is not taken over, and what is inactive, by file and position in the source. What is told of
    /// a document that was written names its path in the message.
    pub findings: Vec<Finding>,
}

impl Imported {
    /// Whether no finding is an error.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Error)
    }
}

/// Turns the definitions of a tool into documents. `files` are names and texts.
///
/// Everything that is wrong is told at once, by file and position. Nothing panics.
#[must_use]
pub fn import(tool: Tool, files: &[(&str, &str)], options: &Options<'_>) -> Imported {
    let mut out = Findings::default();
    let texts = files.iter().chain(options.windows);
    let (mut names, mut roots) = (Vec::new(), Vec::new());
    for ((name, text), file) in texts.zip(0..) {
        names.push(*name);
        roots.extend(read_roots(file, text, &mut out));
    }
    let map_file = u32::try_from(names.len()).unwrap_or(u32::MAX);
    names.extend(options.map.map(|(name, _)| name));
    let mut map = Map::read(options.map.map_or("", |(_, text)| text), map_file, &mut out);
    // Documents of OpenSLO refer to each other, and are read as such.
    let (roots, objects) = match tool {
        Tool::OpenSlo => (Vec::new(), read_objects(roots, &mut out)),
        _ => (roots.into_iter().flat_map(items).collect(), Vec::new()),
    };
    let made = match tool {
        Tool::Sloth => sloth::read(&roots, options.period, &mut map, &mut out),
        Tool::Pyrra => pyrra::read(&roots, &mut map, &mut out),
        Tool::SloGenerator => slo_generator::read(&roots, &mut map, &mut out),
        Tool::OpenSlo => openslo::read(&objects, &names, &mut map, &mut out),
    };
    map.tell_unused(&mut out);
    let documents = finish::judge(made, tool, &names, &mut out);
    let mut trees = trees(&objects);
    trees.extend(roots.iter().chain(map.root()).map(|node| (node, "")));
    Imported { documents, findings: place(out, &trees, &names) }
}

/// The objects of a document: itself, the items of a sequence, or those of a Kubernetes list.
fn items(root: Node) -> Vec<Node> {
    if root.is_nothing() {
        return Vec::new();
    }
    let is_list = root.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List"));
    if is_list && let Some(items) = root.get("items") {
        return items.items().to_vec();
    }
    match root.value {
        Value::List(items) => items,
        _ => vec![root],
    }
}
