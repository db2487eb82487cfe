//! An item of `/v1/coverage`.

use std::collections::BTreeMap;

use bailiwick_slo::coverage::{self, Coverage, Figure, Id};
use bailiwick_slo::ratio::Ratio;
use bailiwick_slo::time::Window;
use serde::Serialize;
use utoipa::ToSchema;

use super::breaks::{Breaks, GapItem};
use super::reading::{Covered, Losses};
use crate::frontend::format;

/// How much of a module's requests traces show.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct CoverageItem {
    /// Tenant; null: all tenants of the module together (only told where no tenant is asked for).
    #[schema(example = "acme")]
    pub(crate) tenant: Option<String>,
    /// Module.
    #[schema(example = "rag_hub")]
    pub(crate) module: String,
    /// The window.
    #[schema(example = "5m")]
    pub(crate) window: &'static str,
    /// Its begin: not before something counted the requests, since what came before cannot be compared.
    #[schema(example = "2026-05-04T09:58:00.000Z")]
    pub(crate) data_from: Option<String>,
    /// Its end: all traces before have been judged.
    #[schema(example = "2026-05-04T10:03:00.000Z")]
    pub(crate) data_through: Option<String>,
    /// What the headline is worth: measured, empty, unmeasured, conditional, unreliable, denominator_mismatch, biased.
    #[schema(example = "measured")]
    pub(crate) state: &'static str,
    /// Why it is not simply measured: no_denominator, no_requests, entries_exceed_requests, tail_sampled, unattributed.
    #[schema(example = "no_denominator")]
    pub(crate) reason: Option<&'static str>,
    /// TC: requests whose entry span is there and leads to a root, by requests as something counted them that does not go
    /// through tracing. Exact quotient cut after six decimals; null where there is none.
    #[schema(example = "0.931000")]
    pub(crate) headline_ratio: Option<String>,
    /// Where the true value lies with 95 % confidence: lower end.
    #[schema(example = 0.913577)]
    pub(crate) low: Option<f64>,
    /// Upper end.
    #[schema(example = 0.945123)]
    pub(crate) high: Option<f64>,
    /// Fewer than 100 independent observations: too little for a verdict.
    #[schema(example = false)]
    pub(crate) low_confidence: bool,
    /// How weights came about: exact, weighted, biased.
    #[schema(example = "exact")]
    pub(crate) sampling: &'static str,
    /// Share of traces that the index judges.
    #[schema(example = "1.000000")]
    pub(crate) evaluated_ratio: Option<String>,
    /// What counted the requests: duration_histogram, gateway_counter, span_started; null: nothing did.
    #[schema(example = "duration_histogram")]
    pub(crate) denominator_source: Option<&'static str>,
    /// Figures by id: TC C1 C1r C2 C3 C3t C4 C4e C5 C6 C7 C8.
    #[schema(example = json!({"C1": {"ratio": "0.980000", "numerator": 980, "denominator": 1000, "state": "measured"}}))]
    pub(crate) figures: BTreeMap<&'static str, FigureItem>,
    /// C3 by where the parent is.
    pub(crate) parents: ParentsItem,
    /// Where spans were lost before they came here, as the SDKs of the module's services tell.
    pub(crate) losses: LossesItem,
    /// Who broke chains of spans, the kinds that occurred.
    pub(crate) gaps: Vec<GapItem>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FigureItem {
    /// Exact quotient cut after six decimals; null where there is none. C1 and C7 may exceed 1.
    #[schema(example = "0.980000")]
    pub(crate) ratio: Option<String>,
    /// The part, where it was counted.
    #[schema(example = 980)]
    pub(crate) numerator: Option<u64>,
    /// The whole, where it was counted.
    #[schema(example = 1000)]
    pub(crate) denominator: Option<u64>,
    /// What it is worth.
    #[schema(example = "measured")]
    pub(crate) state: &'static str,
}

/// Present parents by named ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ParentsItem {
    /// In the same process.
    pub(crate) local: PartItem,
    /// In another process.
    pub(crate) remote: PartItem,
    /// Spans do not say where.
    pub(crate) unknown: PartItem,
}

/// A part of a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct PartItem {
    /// Exact quotient cut after six decimals; null without a whole.
    #[schema(example = "0.995000")]
    pub(crate) ratio: Option<String>,
    /// The part.
    #[schema(example = 398)]
    pub(crate) numerator: u64,
    /// The whole.
    #[schema(example = 400)]
    pub(crate) denominator: u64,
}

/// Lost spans by where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct LossesItem {
    /// The queue of a span processor was full.
    #[schema(example = 12)]
    pub(crate) queue_full: u64,
    /// An exporter failed.
    #[schema(example = 0)]
    pub(crate) exporter_error: u64,
    /// Exported without error and not among the accepted.
    #[schema(example = 0)]
    pub(crate) not_accepted: u64,
}

impl From<Losses> for LossesItem {
    fn from(losses: Losses) -> Self {
        let Losses { queue_full, exporter_error, not_accepted } = losses;
        Self { queue_full, exporter_error, not_accepted }
    }
}

impl CoverageItem {
    /// What is said of these counts over their window; `breaks` are those of all modules.
    pub(crate) fn of(covered: &Covered, window: Window, breaks: &Breaks<'_>) -> Self {
        let Coverage { headline, figures, parents, sampling, evaluated_ppm, denominator_source } =
            coverage::figures(&covered.counts);
        let end = |end: f64| (end * 1e6).round() / 1e6;
        let [local, remote, unknown] = parents.map(PartItem::from);
        Self {
            tenant: Some(&*covered.tenant).filter(|tenant| !tenant.is_empty()).map(str::to_owned),
            module: covered.module.to_string(),
            window: window.name(),
            data_from: format::instant(covered.span.0.start_ns()),
            data_through: format::instant(covered.span.1.start_ns()),
            state: headline.state.name(),
            reason: headline.reason.map(coverage::Reason::name),
            headline_ratio: headline.ratio.and_then(format::ratio),
            low: headline.interval.map(|interval| end(interval.low)),
            high: headline.interval.map(|interval| end(interval.high)),
            low_confidence: headline.low_confidence,
            sampling,
            evaluated_ratio: format::ratio(Ratio::of(evaluated_ppm.into(), 1_000_000)),
            denominator_source: denominator_source.map(coverage::Source::name),
            figures: Id::ALL.iter().zip(&figures).map(|(id, figure)| (id.name(), figure.into())).collect(),
            parents: ParentsItem { local, remote, unknown },
            losses: covered.losses.into(),
            gaps: breaks.gaps(covered),
        }
    }
}

impl From<&Figure> for FigureItem {
    fn from(figure: &Figure) -> Self {
        Self {
            ratio: figure.ratio().and_then(format::ratio),
            numerator: figure.numerator,
            denominator: figure.denominator,
            state: figure.state.name(),
        }
    }
}

impl From<Ratio> for PartItem {
    fn from(ratio: Ratio) -> Self {
        Self { ratio: format::ratio(ratio), numerator: ratio.numerator, denominator: ratio.denominator }
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_slo::coverage::{Counts, Denominator, Source};
    use bailiwick_slo::time::Slot;

    use super::*;
    use crate::aggregator::snapshot::Gap;

    fn covered(counts: Counts) -> Covered {
        Covered {
            tenant: "acme".into(),
            module: "rag".into(),
            modules: vec![3],
            overflow: false,
            counts,
            gaps: [0; Gap::ALL.len()],
            losses: Losses::default(),
            span: (Slot(169_999_640), Slot(170_000_000)),
        }
    }

    fn told(counts: Counts) -> CoverageItem {
        CoverageItem::of(&covered(counts), Window::Hour, &Breaks { traces: &[], callers: Vec::new() })
    }

    #[test]
    fn without_a_count_of_requests_the_headline_is_null_and_says_why() {
        let item = told(Counts {
            entries: 100,
            entry_spans: 100,
            linked_entries: 100,
            settled_entries: 100,
            ..Counts::default()
        });
        assert_eq!((item.state, item.reason), ("unmeasured", Some("no_denominator")));
        assert_eq!((item.headline_ratio, item.low, item.denominator_source), (None, None, None));
        assert_eq!(item.figures["C2"].ratio.as_deref(), Some("1.000000"));
        assert_eq!(item.data_through.as_deref(), Some("2023-11-14T22:13:20.000Z"));
    }

    /// `sli.md` 2.2: p 0.95, n 400: 0.92404 to 0.96740.
    #[test]
    fn a_headline_comes_with_its_interval() {
        let denominator = Some(Denominator { requests: 400, source: Source::GatewayCounter });
        let counts = Counts {
            denominator,
            entries: 390,
            entry_spans: 390,
            weight_sum: 390 << 16,
            weight_squares: 390 << 16,
            settled_entries: 390,
            linked_entries: 380,
            ..Counts::default()
        };
        let item = told(counts);
        assert_eq!((item.state, item.reason, item.low_confidence), ("measured", None, false));
        assert_eq!(item.headline_ratio.as_deref(), Some("0.950000"));
        let (low, high) = (item.low.expect("an interval"), item.high.expect("an interval"));
        assert!((low - 0.92404).abs() < 5e-6 && (high - 0.96740).abs() < 5e-6, "{low} {high}");
        assert_eq!(item.denominator_source, Some("gateway_counter"));
    }
}
