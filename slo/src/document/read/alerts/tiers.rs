//! Tiers one by one: `{severity: page, long: 1h, short: 5m, consume: 2%}`.

use crate::document::finding::{Code, Findings};
use crate::document::read::value::{decimal, list, mapping, percent, required, span, word};
use crate::document::tree::{Node, Spot};
use crate::exact::{Decimal, Fraction};
use crate::spec::{Op, Rate, Severity, TierDraft, TierSource};

/// Where the parts of a tier stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TierAt {
    /// The tier.
    pub(crate) at: Spot,
    /// Its factor or consumption.
    pub(crate) rate: Spot,
    /// Its long window.
    pub(crate) long: Spot,
    /// Its short window.
    pub(crate) short: Option<Spot>,
    /// How long it waits.
    pub(crate) hold: Option<Spot>,
    /// It is written in our words, else as a condition of OpenSLO.
    pub(crate) is_ours: bool,
}

/// Tiers and where they stand.
#[derive(Debug, Clone)]
pub(crate) struct Tiers {
    /// What they are.
    pub(crate) source: TierSource,
    /// Where each stands that was written; those of a preset stand nowhere.
    pub(crate) places: Vec<TierAt>,
    /// Where the set stands.
    pub(crate) at: Spot,
}

/// Reads a list of tiers.
pub(crate) fn read(node: &Node, out: &mut Findings) -> Option<Tiers> {
    let (mut tiers, mut places) = (Vec::new(), Vec::new());
    for item in list(node, out)? {
        if let Some((tier, place)) = mapping(item, out).and_then(|item| tier(item, out)) {
            tiers.push(tier);
            places.push(place);
        }
    }
    Some(Tiers { source: TierSource::List(tiers), places, at: node.named })
}

/// Tells what is wrong with a named set of tiers.
pub(crate) fn check(spec: &Node, out: &mut Findings) {
    if let Some(tiers) = required(spec, "tiers", out) {
        read(tiers, out);
    }
}

fn tier(node: &Node, out: &mut Findings) -> Option<(TierDraft, TierAt)> {
    let severities = [("page", Severity::Page), ("ticket", Severity::Ticket)];
    let severity = required(node, "severity", out).and_then(|node| word(node, &severities, Code::UnknownOurKey, out));
    let long_at = required(node, "long", out);
    let long = long_at.and_then(|node| span(node, out));
    let short_at = node.get("short");
    let short = short_at.map(|node| span(node, out));
    let rate = rate(node, out);
    let ops = [("gt", Op::Gt), ("gte", Op::Gte)];
    let op = node.get("op").and_then(|node| word(node, &ops, Code::UnknownOurKey, out)).unwrap_or(Op::Gt);
    let hold_at = node.get("for");
    let hold = hold_at.and_then(|node| span(node, out)).unwrap_or_default();
    let (rate, rate_at) = rate?;
    // A short window that cannot be read is not the same as none.
    let short = if let Some(short) = short { Some(short?) } else { None };
    let places = TierAt {
        at: node.named,
        rate: rate_at,
        long: long_at?.at,
        short: short_at.map(|node| node.at),
        hold: hold_at.map(|node| node.at),
        is_ours: true,
    };
    Some((TierDraft { severity: severity?, long: long?, short, rate, op, hold }, places))
}

fn rate(node: &Node, out: &mut Findings) -> Option<(Rate, Spot)> {
    let (value, number, is_share) = match (node.get("consume"), node.get("factor")) {
        (Some(consume), None) => (consume, percent(consume, out)?, true),
        (None, Some(factor)) => (factor, decimal(factor, out)?, false),
        (Some(_), Some(factor)) => {
            out.add(Code::Indicator, factor.named, "`consume` and `factor` exclude each other");
            return None;
        }
        (None, None) => {
            out.add(Code::Missing, node.named, "`consume` or `factor` is missing");
            return None;
        }
    };
    let fraction = positive(number, value, out)?;
    Some((if is_share { Rate::Consume(fraction) } else { Rate::Factor(fraction) }, value.at))
}

/// A factor above 0.
pub(crate) fn positive(number: Decimal, node: &Node, out: &mut Findings) -> Option<Fraction> {
    if number <= Decimal::ZERO {
        out.add(Code::TierWindows, node.at, "a burn rate of 0 or less is always exceeded");
        return None;
    }
    Fraction::of(number)
}
