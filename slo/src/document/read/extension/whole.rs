//! Our extension of an SLO: `spec.bailiwick` (`slo.md` 1.3).

use super::patch::{self, PatchAt};
use crate::document::finding::{Code, Findings};
use crate::document::read::indicator::{OurSli, read_ours};
use crate::document::read::value::{list, mapping, texts, whole, word, wrong};
use crate::document::read::{ANNOTATION_PATH, Set};
use crate::document::tree::{Node, Spot, Value};
use crate::spec::{Globs, GroupBy};

/// Overrides of an SLO: each is judged against the others, so that their number has a bound.
const OVERRIDES_MAX: usize = 1_000;
/// What holds where no `instancesMax` is written.
const INSTANCES_MAX: u32 = 2_000;

/// What the extension says.
#[derive(Debug)]
pub(crate) struct Extension {
    /// Tenants, and where they stand.
    pub(crate) tenant: (Globs, Option<Spot>),
    /// Modules; `None`: the service.
    pub(crate) module: Option<Globs>,
    /// Operations.
    pub(crate) operation: Globs,
    /// What instances are made by.
    pub(crate) group_by: GroupBy,
    /// What replaces the indicator; the inner `None`: it could not be read.
    pub(crate) sli: Option<Option<OurSli>>,
    /// What overrides may change.
    pub(crate) base: PatchAt,
    /// Instances that it may have, and where that stands.
    pub(crate) instances_max: (u32, Option<Spot>),
    /// Overrides.
    pub(crate) overrides: Vec<RuleAt>,
    /// Its path in the object.
    pub(crate) path: &'static str,
}

/// An override and where it stands.
#[derive(Debug)]
pub(crate) struct RuleAt {
    /// Its tenants.
    pub(crate) tenant: Globs,
    /// Its modules.
    pub(crate) module: Globs,
    /// What it sets.
    pub(crate) set: PatchAt,
    /// Where it begins.
    pub(crate) at: Spot,
    /// Where its tenants stand.
    pub(crate) tenant_at: Option<Spot>,
    /// Its place in the list.
    pub(crate) index: usize,
}

/// Reads the extension of an SLO, or what holds without one.
pub(crate) fn read(spec: &Node, annotated: Option<&Node>, set: &Set<'_>, out: &mut Findings) -> Extension {
    let inline = spec.get("bailiwick");
    if let (Some(inline), Some(_)) = (inline, annotated) {
        let raw = out.add(Code::TwoExtensions, inline.named, "the extension is given here and in the annotation");
        raw.help("keep one of them");
    }
    let path = if inline.is_none() && annotated.is_some() { ANNOTATION_PATH } else { "spec.bailiwick" };
    let mut extension = Extension {
        tenant: (Globs::of_tenants(["*"]), None),
        module: None,
        operation: Globs::new(["*"]),
        group_by: GroupBy { tenant: true, module: true },
        sli: None,
        base: PatchAt::default(),
        instances_max: (INSTANCES_MAX, None),
        overrides: Vec::new(),
        path,
    };
    if let Some(node) = inline.or(annotated).and_then(|node| mapping(node, out)) {
        extension.fill(node, set, out);
    }
    extension
}

impl Extension {
    fn fill(&mut self, node: &Node, set: &Set<'_>, out: &mut Findings) {
        if let Some(tenant) = node.get("tenant") {
            self.tenant = (patterns(tenant, true, out), Some(tenant.at));
        }
        self.module = node.get("module").map(|node| patterns(node, false, out));
        if let Some(operation) = node.get("operation") {
            self.operation = patterns(operation, false, out);
        }
        if let Some(group_by) = node.get("groupBy") {
            self.group_by = grouping(group_by, out);
        }
        // An SLI of the extension has all that it needs itself.
        self.sli = node.get("sli").map(|sli| read_ours(sli, Some(sli), out));
        self.base = patch::read(node, false, set, out);
        if let Some(max) = node.get("instancesMax") {
            self.instances_max = (whole(max, out).unwrap_or(INSTANCES_MAX), Some(max.at));
        }
        let overrides = node.get("overrides").and_then(|node| list(node, out)).unwrap_or_default();
        if let Some(first) = overrides.get(OVERRIDES_MAX) {
            out.add(Code::Syntax, first.at, format!("more than {OVERRIDES_MAX} overrides"));
        }
        for (index, item) in overrides.iter().take(OVERRIDES_MAX).enumerate() {
            if let Some(item) = mapping(item, out) {
                self.overrides.push(RuleAt::read(index, item, set, out));
            }
        }
    }
}

impl RuleAt {
    fn read(index: usize, node: &Node, set: &Set<'_>, out: &mut Findings) -> Self {
        let of = |key: &str, is_tenants: bool, out: &mut Findings| match node.get(key) {
            Some(node) => patterns(node, is_tenants, out),
            None if is_tenants => Globs::of_tenants(["*"]),
            None => Globs::new(["*"]),
        };
        Self {
            tenant: of("tenant", true, out),
            module: of("module", false, out),
            set: patch::read(node, true, set, out),
            at: node.at,
            tenant_at: node.get("tenant").map(|node| node.at),
            index,
        }
    }
}

/// One pattern or a list of them.
fn patterns(node: &Node, is_tenants: bool, out: &mut Findings) -> Globs {
    let patterns = texts(node, out).unwrap_or_default();
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        wrong::<()>(node, "at least one pattern", out);
    }
    if is_tenants { Globs::of_tenants(patterns) } else { Globs::new(patterns) }
}

fn grouping(node: &Node, out: &mut Findings) -> GroupBy {
    let one = std::slice::from_ref(node);
    let items = if let Value::List(items) = &node.value { items } else { one };
    let words = [("tenant", true), ("module", false)];
    let keys: Vec<_> = items.iter().filter_map(|item| word(item, &words, Code::UnknownOurKey, out)).collect();
    GroupBy { tenant: keys.contains(&true), module: keys.contains(&false) }
}
