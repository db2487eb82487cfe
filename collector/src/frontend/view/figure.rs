//! Figures that several items have: outcomes, success, durations, tenant sources. A figure that can lack says so
//! (`state`) and is null then, never 0 and never NaN.

use bailiwick_slo::outcome::{Outcome, OutcomeCounts};
use bailiwick_slo::ratio::{Ratio, State};
use bailiwick_slo::time::Window;
use hdrhistogram::Histogram;
use serde::Serialize;
use utoipa::ToSchema;

use crate::aggregator::snapshot::{Latency, SOURCES};
use crate::frontend::format;

/// Whether a figure has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FigureState {
    /// There is a value.
    Measured,
    /// Nothing happened that could be measured.
    Empty,
    /// There is no data that could say.
    Unmeasured,
}

impl From<State> for FigureState {
    fn from(state: State) -> Self {
        match state {
            State::Measured => Self::Measured,
            State::Empty => Self::Empty,
            State::Unmeasured => Self::Unmeasured,
        }
    }
}

/// Requests by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Outcomes {
    /// They did what was asked.
    #[schema(example = 9_870)]
    pub(crate) success: u64,
    /// The platform's fault.
    #[schema(example = 13)]
    pub(crate) failure: u64,
    /// The caller's fault; good for availability.
    #[schema(example = 110)]
    pub(crate) client_error: u64,
    /// The caller went away; neither good nor bad.
    #[schema(example = 7)]
    pub(crate) cancelled: u64,
    /// Outside every SLI: health checks and synthetic traffic.
    #[schema(example = 60)]
    pub(crate) excluded: u64,
}

impl From<OutcomeCounts> for Outcomes {
    fn from(counts: OutcomeCounts) -> Self {
        Self {
            success: counts.get(Outcome::Success),
            failure: counts.get(Outcome::Failure),
            client_error: counts.get(Outcome::ClientError),
            cancelled: counts.get(Outcome::Cancelled),
            excluded: counts.get(Outcome::Excluded),
        }
    }
}

/// Good by valid requests: good = success + client_error, valid = good + failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SuccessRatio {
    /// `empty` when no request was valid.
    pub(crate) state: FigureState,
    /// Exact quotient cut after six decimals, 0 to 1; null when not measured.
    #[schema(example = "0.998699")]
    pub(crate) value: Option<String>,
    /// The numerator.
    #[schema(example = 9_980)]
    pub(crate) good: u64,
    /// The denominator.
    #[schema(example = 9_993)]
    pub(crate) valid: u64,
}

/// Good by valid as two counts.
pub(crate) fn success(counts: &OutcomeCounts) -> Ratio {
    Ratio::of(counts.good(), counts.good() + counts.bad())
}

impl From<OutcomeCounts> for SuccessRatio {
    fn from(counts: OutcomeCounts) -> Self {
        let ratio = success(&counts);
        Self {
            state: ratio.state().into(),
            value: format::ratio(ratio),
            good: ratio.numerator,
            valid: ratio.denominator,
        }
    }
}

/// Durations of successful requests in milliseconds. A quantile is the top of its bucket, at most 0.78 % above the true
/// value and never below it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Durations {
    /// `unmeasured` for windows below 5m and where no latency cells are kept, `empty` without a successful request.
    pub(crate) state: FigureState,
    /// Half were as fast.
    #[schema(example = 42.239)]
    pub(crate) p50: Option<f64>,
    /// Nine of ten were as fast.
    #[schema(example = 180.223)]
    pub(crate) p90: Option<f64>,
    /// Ninety-nine of a hundred were as fast.
    #[schema(example = 903.167)]
    pub(crate) p99: Option<f64>,
    /// The slowest.
    #[schema(example = 1203.199)]
    pub(crate) max: Option<f64>,
    /// How many durations these figures are made of.
    #[schema(example = 9_870)]
    pub(crate) n: u64,
    /// Start of the stretch of time that they really cover.
    #[schema(example = "2026-05-04T10:00:00.000Z")]
    pub(crate) from: Option<String>,
    /// Its end.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    pub(crate) to: Option<String>,
}

impl Durations {
    /// No cells say anything about windows as short as this.
    pub(crate) const UNMEASURED: Self =
        Self { state: FigureState::Unmeasured, p50: None, p90: None, p99: None, max: None, n: 0, from: None, to: None };

    /// Whether cells tell durations over this window: they hold five minutes each.
    pub(crate) fn are_told_over(window: Window) -> bool {
        window.seconds() >= Window::FiveMinutes.seconds()
    }
}

impl From<&Latency> for Durations {
    fn from(latency: &Latency) -> Self {
        let histogram = &latency.histogram;
        let (from, to) = (format::instant(latency.from_ns), format::instant(latency.to_ns));
        if !latency.is_kept {
            return Self::UNMEASURED;
        }
        if histogram.is_empty() {
            return Self { state: FigureState::Empty, from, to, ..Self::UNMEASURED };
        }
        let quantile = |q: f64| Some(format::milliseconds(histogram.value_at_quantile(q)));
        Self {
            state: FigureState::Measured,
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            max: Some(format::milliseconds(top(histogram))),
            n: histogram.len(),
            from,
            to,
        }
    }
}

/// The top of the highest bucket in use.
fn top(histogram: &Histogram<u64>) -> u64 {
    histogram.value_at_quantile(1.0)
}

/// Requests since the daemon began, by where their tenant was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub(crate) struct TenantSources {
    /// The credential.
    #[schema(example = 0)]
    pub(crate) auth: u64,
    /// An attribute of the span.
    #[schema(example = 120_000)]
    pub(crate) span: u64,
    /// An attribute of the resource.
    #[schema(example = 4_000)]
    pub(crate) resource: u64,
    /// A captured request header.
    #[schema(example = 12)]
    pub(crate) header: u64,
    /// The parent span's tenant.
    #[schema(example = 0)]
    pub(crate) inherited: u64,
    /// Baggage copied to an attribute.
    #[schema(example = 0)]
    pub(crate) baggage: u64,
    /// No claim: the tenant `_unknown`.
    #[schema(example = 0)]
    pub(crate) default: u64,
}

impl TenantSources {
    /// Adds counts in the order of [`SOURCES`].
    pub(crate) fn add(&mut self, counts: &[u64; SOURCES.len()]) {
        use crate::tenancy::Source;
        for (source, count) in SOURCES.iter().zip(counts) {
            let field = match source {
                Some(Source::Auth) => &mut self.auth,
                Some(Source::Span) => &mut self.span,
                Some(Source::Resource) => &mut self.resource,
                Some(Source::Header) => &mut self.header,
                Some(Source::Inherited) => &mut self.inherited,
                Some(Source::Baggage) => &mut self.baggage,
                None => &mut self.default,
            };
            *field += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency(micros: &[u64]) -> Latency {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("bounds of sli.md 4.1");
        for value in micros {
            histogram.record(*value).expect("inside the bounds");
        }
        let (from_ns, to_ns) = (1_700_000_000_000_000_000, 1_700_000_300_000_000_000);
        Latency { histogram, from_ns, to_ns, is_kept: true }
    }

    #[test]
    fn quantiles_are_the_tops_of_their_buckets() {
        // sli.md 4.1: 1000 lies in [1000, 1003], 42000 in [41984, 42239], 250000 in [249856, 250879].
        let durations = Durations::from(&latency(&[1_000, 1_000, 42_000, 250_000]));
        assert_eq!(durations.state, FigureState::Measured);
        assert_eq!((durations.p50, durations.p90), (Some(1.003), Some(250.879)));
        assert_eq!((durations.p99, durations.max, durations.n), (Some(250.879), Some(250.879), 4));
        assert_eq!(durations.from.as_deref(), Some("2023-11-14T22:13:20.000Z"));
    }

    #[test]
    fn without_a_duration_there_is_no_number() {
        let durations = Durations::from(&latency(&[]));
        assert_eq!((durations.state, durations.p50, durations.max, durations.n), (FigureState::Empty, None, None, 0));
        let without_cells = Durations::from(&Latency { is_kept: false, ..latency(&[]) });
        assert_eq!((without_cells.state, without_cells.from), (FigureState::Unmeasured, None));
        assert!(!Durations::are_told_over(Window::Minute) && Durations::are_told_over(Window::FiveMinutes));
    }

    #[test]
    fn client_errors_are_good_and_cancelled_requests_do_not_count() {
        // 97 + 2 good of 100 valid; 5 cancelled and 7 excluded are in neither.
        let ratio = SuccessRatio::from(OutcomeCounts([97, 1, 2, 5, 7]));
        assert_eq!((ratio.value.as_deref(), ratio.good, ratio.valid), (Some("0.990000"), 99, 100));
        let none = SuccessRatio::from(OutcomeCounts([0, 0, 0, 5, 7]));
        assert_eq!((none.state, none.value), (FigureState::Empty, None));
    }

    #[test]
    fn each_source_has_its_own_count() {
        let mut sources = TenantSources::default();
        sources.add(&[1, 2, 3, 4, 5, 6, 7]);
        let expected = TenantSources { auth: 1, span: 2, resource: 3, header: 4, inherited: 5, baggage: 6, default: 7 };
        assert_eq!(sources, expected);
    }
}
