//! The envelope: version, kind, name, and our extension in an annotation.

use super::value::{nearest, required, shortened, text};
use crate::document::finding::{Code, Findings, FixAt, Severity};
use crate::document::tree::{self, Node, Origin, Spot, Value};

/// The annotation that holds our extension as YAML text.
pub(crate) const ANNOTATION: &str = "bailiwick.dev/slo";
/// Its path in the object.
pub(crate) const ANNOTATION_PATH: &str = "metadata.annotations.bailiwick.dev/slo";
const DESCRIPTION_MAX: usize = 1_050;
const NAME_BYTES_MAX: usize = 255;
const LABEL_BYTES_MAX: usize = 63;

/// Whose language a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Version {
    /// `openslo/v1`.
    V1,
    /// `openslo/v1alpha`.
    V1Alpha,
    /// `openslo.com/v2alpha`.
    V2Alpha,
    /// `bailiwick/v1`.
    Ours,
}

/// What a document describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Slo,
    Sli,
    Service,
    DataSource,
    AlertPolicy,
    AlertCondition,
    AlertNotificationTarget,
    BudgetAdjustment,
    AlertWindows,
}

const VERSIONS: [(&str, Version); 4] = [
    ("openslo/v1", Version::V1),
    ("openslo/v1alpha", Version::V1Alpha),
    ("openslo.com/v2alpha", Version::V2Alpha),
    ("bailiwick/v1", Version::Ours),
];

impl Version {
    const fn kinds(self) -> &'static [Kind] {
        const V1: [Kind; 7] = [
            Kind::Slo,
            Kind::Sli,
            Kind::Service,
            Kind::DataSource,
            Kind::AlertPolicy,
            Kind::AlertCondition,
            Kind::AlertNotificationTarget,
        ];
        const V2: [Kind; 8] = [V1[0], V1[1], V1[2], V1[3], V1[4], V1[5], V1[6], Kind::BudgetAdjustment];
        match self {
            Self::V1 => &V1,
            Self::V1Alpha => &[Kind::Slo, Kind::Service],
            Self::V2Alpha => &V2,
            Self::Ours => &[Kind::Slo, Kind::AlertWindows],
        }
    }
}

impl Kind {
    /// The published name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Slo => "SLO",
            Self::Sli => "SLI",
            Self::Service => "Service",
            Self::DataSource => "DataSource",
            Self::AlertPolicy => "AlertPolicy",
            Self::AlertCondition => "AlertCondition",
            Self::AlertNotificationTarget => "AlertNotificationTarget",
            Self::BudgetAdjustment => "BudgetAdjustment",
            Self::AlertWindows => "AlertWindows",
        }
    }
}

/// One object of a document.
#[derive(Debug)]
pub(crate) struct Object {
    /// Version and kind, where they are known.
    pub(crate) what: Option<(Version, Kind)>,
    /// Its name; empty: it has none.
    pub(crate) name: String,
    /// Where that stands.
    pub(crate) name_at: Spot,
    /// All of it.
    pub(crate) node: Node,
    /// Our extension from the annotation.
    pub(crate) annotated: Option<Node>,
}

impl Object {
    /// Its `spec`.
    pub(crate) fn spec(&self) -> Option<&Node> {
        self.node.get("spec")
    }

    /// Its `metadata`.
    pub(crate) fn metadata(&self) -> Option<&Node> {
        self.node.get("metadata")
    }
}

/// Takes the documents of a file apart into objects.
pub(crate) fn read(roots: Vec<Node>, out: &mut Findings) -> Vec<Object> {
    let mut objects = Vec::new();
    for root in roots {
        match root.value {
            Value::List(items) => objects.extend(items.into_iter().map(|item| object(item, out))),
            _ if root.is_nothing() => {}
            _ => objects.push(object(root, out)),
        }
    }
    objects
}

fn object(node: Node, out: &mut Findings) -> Object {
    if !matches!(node.value, Value::Map(_)) {
        out.add(Code::Syntax, node.at, format!("an object belongs here, not {}", node.shape()));
        let name_at = node.at;
        return Object { what: None, name: String::new(), name_at, node, annotated: None };
    }
    let what = version(&node, out).and_then(|version| kind(&node, version, out).map(|kind| (version, kind)));
    let metadata = if what.is_some() { required(&node, "metadata", out) } else { node.get("metadata") };
    let (name, name_at) = match metadata.and_then(|metadata| required(metadata, "name", out)) {
        Some(name) => (text(name, out).filter(|text| check_name(text, name.at, out)).unwrap_or_default(), name.at),
        None => ("", node.at),
    };
    let name = name.to_owned();
    if let Some((_, kind)) = what
        && kind != Kind::Service
    {
        required(&node, "spec", out);
    }
    if let Some(description) = node.get("spec").and_then(|spec| spec.get("description")) {
        check_description(description, out);
    }
    let annotated = annotated(&node, out);
    Object { what, name, name_at, node, annotated }
}

fn version(node: &Node, out: &mut Findings) -> Option<Version> {
    let value = required(node, "apiVersion", out)?;
    let written = text(value, out)?;
    if let Some((_, version)) = VERSIONS.iter().find(|(name, _)| *name == written) {
        if matches!(version, Version::V1Alpha | Version::V2Alpha) {
            let raw = out.add(Code::Alpha, value.at, format!("`{written}` is an alpha version"));
            raw.help("`openslo/v1` is the stable one");
        }
        return Some(*version);
    }
    let raw = out.add(Code::Kind, value.at, format!("unknown apiVersion `{}`", shortened(written)));
    let names = VERSIONS.map(|(name, _)| name);
    raw.help(format!("known ones: {}", names.join(", ")));
    if let Some(near) = nearest(written, names) {
        raw.fix(FixAt::Here, near);
    }
    None
}

fn kind(node: &Node, version: Version, out: &mut Findings) -> Option<Kind> {
    let value = required(node, "kind", out)?;
    let written = text(value, out)?;
    if let Some(kind) = version.kinds().iter().find(|kind| kind.name() == written) {
        return Some(*kind);
    }
    let raw = out.add(Code::Kind, value.at, format!("this version has no kind `{}`", shortened(written)));
    let names: Vec<_> = version.kinds().iter().map(|kind| kind.name()).collect();
    raw.help(format!("its kinds: {}", names.join(", ")));
    if let Some(near) = nearest(written, names) {
        raw.fix(FixAt::Here, near);
    }
    None
}

/// Whether a name can be used at all; tells if other tools may refuse it.
fn check_name(name: &str, at: Spot, out: &mut Findings) -> bool {
    let fault = match name {
        "" => Some("an empty name"),
        _ if name.len() > NAME_BYTES_MAX => Some("a name over 255 bytes"),
        _ if name.chars().any(char::is_control) => Some("a name with control characters"),
        _ => None,
    };
    if let Some(fault) = fault {
        out.add_as(Code::Name, Severity::Error, at, format!("{fault} cannot be used"));
        return false;
    }
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let is_label = bytes.len() <= LABEL_BYTES_MAX
        && bytes.iter().all(|byte| is_plain(*byte) || *byte == b'-')
        && bytes.first().copied().is_some_and(is_plain)
        && bytes.last().copied().is_some_and(is_plain);
    if !is_label {
        let raw = out.add(Code::Name, at, format!("`{}` is no RFC 1123 label", shortened(name)));
        raw.help("other tools want at most 63 of `a-z`, `0-9` and `-`, the ends no `-`");
    }
    true
}

/// Tells what is wrong with a data source. Its `connectionDetails` may hold secrets: nothing reads them.
pub(crate) fn check_data_source(spec: &Node, out: &mut Findings) {
    if let Some(kind) = required(spec, "type", out) {
        text(kind, out);
    }
}

fn check_description(node: &Node, out: &mut Findings) {
    let length = text(node, out).map_or(0, |text| text.chars().count());
    if length > DESCRIPTION_MAX {
        out.add(Code::Description, node.at, format!("{length} characters; at most {DESCRIPTION_MAX} are allowed"));
    }
}

fn annotated(node: &Node, out: &mut Findings) -> Option<Node> {
    let value = node.get("metadata")?.get("annotations")?.get(ANNOTATION)?;
    let Value::Scalar(scalar) = &value.value else {
        out.add(Code::Syntax, value.at, "the extension stands here as YAML text");
        return None;
    };
    // Where escapes or folds hide the place, the text is taken to begin where its scalar does.
    let (lines, columns) = scalar.inner.unwrap_or((value.at.line - 1, value.at.column - 1));
    let roots = tree::read(&scalar.text, Origin { file: value.at.file, lines, columns }, out);
    roots.into_iter().next()
}
