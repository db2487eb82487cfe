//! The JSON bodies of the API, made from one snapshot. Counts are integers; ratios are exact decimals as text.

use std::collections::BTreeMap;

use bailiwick_slo::outcome::{Outcome, OutcomeCounts};
use bailiwick_slo::ratio::Ratio;
use bailiwick_slo::time::Window;
use serde::Serialize;
use utoipa::ToSchema;

use super::format;
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{Latency, SeriesId, SlotCounts};

/// A list of items.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// How many there are.
    pub(crate) total: usize,
    /// End of the last closed slot: windows end here.
    pub(crate) data_through: Option<String>,
}

/// Requests by outcome.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Outcomes {
    success: u64,
    failure: u64,
    client_error: u64,
    cancelled: u64,
    excluded: u64,
}

/// Good by valid requests (success and client_error by those and failure).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SuccessRatio {
    /// `measured`, or `empty` when there was no valid request.
    state: &'static str,
    /// Exact decimal, cut after six digits; null when empty.
    value: Option<String>,
    good: u64,
    valid: u64,
}

/// Durations of successful requests in milliseconds; each quantile is the top of its bucket, never below the true one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Durations {
    /// `measured`, `empty` without a success, `unmeasured` for a window of 1m.
    state: &'static str,
    p50: Option<f64>,
    p90: Option<f64>,
    p99: Option<f64>,
    max: Option<f64>,
    /// Successes that were measured.
    n: u64,
    /// Start of the stretch that the quantiles speak about.
    from: Option<String>,
    /// Its end.
    to: Option<String>,
}

/// Figures of one series, or of one tenant x module.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Figures {
    tenant: String,
    module: String,
    /// Null for a whole module.
    operation: Option<String>,
    /// Entry type; null for a whole module.
    r#type: Option<&'static str>,
    window: &'static str,
    /// Over the window.
    outcomes: Outcomes,
    /// Entry spans over the window.
    spans: u64,
    success_ratio: SuccessRatio,
    duration_ms: Durations,
    /// Since the daemon began.
    total: Outcomes,
    overflow: bool,
    first_seen_at: Option<String>,
    last_seen_at: Option<String>,
}

/// The books of one tenant and signal: received = accepted + duplicates + all rejected.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BooksItem {
    tenant: String,
    signal: &'static str,
    received: u64,
    accepted: u64,
    duplicates: u64,
    rejected: BTreeMap<&'static str, u64>,
}

fn outcomes(counts: &OutcomeCounts) -> Outcomes {
    Outcomes {
        success: counts.get(Outcome::Success),
        failure: counts.get(Outcome::Failure),
        client_error: counts.get(Outcome::ClientError),
        cancelled: counts.get(Outcome::Cancelled),
        excluded: counts.get(Outcome::Excluded),
    }
}

fn success_ratio(counts: &OutcomeCounts) -> SuccessRatio {
    let ratio = Ratio::of(counts.good(), counts.good() + counts.bad());
    SuccessRatio {
        state: ratio.state().name(),
        value: format::ratio(ratio),
        good: ratio.numerator,
        valid: ratio.denominator,
    }
}

fn durations(latency: Option<&Latency>) -> Durations {
    let none = |state| Durations { state, p50: None, p90: None, p99: None, max: None, n: 0, from: None, to: None };
    match latency {
        None => none("unmeasured"),
        Some(latency) if latency.histogram.is_empty() => none("empty"),
        Some(Latency { histogram, from_ns, to_ns }) => {
            let quantile = |q| Some(format::milliseconds(histogram.value_at_quantile(q)));
            Durations {
                state: "measured",
                p50: quantile(0.5),
                p90: quantile(0.9),
                p99: quantile(0.99),
                max: quantile(1.0),
                n: histogram.len(),
                from: format::instant(*from_ns),
                to: format::instant(*to_ns),
            }
        }
    }
}

/// What of a series' names is asked for; absent parts fit all.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) tenant: Option<String>,
    pub(crate) module: Option<String>,
    pub(crate) operation: Option<String>,
}

impl Filter {
    fn fits(&self, tenant: &str, module: &str, operation: Option<&str>) -> bool {
        let is = |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name);
        is(&self.tenant, tenant) && is(&self.module, module) && operation.is_none_or(|name| is(&self.operation, name))
    }
}

fn list<T>(snapshot: &Snapshot, items: Vec<T>, limit: usize) -> List<T> {
    let total = items.len();
    let items = items.into_iter().take(limit).collect();
    List { items, total, data_through: format::instant(snapshot.data_through_ns) }
}

fn latency(snapshot: &Snapshot, series: &[SeriesId], window: Window) -> Option<Latency> {
    (window != Window::Minute).then(|| snapshot.latency(series, window))
}

/// Every series that fits.
pub(crate) fn series(snapshot: &Snapshot, filter: &Filter, (window, limit): (Window, usize)) -> List<Figures> {
    let counts = snapshot.window(window);
    let named = (0..).zip(snapshot.series());
    let fitting: Vec<_> =
        named.filter(|(_, name)| filter.fits(&name.tenant, &name.module, Some(&name.operation))).collect();
    let total = fitting.len();
    let figures = fitting.into_iter().take(limit).map(|(id, name)| {
        let (recent, all) = (counts[id as usize], snapshot.totals(id));
        Figures {
            tenant: name.tenant.to_string(),
            module: name.module.to_string(),
            operation: Some(name.operation.to_string()),
            r#type: Some(name.entry.name()),
            window: window.name(),
            outcomes: outcomes(&recent.outcomes),
            spans: recent.spans,
            success_ratio: success_ratio(&recent.outcomes),
            duration_ms: durations(latency(snapshot, &[id], window).as_ref()),
            total: outcomes(&all.outcomes),
            overflow: name.overflow,
            first_seen_at: format::instant(name.first_seen_ns),
            last_seen_at: format::instant(all.last_seen_ns),
        }
    });
    List { items: figures.collect(), total, data_through: format::instant(snapshot.data_through_ns) }
}

/// Every tenant x module that fits.
pub(crate) fn modules(snapshot: &Snapshot, filter: &Filter, (window, limit): (Window, usize)) -> List<Figures> {
    let counts = snapshot.window(window);
    let mut members: Vec<Vec<SeriesId>> = vec![Vec::new(); snapshot.modules().len()];
    for (id, name) in (0..).zip(snapshot.series()) {
        if let Some(of_module) = members.get_mut(name.module_id as usize) {
            of_module.push(id);
        }
    }
    let fitting =
        snapshot.modules().zip(&members).filter(|(module, _)| filter.fits(&module.tenant, &module.module, None));
    let figures = fitting.map(|(module, members)| {
        let (mut recent, mut all) = (SlotCounts::default(), OutcomeCounts::default());
        for id in members {
            let of_series = counts[*id as usize];
            recent.outcomes += of_series.outcomes;
            recent.spans += of_series.spans;
            all += snapshot.totals(*id).outcomes;
        }
        let first_seen = snapshot.series().filter(|name| name.tenant == module.tenant && name.module == module.module);
        Figures {
            tenant: module.tenant.to_string(),
            module: module.module.to_string(),
            operation: None,
            r#type: None,
            window: window.name(),
            outcomes: outcomes(&recent.outcomes),
            spans: recent.spans,
            success_ratio: success_ratio(&recent.outcomes),
            duration_ms: durations(latency(snapshot, members, window).as_ref()),
            total: outcomes(&all),
            overflow: module.overflow,
            first_seen_at: first_seen.map(|name| name.first_seen_ns).min().and_then(format::instant),
            last_seen_at: format::instant(module.last_seen_ns),
        }
    });
    list(snapshot, figures.collect(), limit)
}

/// The books of every tenant and signal that fits.
pub(crate) fn books(snapshot: &Snapshot, filter: &Filter, limit: usize) -> List<BooksItem> {
    let fitting =
        snapshot.books().iter().filter(|books| filter.fits(&books.tenant, "", None) || filter.tenant.is_none());
    let items = fitting.map(|books| BooksItem {
        tenant: books.tenant.to_string(),
        signal: books.signal.name(),
        received: books.received,
        accepted: books.accepted,
        duplicates: books.duplicates,
        rejected: books.rejected.iter().map(|(reason, count)| (reason.name(), *count)).collect(),
    });
    list(snapshot, items.collect(), limit)
}

/// The API's document.
pub(crate) fn openapi_json() -> String {
    use utoipa::OpenApi as _;
    super::server::Document::openapi().to_pretty_json().unwrap_or_default()
}
