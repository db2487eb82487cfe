//! What must be right before a figure counts: the daemon's books against what was sent, series by series.

use std::collections::BTreeMap;
use std::time::Duration;

use bailiwick_slo::outcome::Outcome;

use super::client::Tally;
use super::pool::Pool;
use crate::harness::{Api, eventually};

/// The aggregator's tick (1 s) and what may wait before it.
const SETTLE_MAX: Duration = Duration::from_secs(60);

/// Requests by tenant, module, operation and outcome.
type Counts = BTreeMap<(String, String, String, String), u64>;

/// Waits until the daemon has booked as many spans, by its cheapest answer: this happens inside a measurement.
pub async fn settle(api: &Api, spans: u64) {
    eventually("all accepted spans in the books", SETTLE_MAX, async || {
        let books = api.json("/v1/ingest?limit=1000").await?;
        let items = books["items"].as_array().ok_or("no items")?;
        let accepted: u64 = items.iter().filter_map(|item| item["accepted"].as_u64()).sum();
        if accepted == spans { Ok(()) } else { Err(format!("{accepted} of {spans}")) }
    })
    .await;
}

/// Compares every series and outcome.
///
/// # Errors
/// The first ones that differ.
pub async fn compare(api: &Api, pool: &Pool, tallies: &[&Tally]) -> anyhow::Result<()> {
    let truth = truth(pool, tallies);
    let samples = api.metrics().await.map_err(anyhow::Error::msg)?;
    let requests = samples.iter().filter(|sample| sample.name == "bailiwick_requests_total" && sample.value > 0.0);
    let booked: Counts = requests
        .map(|sample| {
            let label = |name: &str| sample.label(name).to_owned();
            // Counts below 2^53 are exact.
            ((label("tenant"), label("module"), label("operation"), label("outcome")), sample.value as u64)
        })
        .collect();
    let wrong = differences(&truth, &booked);
    anyhow::ensure!(
        wrong.is_empty(),
        "the books are wrong in {} of {} places: {}",
        wrong.len(),
        truth.len(),
        wrong.iter().take(5).cloned().collect::<Vec<_>>().join("; ")
    );
    Ok(())
}

fn truth(pool: &Pool, tallies: &[&Tally]) -> Counts {
    let mut by_series: BTreeMap<(u32, Outcome), u64> = BTreeMap::new();
    for tally in tallies {
        for (request, times) in tally.accepted.iter().enumerate().filter(|(_, times)| **times > 0) {
            for said in pool.said(request) {
                *by_series.entry(*said).or_default() += u64::from(*times);
            }
        }
    }
    let named = by_series.into_iter().map(|((series, outcome), count)| {
        let place = pool.dimensions.place(series as usize);
        ((place.tenant(), place.module(), place.operation(), outcome.name().to_owned()), count)
    });
    named.collect()
}

fn differences(truth: &Counts, booked: &Counts) -> Vec<String> {
    let missing = truth.iter().filter(|(key, count)| booked.get(*key) != Some(count));
    let missing = missing.map(|(key, count)| format!("{key:?}: sent {count}, booked {:?}", booked.get(key)));
    let invented = booked.iter().filter(|(key, _)| !truth.contains_key(*key));
    missing.chain(invented.map(|(key, count)| format!("{key:?}: booked {count}, never sent"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(list: &[(&str, u64)]) -> Counts {
        let key = |tenant: &str| (tenant.to_owned(), "m".to_owned(), "o".to_owned(), "success".to_owned());
        list.iter().map(|(tenant, count)| (key(tenant), *count)).collect()
    }

    #[test]
    fn equal_books_have_no_difference() {
        assert!(differences(&counts(&[("a", 1), ("b", 2)]), &counts(&[("a", 1), ("b", 2)])).is_empty());
    }

    #[test]
    fn missing_wrong_and_invented_counts_are_each_told() {
        let wrong = differences(&counts(&[("a", 1), ("b", 2)]), &counts(&[("b", 3), ("c", 1)]));
        assert_eq!(wrong.len(), 3);
        assert!(wrong[0].contains("sent 1, booked None") && wrong[2].contains("never sent"), "{wrong:?}");
    }
}
