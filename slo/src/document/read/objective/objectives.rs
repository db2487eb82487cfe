//! Objectives of an SLO: target, slices, indicator.

use super::target;
use crate::document::finding::{Code, Findings};
use crate::document::read::indicator::{self, Indicator, weight_of};
use crate::document::read::value::{Length, any_length, decimal, list, mapping, required, text, word};
use crate::document::read::{Scope, Version};
use crate::document::tree::{Node, Spot};
use crate::exact::Decimal;
use crate::spec::{Method, Target, TimeSpan};

/// Objectives of an SLO: each is judged with all overrides, so that their number has a bound.
const OBJECTIVES_MAX: usize = 100;
const MINUTE: TimeSpan = TimeSpan(60);

/// An objective.
#[derive(Debug)]
pub(crate) struct Objective {
    /// What people call it.
    pub(crate) display_name: String,
    /// Its name in ids: the display name as a slug, else its index.
    pub(crate) slug: String,
    /// Its target.
    pub(crate) target: Option<(Target, Spot)>,
    /// How good and bad are added up.
    pub(crate) method: Option<Method>,
    /// Where the length of slices stands.
    pub(crate) slice_at: Option<Spot>,
    /// What is good of what; `None`: there is none that could be read, or the extension's holds.
    pub(crate) indicator: Option<Indicator>,
    /// It has an indicator of its own.
    pub(crate) is_own: bool,
    /// What it weighs in the composite of all.
    pub(crate) weight: Decimal,
    /// Where it begins.
    pub(crate) at: Spot,
    /// Where its name stands.
    pub(crate) name_at: Spot,
}

/// The three methods by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Occurrences,
    Timeslices,
    RatioTimeslices,
}

/// Reads the objectives. `is_replaced`: the extension has the indicator of all of them.
pub(crate) fn read(spec: &Node, is_replaced: bool, scope: Scope<'_>, out: &mut Findings) -> Vec<Objective> {
    let version = scope.version;
    let methods = [
        ("Occurrences", Named::Occurrences),
        ("Timeslices", Named::Timeslices),
        ("RatioTimeslices", Named::RatioTimeslices),
    ];
    let method = required(spec, "budgetingMethod", out).and_then(|node| word(node, &methods, Code::Method, out));
    let Some(written) = required(spec, "objectives", out) else {
        if !is_replaced {
            check_indicators(spec, &[], version, out);
        }
        return Vec::new();
    };
    let items = list(written, out).unwrap_or_default();
    if items.is_empty() {
        out.add(Code::Missing, written.named, "an SLO without objectives");
    }
    // What the extension replaces may be missing as a whole, but not in part.
    let is_needed = !is_replaced || items.iter().chain([spec]).any(|node| indicator::place(node, version).is_some());
    if is_needed {
        check_indicators(spec, items, version, out);
    }
    if let Some(first) = items.get(OBJECTIVES_MAX) {
        out.add(Code::Syntax, first.at, format!("more than {OBJECTIVES_MAX} objectives"));
    }
    let mut objectives = Vec::new();
    for (index, item) in items.iter().take(OBJECTIVES_MAX).enumerate() {
        let Some(item) = mapping(item, out) else { continue };
        let mut objective = objective(index, item, out);
        objective.method = method.and_then(|method| slices(item, method, version, out));
        objective.slice_at = item.get("timeSliceWindow").map(|node| node.at);
        objective.is_own = indicator::place(item, version).is_some();
        let holder = if objective.is_own { item } else { spec };
        objective.indicator = read_indicator(holder, item, is_replaced, scope, out);
        objectives.push(objective);
    }
    objectives
}

/// What the extension replaces is read by other tools: it must be sound, but nobody needs to hear that it is foreign.
fn read_indicator(
    holder: &Node,
    objective: &Node,
    is_replaced: bool,
    scope: Scope<'_>,
    out: &mut Findings,
) -> Option<Indicator> {
    let mut found = Findings::default();
    let indicator = indicator::read(holder, objective, scope, &mut found);
    if let Some(indicator) = &indicator {
        indicator::check_comparison(indicator, objective, &mut found);
    }
    out.take_all(found, |code| !(is_replaced && code == Code::Foreign));
    indicator
}

fn objective(index: usize, node: &Node, out: &mut Findings) -> Objective {
    let display_name = node.get("displayName").and_then(|node| text(node, out)).unwrap_or_default();
    let target = target::read(node, out);
    if node.get("target").is_none() && node.get("targetPercent").is_none() {
        out.add(Code::Target, node.named, "an objective needs a `target` or a `targetPercent`");
    }
    let weight = node.get("compositeWeight").and_then(|node| weight_of(node, out));
    let slug = Some(slug(display_name)).filter(|slug| !slug.is_empty());
    Objective {
        display_name: display_name.to_owned(),
        slug: slug.unwrap_or_else(|| index.to_string()),
        target,
        method: None,
        slice_at: None,
        indicator: None,
        is_own: false,
        weight: weight.unwrap_or(Decimal::ONE),
        at: node.at,
        name_at: node.get("displayName").map_or(node.at, |node| node.at),
    }
}

/// One indicator for all, or one for each.
fn check_indicators(spec: &Node, items: &[Node], version: Version, out: &mut Findings) {
    let of_all = indicator::place(spec, version).is_some();
    let (inline, by_name) = indicator::keys(version);
    let by_name = if version == Version::V1Alpha { "ratioMetrics" } else { by_name };
    let own = items.iter().filter(|item| indicator::place(item, version).is_some()).count();
    if !of_all && own == 0 {
        let message = format!("exactly one of `{inline}` and `{by_name}` belongs here or in every objective");
        out.add(Code::Indicator, spec.named, message).help("or give `spec.bailiwick.sli`");
        return;
    }
    for item in items {
        match indicator::place(item, version) {
            Some(at) if of_all => {
                out.add(Code::Indicator, at, "the SLO has an indicator for all its objectives");
            }
            None if !of_all => {
                out.add(Code::Indicator, item.at, "other objectives have an indicator of their own, this one has none");
            }
            _ => {}
        }
    }
}

fn slices(node: &Node, method: Named, version: Version, out: &mut Findings) -> Option<Method> {
    if method == Named::Occurrences {
        return Some(Method::Occurrences);
    }
    let slice = if version == Version::V1Alpha { Some(MINUTE) } else { slice_length(node, out) };
    if method == Named::RatioTimeslices {
        return slice.map(|slice| Method::RatioTimeslices { slice });
    }
    let Some(target) = node.get("timeSliceTarget") else {
        out.add(Code::Slice, node.named, "Timeslices need a `timeSliceTarget`");
        return None;
    };
    let found = decimal(target, out)?;
    if found <= Decimal::ZERO || found > Decimal::ONE {
        out.add(Code::Slice, target.at, format!("a slice target of {found} is not above 0 and at most 1"));
        return None;
    }
    slice.map(|slice| Method::Timeslices { slice, target: found })
}

fn slice_length(node: &Node, out: &mut Findings) -> Option<TimeSpan> {
    let Some(window) = node.get("timeSliceWindow") else {
        out.add(Code::Slice, node.named, "slices need a `timeSliceWindow`");
        return None;
    };
    // A bare number is minutes.
    let bare = window.text().and_then(|text| text.parse::<u32>().ok());
    let span = match bare {
        Some(minutes) => TimeSpan(60 * u64::from(minutes)),
        None => any_length(window, out).map(Length::span)?.unwrap_or_default(),
    };
    if span.seconds() == 0 || !span.seconds().is_multiple_of(60) {
        out.add(Code::Slice, window.at, "a slice lasts whole minutes");
        return None;
    }
    Some(span)
}

/// A name for ids: lower-case letters, digits and single hyphens.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_slug_has_letters_digits_and_single_hyphens() {
        assert_eq!(slug("Foo Total Errors"), "foo-total-errors");
        assert_eq!(slug("  99.9 % "), "99-9");
        assert_eq!(slug("你好"), "");
    }
}
