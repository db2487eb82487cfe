//! Targets: `target: 0.999` or `targetPercent: 99.9`.

use crate::document::finding::{Code, Findings, FixAt};
use crate::document::read::value::{decimal, is_number, shortened, wrong};
use crate::document::tree::{Node, Spot};
use crate::exact::Decimal;
use crate::spec::Target;

/// Reads the target of an objective or override: `None` if there is none or a bad one; tells of both.
pub(crate) fn read(node: &Node, out: &mut Findings) -> Option<(Target, Spot)> {
    match (node.get("target"), node.get("targetPercent")) {
        (Some(ratio), None) => Some((of_ratio(ratio, out)?, ratio.at)),
        (None, Some(percent)) => Some((of_percent(percent, out)?, percent.at)),
        (Some(_), Some(percent)) => {
            out.add(Code::Target, percent.named, "`target` and `targetPercent` exclude each other");
            None
        }
        (None, None) => None,
    }
}

/// A target from 0 to below 1.
pub(crate) fn of_ratio(node: &Node, out: &mut Findings) -> Option<Target> {
    let target = number(node, out)?;
    let hundred = Decimal::new(100, 0);
    if target > Decimal::ONE && target < hundred {
        let raw = out.add(Code::Target, node.at, format!("a target of {target} is no ratio below 1"));
        raw.help("per cent are written as `targetPercent`").fix(FixAt::Beside("targetPercent"), target.to_string());
        return None;
    }
    within(node, target, (Decimal::ONE, "0.9999"), out)?;
    let found = Target::of(target);
    if found.is_none() {
        out.add(Code::TooFine, node.at, format!("{target} has more than 8 decimals"));
    }
    found
}

/// A target from 0 to below 100.
pub(crate) fn of_percent(node: &Node, out: &mut Findings) -> Option<Target> {
    let percent = number(node, out)?;
    within(node, percent, (Decimal::new(100, 0), "99.99"), out)?;
    if percent > Decimal::ZERO && percent < Decimal::ONE {
        let raw = out.add(Code::TargetLow, node.at, format!("a target of {percent} %: was a ratio meant?"));
        raw.fix(FixAt::Beside("target"), percent.to_string());
    }
    let found = percent.hundredth().and_then(Target::of);
    if found.is_none() {
        out.add(Code::TooFine, node.at, format!("{percent} % has more than 6 decimals"));
    }
    found
}

fn number(node: &Node, out: &mut Findings) -> Option<Decimal> {
    let text = node.text().unwrap_or_default();
    if text.parse::<Decimal>().is_ok() || is_number(text) {
        return decimal(node, out);
    }
    match text {
        "" => wrong(node, "a number", out),
        _ => {
            out.add(Code::Target, node.at, format!("`{}` is no target", shortened(text)));
            None
        }
    }
}

/// Tells of a target that is not within `[0, end)`, and of 0.
fn within(node: &Node, target: Decimal, (end, below): (Decimal, &str), out: &mut Findings) -> Option<()> {
    if target == end {
        let raw = out.add(Code::Target, node.at, "a target of all leaves no error budget");
        raw.fix(FixAt::Here, below);
        return None;
    }
    if target < Decimal::ZERO || target > end {
        out.add(Code::Target, node.at, format!("{target} is outside of 0 to below {end}"));
        return None;
    }
    if target == Decimal::ZERO {
        out.add(Code::TargetZero, node.at, "a target of 0 is always met");
    }
    Some(())
}
