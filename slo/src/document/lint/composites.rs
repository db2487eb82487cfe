//! Composites against their components: 008, 045.

use std::collections::HashMap;

use crate::document::compile::Compiled;
use crate::document::finding::{Code, Findings};
use crate::document::read::{Kind, Set, shortened};
use crate::document::tree::Spot;
use crate::spec::{Component, Method, Sli, Slo, TimeSpan};

pub(super) fn judge(compiled: &[Compiled], set: &Set<'_>, out: &mut Findings) {
    let by_id: HashMap<&str, &Slo> = compiled.iter().map(|one| (one.slo.id.as_str(), &one.slo)).collect();
    for one in compiled {
        let Sli::Composite(components) = &one.slo.sli else { continue };
        for (component, at) in components.iter().zip(&one.at.components) {
            match by_id.get(component.slo.as_str()) {
                Some(part) => judge_part(&one.slo, component, part, *at, out),
                None => judge_absent(component, *at, set, out),
            }
        }
    }
}

/// An SLO that is there but could not be compiled was told of.
fn judge_absent(component: &Component, at: Spot, set: &Set<'_>, out: &mut Findings) {
    let name = component.slo.split_once(':').map_or(component.slo.as_str(), |(name, _)| name);
    if set.get(Kind::Slo, name).is_none() {
        set.find(Kind::Slo, &component.slo, at, out);
    }
}

fn judge_part(whole: &Slo, component: &Component, part: &Slo, at: Spot, out: &mut Findings) {
    let name = shortened(&component.slo);
    if matches!(part.sli, Sli::Composite(_)) {
        out.add(Code::Composite, at, format!("`{name}` is a composite itself"));
        return;
    }
    if way(part.method) != way(whole.method) {
        let (one, other) = (whole.method.name(), part.method.name());
        let raw = out.add(Code::Composite, at, format!("the composite counts {one}, `{name}` counts {other}"));
        raw.help("all parts need one method and one length of slices");
    }
    if component.module.is_none()
        && part.selector.group_by.module
        && part.selector.module.single().is_none()
        && whole.selector.module != part.selector.module
    {
        let raw = out.add(Code::Composite, at, format!("`{name}` may have several modules: which one is meant?"));
        raw.help("give the component's `module`");
    }
}

/// Method and length of slices.
const fn way(method: Method) -> (&'static str, Option<TimeSpan>) {
    match method {
        Method::Occurrences => (method.name(), None),
        Method::Timeslices { slice, .. } | Method::RatioTimeslices { slice } => (method.name(), Some(slice)),
    }
}
