//! PromQL: ratios of windows, since when a tier is over, and what a severity fires by.

use super::quoted::quoted;
use super::regions::Region;
use crate::exact::Fraction;
use crate::spec::{Op, Severity, Target, Tier, TimeSpan};

/// Record of the share of bad events over a window, by label `window`.
pub(super) const RATIO: &str = "bailiwick:slo_error:ratio_rate";
/// Record of the time since which a tier is over, in Unix seconds, by labels `tier` and `threshold`.
pub(super) const SINCE: &str = "bailiwick:slo_over:since_seconds";
const EVENTS: &str = "bailiwick_slo_events_total";

/// A tier against its threshold, which two terms may share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    tier: Tier,
    /// `> 0.0144`.
    pub(super) threshold: String,
}

impl Condition {
    /// `None`: the threshold has too many digits.
    pub(super) fn of(tier: Tier, target: Target) -> Option<Self> {
        let threshold = threshold(tier.factor.times(target.beta_fraction())?);
        Some(Self { tier, threshold: format!("{} {threshold}", operator(tier.op)) })
    }

    /// Its tier's name.
    pub(super) fn name(&self) -> String {
        self.tier.name()
    }

    pub(super) const fn severity(&self) -> Severity {
        self.tier.severity
    }

    /// Whether it must hold for a while.
    pub(super) const fn waits(&self) -> bool {
        self.tier.hold.seconds() > 0
    }

    /// Where both windows are over: the ratio of the long one.
    pub(super) fn over(&self, selector: &str) -> String {
        let window = |span: TimeSpan| {
            format!("max without (window) ({RATIO}{{{selector},window=\"{span}\"}} {})", self.threshold)
        };
        match self.tier.short {
            Some(short) => format!("{}\nand {}", window(self.tier.long), window(short)),
            None => window(self.tier.long),
        }
    }

    /// Where they have been over for long enough: the ratio of the long one.
    ///
    /// `for:` of an alert would not do: tiers of one severity wait differently, two alerts with equal labels would
    /// resolve each other, and what is `unless` a page would begin to wait anew when that ends.
    fn fires(&self, selector: &str) -> String {
        let over = self.over(selector);
        if !self.waits() {
            return over;
        }
        let since = self.since(selector);
        format!("{over}\nand max without (tier, threshold) (time() - {since} >= {})", self.tier.hold.seconds())
    }

    /// The time of the first of the evaluations that found it over without a break.
    pub(super) fn since_when(&self, selector: &str) -> String {
        let (over, since) = (group(&self.over(selector)), self.since(selector));
        format!("max without (tier, threshold) ({since})\nand\n{over}\nor\n{over} * 0 + time()")
    }

    fn since(&self, selector: &str) -> String {
        let (tier, threshold) = (quoted(&self.name()), quoted(&self.threshold));
        format!("{SINCE}{{{selector},tier={tier},threshold={threshold}}}")
    }

    /// `page/1h/5m: > 14.4 * 0.001`, for people.
    pub(super) fn words(&self, target: Target) -> String {
        let Tier { factor, hold, op, .. } = self.tier;
        let factor = factor.to_string().replace('/', " / ");
        let hold = if self.waits() { format!(", for {hold}") } else { String::new() };
        format!("{}: {} {factor} * {}{hold}", self.name(), operator(op), target.beta_fraction())
    }
}

const fn operator(op: Op) -> &'static str {
    match op {
        Op::Gt => ">",
        Op::Gte => ">=",
    }
}

/// A decimal, or one division of whole numbers: the float of either is the nearest one.
fn threshold(ratio: Fraction) -> String {
    match ratio.decimal() {
        Some(decimal) => decimal.to_string(),
        None => format!("{} / {}", ratio.numerator(), ratio.denominator()),
    }
}

/// The share of bad events over a window: the increase of bad ones over that of all, of each instance. Without events
/// there is none, rather than NaN.
pub(super) fn ratio(slo: &str, window: TimeSpan) -> String {
    let increase = |more: &str| {
        format!("sum by (tenant, module, slo) (increase({EVENTS}{{slo={}{more}}}[{window}]))", quoted(slo))
    };
    format!("{}\n/\n({} > 0)", increase(",result=\"bad\""), increase(""))
}

/// Where a severity fires and none above it does: its pairs joined by `or`, `unless` those above. `None`: it has none.
pub(super) fn fires(slo: &str, severity: Severity, regions: &[(Region, Vec<Condition>)]) -> Option<String> {
    let own = pairs(slo, regions, |other| other == severity)?;
    match pairs(slo, regions, |other| other > severity) {
        Some(above) => Some(format!("{}\nunless\n{}", group(&own), group(&above))),
        None => Some(own),
    }
}

fn pairs(slo: &str, regions: &[(Region, Vec<Condition>)], is_wanted: impl Fn(Severity) -> bool) -> Option<String> {
    let mut pairs = Vec::new();
    for (region, conditions) in regions {
        let selector = selector(slo, region);
        let wanted = conditions.iter().filter(|condition| is_wanted(condition.severity()));
        pairs.extend(wanted.map(|condition| group(&condition.fires(&selector))));
    }
    (!pairs.is_empty()).then(|| pairs.join("\nor\n"))
}

/// The labels of an SLO's instances in a region.
fn selector(slo: &str, region: &Region) -> String {
    let labels = [format!("slo={}", quoted(slo))].into_iter().chain(region.matchers());
    labels.collect::<Vec<_>>().join(",")
}

/// In parentheses.
fn group(text: &str) -> String {
    let lines: String = text.lines().map(|line| format!("  {line}\n")).collect();
    format!("(\n{lines})")
}
