//! What coverage is made of: counts of one window, and what two of them say together.

use super::Id;
use crate::interval::{self, Z_95};
use crate::ratio::Ratio;
use crate::weight::Weight;

/// Millionths of a whole.
const WHOLE_PPM: u32 = 1_000_000;

/// What counted requests without going through tracing, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum Source {
    /// Counts of duration histograms.
    DurationHistogram = 0,
    /// A counter of the gateway.
    GatewayCounter = 1,
    /// Spans that SDKs say they started at an entry: per service, without tenant.
    SpanStarted = 2,
}

impl Source {
    /// Every source, the best first.
    pub const ALL: [Self; 3] = [Self::DurationHistogram, Self::GatewayCounter, Self::SpanStarted];

    /// The published name, `denominator_source`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DurationHistogram => "duration_histogram",
            Self::GatewayCounter => "gateway_counter",
            Self::SpanStarted => "span_started",
        }
    }
}

/// Requests as something counted them that does not go through tracing (D).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denominator {
    /// How many.
    pub requests: u64,
    /// What counted them.
    pub source: Source,
}

/// Where spans are taken from (`sampling.position`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Position {
    /// Before any sampling, or not sampled at all.
    #[default]
    PreSampling,
    /// After consistent head sampling.
    PostHead,
    /// After tail sampling.
    PostTail,
}

/// What the figures speak about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// One tenant in one module: worth little when many spans name no tenant.
    #[default]
    TenantModule,
    /// All tenants of one module.
    Module,
}

/// Spans that name a parent of one origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parents {
    /// Spans that name one.
    pub named: u64,
    /// Those whose parent is present.
    pub present: u64,
    /// Those whose parent sampling may have taken away, expected: the sum of [`missing_share_ppm`] over the named.
    pub excused: u64,
}

impl Parents {
    /// Present by named; of the missing only what sampling does not explain.
    #[must_use]
    pub fn ratio(&self) -> Ratio {
        Ratio::of(self.present.saturating_add(self.excused).min(self.named), self.named)
    }
}

/// The share of parents that consistent sampling takes away from kept children: `1 - w(child) / w(parent)` where the
/// parent weighs more, in millionths, rounded down. 0 where it does not.
#[must_use]
pub fn missing_share_ppm(child: Weight, parent: Weight) -> u32 {
    let lighter = parent.units().saturating_sub(child.units());
    let share = u128::from(lighter) * u128::from(WHOLE_PPM) / u128::from(parent.units());
    u32::try_from(share).unwrap_or(WHOLE_PPM)
}

/// Counts of one window. Pairs are a part and its whole; those that nothing could count are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// What the figures speak about.
    pub extent: Extent,
    /// D, where something counted it.
    pub denominator: Option<Denominator>,
    /// Entries, excluded ones among them, adjusted for sampling (`sum w(E)`).
    pub entries: u64,
    /// Entry spans, not adjusted.
    pub entry_spans: u64,
    /// Entry spans whose sampling is known (`th`): what samplers dropped is in their weight.
    pub sampled_entries: u64,
    /// Requests that SDKs say their sampler dropped; counted where no entry has `th`.
    pub declared_drops: u64,
    /// Sum of the weights of entries, in units of 2^-16.
    pub weight_sum: u64,
    /// Sum of their squares, in units of 2^-16.
    pub weight_squares: u64,
    /// Entries in settled traces, adjusted.
    pub settled_entries: u64,
    /// Those that lead to a root or a declared boundary, adjusted.
    pub linked_entries: u64,
    /// Spans that name a parent: local, remote, of unknown origin.
    pub parents: [Parents; 3],
    /// Connected by settled traces.
    pub traces: Ratio,
    /// Modules with an entry by those that should have one.
    pub modules: Option<Ratio>,
    /// Calls that met the other side by calls to what is inventoried, and between modules.
    pub edges: Option<Ratio>,
    /// Operations with a span by declared ones, or by those that grow in metrics.
    pub operations: Option<Ratio>,
    /// Spans with tenant and module by accepted ones.
    pub attribution: Option<Ratio>,
    /// Spans accepted by spans exported without error.
    pub delivery: Option<Ratio>,
    /// Time covered by children by time of entries, in the same unit.
    pub time: Ratio,
    /// Where spans are taken from.
    pub position: Position,
    /// Share of traces that were judged, in millionths.
    pub evaluated_ppm: u32,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            extent: Extent::default(),
            denominator: None,
            entries: 0,
            entry_spans: 0,
            sampled_entries: 0,
            declared_drops: 0,
            weight_sum: 0,
            weight_squares: 0,
            settled_entries: 0,
            linked_entries: 0,
            parents: [Parents::default(); 3],
            traces: Ratio::of(0, 0),
            modules: None,
            edges: None,
            operations: None,
            attribution: None,
            delivery: None,
            time: Ratio::of(0, 0),
            position: Position::default(),
            evaluated_ppm: WHOLE_PPM,
        }
    }
}

impl Counts {
    /// Part and whole of a figure, what was counted of them.
    pub(super) fn pair(&self, id: Id) -> (Option<u64>, Option<u64>) {
        let requests = self.denominator.map(|denominator| denominator.requests);
        let ratio = match id {
            Id::Tc => {
                let judged = self.judged_requests();
                return (Some(self.linked_entries.min(judged.unwrap_or(u64::MAX))), judged);
            }
            Id::C1 => return (Some(self.represented()), requests),
            Id::C1r => return (Some(self.entry_spans), requests),
            Id::C2 => Some(Ratio::of(self.linked_entries, self.settled_entries)),
            Id::C3 => Some(self.all_parents()),
            Id::C3t => Some(self.traces),
            Id::C4 => self.modules,
            Id::C4e => self.edges,
            Id::C5 => self.operations,
            Id::C6 => self.attribution,
            Id::C7 => self.delivery,
            Id::C8 => Some(self.time),
        };
        (ratio.map(|ratio| ratio.numerator), ratio.map(|ratio| ratio.denominator))
    }

    /// Requests that spans stand for, declared drops included where weights do not hold them already.
    fn represented(&self) -> u64 {
        let drops = if self.sampled_entries == 0 { self.declared_drops } else { 0 };
        self.entries.saturating_add(drops)
    }

    /// The requests that linked entries are compared with. Over its budget the index judges a sample of the traces: the
    /// rest leaves both sides, so D shrinks as the entries did.
    pub(super) fn judged_requests(&self) -> Option<u64> {
        let requests = self.denominator?.requests;
        if self.evaluated_ppm >= WHOLE_PPM || self.entries == 0 {
            return Some(requests);
        }
        let entries = u128::from(self.entries);
        let judged = u128::from(self.settled_entries.min(self.entries));
        let scaled = (u128::from(requests) * judged + entries / 2) / entries;
        // Not above `requests`, since `judged` is not above `entries`.
        Some(u64::try_from(scaled).unwrap_or(requests))
    }

    fn all_parents(&self) -> Ratio {
        let ratios = self.parents.map(|parents| parents.ratio());
        Ratio::of(ratios.iter().map(|r| r.numerator).sum(), ratios.iter().map(|r| r.denominator).sum())
    }

    /// Whether C1 is above 1.05: the two sides do not count the same requests. What sampling explains with 95 %
    /// confidence does not count: weighted entries scatter by the root of `sum w^2 - sum w` (Horvitz and Thompson,
    /// JASA 47, 1952), unsampled ones not at all.
    #[expect(clippy::cast_precision_loss, reason = "a spread, no count; without sampling it is exactly 0")]
    pub(super) fn is_mismatch(&self) -> bool {
        let Some(denominator) = self.denominator else { return false };
        let variance = self.weight_squares.saturating_sub(self.weight_sum) as f64 / 65_536.0;
        let scatter = (Z_95 * variance.sqrt()).ceil() as u128;
        let least = u128::from(self.represented()).saturating_sub(scatter);
        100 * least > 105 * u128::from(denominator.requests)
    }

    /// Whether less than 99 % of spans have tenant and module: then figures by tenant are unreliable.
    pub(super) fn is_misattributed(&self) -> bool {
        let share = self.attribution.filter(|_| self.extent == Extent::TenantModule);
        share.is_some_and(|share| 100 * u128::from(share.numerator) < 99 * u128::from(share.denominator))
    }

    /// What one entry weighs on average, seen from the requests: `sum w^2 / sum w`, 1 without sampling.
    #[expect(clippy::cast_precision_loss, reason = "a mean weight, no count")]
    pub(super) fn mean_weight(&self) -> f64 {
        if self.weight_sum == 0 {
            return 1.0;
        }
        (self.weight_squares as f64 / self.weight_sum as f64).max(1.0)
    }

    pub(super) const fn sampling(&self) -> &'static str {
        match self.position {
            Position::PostTail => "biased",
            _ if self.sampled_entries > 0 => "weighted",
            _ => "exact",
        }
    }
}

/// What makes a service's sampling suspect (`sli.md` 1.7), over an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspicion {
    /// Entries adjusted for sampling, and D.
    pub represented: Ratio,
    /// Whether any entry states how it was sampled.
    pub is_declared: bool,
    /// Failures by requests, of spans.
    pub span_errors: Ratio,
    /// Failures by requests, of metrics.
    pub metric_errors: Ratio,
}

impl Suspicion {
    /// Whether spans are missing without a word (`sum w / D < 0.9` without `th`), or fail more or less often than the
    /// metrics say.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        let Ratio { numerator, denominator } = self.represented;
        let is_short = 10 * u128::from(numerator) < 9 * u128::from(denominator);
        (is_short && !self.is_declared) || interval::differ(self.span_errors, self.metric_errors)
    }
}
