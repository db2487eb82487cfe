//! What SLOs read from metrics: each distinct question once, under a number that points carry and counts are kept by.
//!
//! Several SLOs may read one tap. Within a run the list only grows: a number that a point was given keeps its meaning
//! while definitions change.

use std::collections::BTreeMap;
use std::fmt;

use crate::exact::Decimal;
use crate::saved;
use crate::spec::{Amount, Compared, Glob, Sli, Slo};

/// Taps of a run, those that no definition names any more among them.
pub const TAPS_MAX: usize = 256;

/// Number of a tap: its place in [`Taps`].
pub type TapNumber = u16;

/// A metric, the attributes that its points must have, and what is read from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tap {
    /// Name of the metric.
    pub metric: String,
    /// Attributes, by key.
    pub attributes: Vec<(String, Glob)>,
    /// What is read.
    pub reads: Reads,
}

saved!(struct Tap { metric, attributes, reads });

/// What is read from the points of a metric (`slo.md` 1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// What a counter grows by; of a histogram, the number of its values.
    Increase,
    /// Points of a gauge that satisfy a condition, of its points.
    Points {
        /// How.
        op: Compared,
        /// With what.
        value: Decimal,
    },
    /// Values in buckets of a histogram that are wholly at or below a threshold, of all.
    Buckets {
        /// In the metric's unit.
        threshold: Decimal,
    },
    /// The value of a gauge that is a ratio.
    Level {
        /// It tells how much was bad.
        is_failure: bool,
    },
}

saved!(enum Reads { 0 => Increase, 1 => Points { op, value }, 2 => Buckets { threshold }, 3 => Level { is_failure } });

/// The taps that an SLI reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tapped {
    /// Increases of two counters.
    Counter {
        /// Of the good ones or of the bad ones, as the SLI says.
        part: TapNumber,
        /// Of all.
        total: TapNumber,
    },
    /// One tap that tells part and total.
    One(TapNumber),
}

/// More taps than there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// How many there would be.
    pub taps: usize,
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taps = self.taps;
        write!(
            f,
            "the SLOs of this run read {taps} different metrics, attributes and thresholds, at most {TAPS_MAX} are \
             kept: let SLOs share them, or restart to forget those that no SLO reads any more"
        )
    }
}

impl std::error::Error for TooMany {}

/// The taps of a run.
///
/// ```
/// use bailiwick_slo::taps::Taps;
/// let taps = Taps::of(&[]).expect("none are not too many");
/// assert!(taps.is_empty() && taps.reading("http.server.request.duration").is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taps {
    taps: Vec<Tap>,
    by_metric: BTreeMap<String, Vec<TapNumber>>,
}
saved!(struct Taps { taps, by_metric });

impl Taps {
    /// The taps of these SLOs, in the order in which the SLOs name them.
    ///
    /// # Errors
    /// [`TooMany`] beyond [`TAPS_MAX`].
    pub fn of(slos: &[Slo]) -> Result<Self, TooMany> {
        let mut taps = Self::default();
        taps.add(slos).map(|()| taps)
    }

    /// Appends the taps of these SLOs that are not known yet.
    ///
    /// # Errors
    /// [`TooMany`] when there would be more than [`TAPS_MAX`]; none is appended then.
    pub fn add(&mut self, slos: &[Slo]) -> Result<(), TooMany> {
        self.append(slos.iter().flat_map(|slo| of_sli(&slo.sli)).flatten())
    }

    /// Appends those of these taps that are not known yet.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn append(&mut self, taps: impl IntoIterator<Item = Tap>) -> Result<(), TooMany> {
        let mut new: Vec<Tap> = Vec::new();
        for tap in taps {
            if !self.taps.contains(&tap) && !new.contains(&tap) {
                new.push(tap);
            }
        }
        let taps = self.taps.len() + new.len();
        if taps > TAPS_MAX {
            return Err(TooMany { taps });
        }
        for tap in new {
            // Not above TAPS_MAX.
            let number = self.taps.len() as TapNumber;
            self.by_metric.entry(tap.metric.clone()).or_default().push(number);
            self.taps.push(tap);
        }
        Ok(())
    }

    /// Every tap, by number.
    #[must_use]
    pub fn all(&self) -> &[Tap] {
        &self.taps
    }

    /// The tap of a number.
    #[must_use]
    pub fn get(&self, number: TapNumber) -> Option<&Tap> {
        self.taps.get(usize::from(number))
    }

    /// Whether no SLO reads a metric.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taps.is_empty()
    }

    /// The taps that read this metric, ascending.
    #[must_use]
    pub fn reading(&self, metric: &str) -> &[TapNumber] {
        self.by_metric.get(metric).map_or(&[], Vec::as_slice)
    }

    fn number(&self, tap: &Tap) -> Option<TapNumber> {
        self.reading(&tap.metric).iter().copied().find(|number| self.get(*number) == Some(tap))
    }
}

/// The taps that an SLI reads. `None`: it reads no metric, or its taps were never added.
#[must_use]
pub fn taps_of(sli: &Sli, taps: &Taps) -> Option<Tapped> {
    let [first, second] = of_sli(sli);
    let first = taps.number(&first?)?;
    match second {
        Some(total) => Some(Tapped::Counter { part: first, total: taps.number(&total)? }),
        None => Some(Tapped::One(first)),
    }
}

/// What an SLI asks of metrics: of a counter the part, then the total.
fn of_sli(sli: &Sli) -> [Option<Tap>; 2] {
    match sli {
        Sli::Counter { part, total, .. } => [part, total].map(|amount| Some(Tap::new(amount, Reads::Increase))),
        Sli::Gauge { metric, op, value } => [Some(Tap::new(metric, Reads::Points { op: *op, value: *value })), None],
        // The quantile's bucket lies wholly at or below the threshold where as many values as its rank do.
        Sli::Histogram { metric, threshold } | Sli::Quantile { metric: Some(metric), threshold, .. } => {
            [Some(Tap::new(metric, Reads::Buckets { threshold: *threshold })), None]
        }
        Sli::Ratio { metric, is_failure } => [Some(Tap::new(metric, Reads::Level { is_failure: *is_failure })), None],
        Sli::Availability
        | Sli::Outcome { .. }
        | Sli::Latency { .. }
        | Sli::Leaks(_)
        | Sli::Coverage(_)
        | Sli::Quantile { metric: None, .. }
        | Sli::Composite(_)
        | Sli::Foreign(_) => [None, None],
    }
}

impl Tap {
    /// What an SLI asks of metrics: of a counter the part, then the total; nothing of an SLI that reads no metric.
    #[must_use]
    pub fn of(sli: &Sli) -> Vec<Self> {
        of_sli(sli).into_iter().flatten().collect()
    }

    /// In the order of attributes' keys: two documents that write them in another order ask the same.
    fn new(amount: &Amount, reads: Reads) -> Self {
        let mut attributes = amount.attributes.clone();
        attributes.sort_by(|(one, a), (other, b)| (one, a.as_str()).cmp(&(other, b.as_str())));
        Self { metric: amount.metric.clone(), attributes, reads }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Context, load};

    /// SLOs with these indicators, as documents write them.
    fn slos(indicators: &[&str]) -> Vec<Slo> {
        let document = |(place, sli): (usize, &&str)| {
            let method = if sli.contains("quantile") || sli.contains("ratio") {
                "budgetingMethod: RatioTimeslices, objectives: [{target: 0.9, timeSliceWindow: 1m}]"
            } else {
                "budgetingMethod: Occurrences, objectives: [{target: 0.9}]"
            };
            format!(
                "apiVersion: bailiwick/v1\nkind: SLO\nmetadata: {{name: slo-{place}}}\nspec: {{service: shop, \
                 timeWindow: [{{duration: 30d, isRolling: true}}], {method}, bailiwick: {{sli: {sli}}}}}\n"
            )
        };
        let documents: Vec<String> = indicators.iter().enumerate().map(document).collect();
        let loaded = load(&[("slos.yaml", &documents.join("---\n"))], &Context::default());
        assert_eq!(loaded.slos.len(), indicators.len(), "{:?}", loaded.findings);
        loaded.slos
    }

    const COUNTER: &str = "{kind: counter, bad: {metric: orders, attributes: {status: \"5*\", zone: eu}}, total: \
                           {metric: orders, attributes: {zone: eu}}}";

    #[test]
    fn each_kind_of_indicator_asks_for_what_it_counts() {
        let slos = slos(&[
            COUNTER,
            "{kind: gauge, metric: queue.length, op: lte, value: 100}",
            "{kind: histogram, metric: checkout.duration, threshold: 0.25}",
            "{kind: quantile, metric: checkout.duration, q: 0.95, threshold: 0.5}",
            "{kind: ratio, metric: errors.share, rawType: failure}",
            "{kind: availability}",
            "{kind: quantile, latency: true, q: 0.95, threshold: 250ms}",
        ]);
        let taps = Taps::of(&slos).expect("few");
        let of = |text: &str| text.parse::<Decimal>().expect("a decimal");
        let asked: Vec<_> = taps.all().iter().map(|tap| (&*tap.metric, tap.reads)).collect();
        assert_eq!(
            asked,
            [
                ("orders", Reads::Increase),
                ("orders", Reads::Increase),
                ("queue.length", Reads::Points { op: Compared::Lte, value: of("100") }),
                ("checkout.duration", Reads::Buckets { threshold: of("0.25") }),
                ("checkout.duration", Reads::Buckets { threshold: of("0.5") }),
                ("errors.share", Reads::Level { is_failure: true }),
            ]
        );
        let read: Vec<_> = slos.iter().map(|slo| taps_of(&slo.sli, &taps)).collect();
        let one = |number| Some(Tapped::One(number));
        let counter = Some(Tapped::Counter { part: 0, total: 1 });
        assert_eq!(read, [counter, one(2), one(3), one(4), one(5), None, None]);
        assert_eq!(taps.reading("checkout.duration"), [3, 4]);
        assert_eq!(taps.reading("checkout").len(), 0);
    }

    #[test]
    fn two_slos_that_ask_the_same_share_a_tap_whatever_the_order_of_attributes() {
        let turned = "{kind: counter, good: {metric: orders, attributes: {zone: eu, status: \"5*\"}}, total: \
                      {metric: orders, attributes: {zone: us}}}";
        let slos = slos(&[COUNTER, turned]);
        let taps = Taps::of(&slos).expect("few");
        assert_eq!(taps.all().len(), 3);
        assert_eq!(taps_of(&slos[1].sli, &taps), Some(Tapped::Counter { part: 0, total: 2 }));
    }

    #[test]
    fn numbers_stay_while_definitions_come_and_go() {
        let gauge = |metric: &str| format!("{{kind: gauge, metric: {metric}, op: lt, value: 1}}");
        let before = slos(&[&gauge("a"), &gauge("b")]);
        let after = slos(&[&gauge("c"), &gauge("b")]);
        let mut taps = Taps::of(&before).expect("few");
        assert_eq!(taps_of(&after[0].sli, &taps), None, "not yet known");
        taps.add(&after).expect("few");
        let read = |slos: &[Slo]| slos.iter().map(|slo| taps_of(&slo.sli, &taps)).collect::<Vec<_>>();
        assert_eq!(read(&before), [Some(Tapped::One(0)), Some(Tapped::One(1))]);
        assert_eq!(read(&after), [Some(Tapped::One(2)), Some(Tapped::One(1))]);
    }

    #[test]
    fn taps_beyond_the_maximum_are_refused_as_a_whole() {
        let gauges: Vec<String> =
            (0..257).map(|n| format!("{{kind: gauge, metric: m{n}, op: lt, value: 1}}")).collect();
        let slos = slos(&gauges.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(Taps::of(&slos), Err(TooMany { taps: 257 }));
        let mut taps = Taps::of(&slos[..255]).expect("255 of 256");
        assert_eq!(taps.add(&slos[254..]), Err(TooMany { taps: 257 }));
        assert_eq!(taps.all().len(), 255, "nothing of what was too much");
        assert_eq!((taps.add(&slos[254..256]), taps.all().len()), (Ok(()), 256));
    }
}
