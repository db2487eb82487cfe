//! What dashboards ask, in PromQL of tier 1 (`faces.md` 13). Counts are added before they are divided; a ratio without
//! requests has no value, so that a panel says so instead of showing NaN.

use bailiwick_slo::conventions::{
    INGEST_ITEMS_ACCEPTED_TOTAL, INGEST_ITEMS_DUPLICATE_TOTAL, INGEST_ITEMS_RECEIVED_TOTAL,
    INGEST_ITEMS_REJECTED_TOTAL, REQUEST_DURATION_QUANTILE_SECONDS, REQUEST_DURATION_SECONDS, REQUEST_SUCCESS_RATIO,
    REQUESTS_TOTAL,
};

/// Chosen tenants.
pub const TENANTS: &str = r#"tenant=~"$tenant""#;
/// Chosen modules of chosen tenants.
pub const MODULES: &str = r#"tenant=~"$tenant",module=~"$module""#;
/// Chosen operations of them.
pub const OPERATIONS: &str = r#"tenant=~"$tenant",module=~"$module",operation=~"$operation""#;

const GOOD: &str = r#"outcome=~"success|client_error""#;
const VALID: &str = r#"outcome=~"success|client_error|failure""#;

/// `sum by (by) (...)`; over everything when `by` is empty.
#[must_use]
pub fn sum(by: &str, of: &str) -> String {
    if by.is_empty() { format!("sum({of})") } else { format!("sum by ({by}) ({of})") }
}

/// Increase per second of the counter `name`.
#[must_use]
pub fn rate(name: &str, selector: &str) -> String {
    format!("rate({name}{{{selector}}}[$__rate_interval])")
}

/// Requests per second.
#[must_use]
pub fn request_rate(by: &str, selector: &str) -> String {
    sum(by, &rate(REQUESTS_TOTAL, selector))
}

/// Good by valid requests over the rate interval.
#[must_use]
pub fn success_ratio(by: &str, selector: &str) -> String {
    let good = request_rate(by, &format!("{selector},{GOOD}"));
    let valid = request_rate(by, &format!("{selector},{VALID}"));
    format!("{good} / ({valid} > 0)")
}

/// The finished success ratio of a window.
#[must_use]
pub fn finished_success_ratio(window: &str) -> String {
    format!(r#"{REQUEST_SUCCESS_RATIO}{{{MODULES},window="{window}"}}"#)
}

/// A duration quantile from the classic histogram, or from the native one where that is what was scraped.
#[must_use]
pub fn duration_quantile(quantile: &str, by: &str) -> String {
    let separator = if by.is_empty() { "" } else { "," };
    let buckets = format!("{REQUEST_DURATION_SECONDS}_bucket");
    let classic = sum(&format!("le{separator}{by}"), &rate(&buckets, MODULES));
    let native = sum(by, &rate(REQUEST_DURATION_SECONDS, MODULES));
    format!("histogram_quantile({quantile}, {classic}) or histogram_quantile({quantile}, {native})")
}

/// Requests by duration bucket, for a heat map.
#[must_use]
pub fn duration_buckets() -> String {
    let buckets = format!("{REQUEST_DURATION_SECONDS}_bucket");
    sum("le", &format!("increase({buckets}{{{MODULES}}}[$__rate_interval])"))
}

/// The finished duration quantile of each operation, its worst over tenants and types.
#[must_use]
pub fn finished_quantile(quantile: &str, by: &str) -> String {
    let of = format!(r#"{REQUEST_DURATION_QUANTILE_SECONDS}{{{OPERATIONS},q="{quantile}",window="5m"}}"#);
    if by.is_empty() { format!("max({of})") } else { format!("max by ({by}) ({of})") }
}

/// Items received and not booked as accepted, refused or repeated: 0 at all times.
#[must_use]
pub fn unbooked_items() -> String {
    let of = |name: &str| sum("", &rate(name, TENANTS));
    let booked = [INGEST_ITEMS_ACCEPTED_TOTAL, INGEST_ITEMS_REJECTED_TOTAL, INGEST_ITEMS_DUPLICATE_TOTAL];
    let received = of(INGEST_ITEMS_RECEIVED_TOTAL);
    // A family without a sample, like refusals on a good day, stands for 0 and must not empty the sum.
    booked.iter().fold(received, |left, name| format!("{left} - ({} or vector(0))", of(name)))
}
