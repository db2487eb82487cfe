//! A family with its samples as plain values. Labels of all samples lie in one list, so that a sample costs no
//! allocation of its own.

use std::sync::Arc;

use super::catalogue::{Descriptor, Kind};
use crate::aggregator::snapshot::{DurationTotals, Exemplar};

/// The label that marks overflow series, as OpenTelemetry's SDKs name it.
pub(crate) const OVERFLOW_LABEL: &str = "otel_metric_overflow";

/// The value of a label.
#[derive(Debug, Clone)]
pub(crate) enum Label {
    /// A name that the snapshot holds.
    Shared(Arc<str>),
    /// A word of ours.
    Word(&'static str),
}

impl Label {
    /// The text, not escaped.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Shared(text) => text,
            Self::Word(text) => text,
        }
    }
}

impl From<&Arc<str>> for Label {
    fn from(text: &Arc<str>) -> Self {
        Self::Shared(Arc::clone(text))
    }
}

impl From<&'static str> for Label {
    fn from(text: &'static str) -> Self {
        Self::Word(text)
    }
}

/// Durations by the first of `bailiwick_slo::latency::LE_BOUNDS_NS` that holds them, `+Inf` last. Not cumulative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buckets {
    /// How many are in each bucket.
    pub(crate) le: [u64; 15],
    /// Their sum in nanoseconds.
    pub(crate) sum_ns: u128,
    /// Of each bucket a span to look up.
    pub(crate) exemplars: [Option<Exemplar>; 15],
}

impl From<&DurationTotals> for Value {
    fn from(totals: &DurationTotals) -> Self {
        Self::Buckets(Box::new(Buckets { le: totals.le, sum_ns: totals.sum_ns, exemplars: [None; 15] }))
    }
}

/// The value of a sample.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// A count.
    Count(u64),
    /// A finite number.
    Number(f64),
    /// A histogram.
    Buckets(Box<Buckets>),
}

/// A family with its samples.
#[derive(Debug)]
pub(crate) struct Family {
    /// What is published about it.
    pub(crate) descriptor: &'static Descriptor,
    labels: Vec<Label>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    value: Value,
    overflow: bool,
    /// Few samples have one.
    exemplar: Option<Box<Exemplar>>,
}

/// One sample of a family.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample<'a> {
    /// Label names.
    pub(crate) names: &'static [&'static str],
    /// Label values, as many.
    pub(crate) labels: &'a [Label],
    /// Whether it carries [`OVERFLOW_LABEL`].
    pub(crate) overflow: bool,
    /// Its value.
    pub(crate) value: &'a Value,
    /// Of a counter, one of those that it counts.
    pub(crate) exemplar: Option<&'a Exemplar>,
}

impl Family {
    /// A family without a sample.
    pub(crate) fn new(descriptor: &'static Descriptor) -> Self {
        Self { descriptor, labels: Vec::new(), rows: Vec::new() }
    }

    /// A family with one sample without labels.
    pub(crate) fn single(descriptor: &'static Descriptor, value: Value) -> Self {
        let mut family = Self::new(descriptor);
        family.push([], value);
        family
    }

    /// Adds a sample. A number that is not finite is no measurement: it is left out.
    pub(crate) fn push<const N: usize>(&mut self, labels: [Label; N], value: Value) {
        self.push_marked(labels, false, value);
    }

    /// Adds a sample that may be one of an overflow series.
    pub(crate) fn push_marked<const N: usize>(&mut self, labels: [Label; N], overflow: bool, value: Value) {
        self.push_shown(labels, overflow, (value, None));
    }

    /// Adds a sample that may be one of an overflow series, with one of those that it counts.
    pub(crate) fn push_shown<const N: usize>(
        &mut self,
        labels: [Label; N],
        overflow: bool,
        (value, exemplar): (Value, Option<Exemplar>),
    ) {
        debug_assert_eq!(N, self.descriptor.labels.len(), "{} has other labels", self.descriptor.name);
        debug_assert_eq!(
            matches!(value, Value::Buckets(_)),
            self.descriptor.kind == Kind::Histogram,
            "{} has another type",
            self.descriptor.name
        );
        if matches!(value, Value::Number(number) if !number.is_finite()) {
            return;
        }
        self.labels.extend(labels);
        self.rows.push(Row { value, overflow, exemplar: exemplar.map(Box::new) });
    }

    /// Whether it has no sample.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Its samples.
    pub(crate) fn samples(&self) -> impl Iterator<Item = Sample<'_>> {
        let names = self.descriptor.labels;
        self.rows.iter().enumerate().map(move |(place, row)| Sample {
            names,
            labels: &self.labels[place * names.len()..(place + 1) * names.len()],
            overflow: row.overflow,
            value: &row.value,
            exemplar: row.exemplar.as_deref(),
        })
    }
}

impl<'a> Sample<'a> {
    /// Label names and values, the overflow mark last.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let mark = self.overflow.then_some((OVERFLOW_LABEL, "true"));
        self.names.iter().copied().zip(self.labels.iter().map(Label::text)).chain(mark)
    }
}
