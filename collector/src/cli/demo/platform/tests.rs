//! The synthetic platform keeps what it promises: exact rates and shares, the same for a seed, faults where said.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_slo::outcome::Outcome;

use super::faults::{TOPICS, in_trouble};
use super::*;

fn platform(faults: Faults) -> Platform {
    Platform { seed: 1, rate: 50, faults, epoch_s: 1_700_000_000 }
}

/// Counts of `n` draws that have this share lie within five standard deviations of it.
fn assert_share(count: u64, n: u64, percent: u32) {
    let p = f64::from(percent) / 100.0;
    let (mean, deviation) = (n as f64 * p, (n as f64 * p * (1.0 - p)).sqrt());
    let off = (count as f64 - mean).abs();
    assert!(off <= 5.0 * deviation, "{count} of {n} is no share of {percent} %: off by {off}, sigma {deviation}");
}

#[test]
fn the_same_seed_gives_the_same_requests_in_any_order() {
    let (one, other) = (platform(Faults::ALL), platform(Faults::ALL));
    let forward: Vec<_> = (100..110).map(|index| one.second(index)).collect();
    let mut backward: Vec<_> = (100..110).rev().map(|index| other.second(index)).collect();
    backward.reverse();
    assert_eq!(forward, backward);
    assert_ne!(forward[0], Platform { seed: 2, ..one }.second(100));
}

#[test]
fn another_start_moves_times_and_ids_but_not_the_books() {
    let later = Platform { epoch_s: 1_800_000_000, ..platform(Faults::ALL) };
    assert_eq!(platform(Faults::ALL).expected(0..120), later.expected(0..120));
    assert_ne!(platform(Faults::ALL).second(7)[0].trace_id, later.second(7)[0].trace_id);
}

#[test]
fn a_healthy_platform_makes_exactly_its_rate_in_the_shares_of_the_specification() {
    let expected = platform(Faults::NONE).expected(0..1_200);
    let n = 1_200 * 50;
    assert_eq!(expected.requests(), n);
    assert_eq!((expected.refused_spans, expected.clock_anomalies), (0, 0));
    let mut tenants = BTreeMap::<_, u64>::new();
    let mut modules = BTreeMap::<_, u64>::new();
    for (series, counts) in &expected.series {
        *tenants.entry(series.tenant).or_default() += counts.total();
        *modules.entry(series.module).or_default() += counts.total();
    }
    assert_eq!(tenants.keys().copied().collect::<Vec<_>>(), ["acme", "globex", "initech"]);
    assert_share(tenants["acme"], n, 70);
    assert_share(tenants["globex"], n, 25);
    assert_share(tenants["initech"], n, 5);
    assert_eq!(modules.len(), 6);
    let shares = [
        ("chat_orchestrator", 35),
        ("rag_hub", 25),
        ("content_ops", 15),
        ("trend_ops", 10),
        ("stock_ops", 10),
        ("resource_ops", 5),
    ];
    for (module, percent) in shares {
        assert_share(modules[module], n, percent);
    }
}

#[test]
fn durations_lie_about_the_median_of_their_operation() {
    let platform = platform(Faults::NONE);
    let mut durations_ns: Vec<u64> = (0..600)
        .flat_map(|index| platform.second(index))
        .filter(|request| request.entry == Entry::Http("POST", "/rag/query"))
        .map(|request| request.ended_ns - request.started_ns)
        .collect();
    durations_ns.sort_unstable();
    let median_ms = durations_ns[durations_ns.len() / 2] as f64 / 1e6;
    // The median of n log-normal values errs by about 1.25 * spread / sqrt(n) of itself: below 1 % here.
    assert!((median_ms - 160.0).abs() < 160.0 * 0.05, "median {median_ms} ms");
}

#[test]
fn content_ops_is_in_trouble_ten_of_forty_minutes_and_when_live_traffic_begins() {
    assert_eq!((0..2_400).filter(|index| in_trouble(*index)).count(), 600);
    let since = (0..BACKFILL_SECONDS).rev().take_while(|index| in_trouble(*index)).count();
    assert_eq!(since, 300);
    assert!(in_trouble(BACKFILL_SECONDS));
}

#[test]
fn trouble_fails_eight_percent_of_globex_and_nobody_elses() {
    let count = |faults| {
        let expected = platform(faults).expected(BACKFILL_SECONDS - 300..BACKFILL_SECONDS);
        expected.modules()
    };
    let (healthy, troubled) = (count(Faults::NONE), count("failing_module".parse().unwrap()));
    let key = ("globex", "content_ops");
    let failures = troubled[&key].get(Outcome::Failure) - healthy[&key].get(Outcome::Failure);
    assert_share(failures, troubled[&key].total(), 8);
    let others = |counts: &BTreeMap<_, _>| {
        let mut counts = counts.clone();
        counts.remove(&key);
        counts
    };
    assert_eq!(others(&healthy), others(&troubled));
}

#[test]
fn the_three_convention_services_have_equal_books() {
    let expected = platform(Faults::ALL).expected(0..600);
    let books = |module: &str| -> Vec<_> {
        let theirs = expected.series.iter().filter(|(series, _)| series.module == module);
        theirs.map(|(series, counts)| (series.tenant, series.operation.clone(), *counts)).collect()
    };
    let old = books("conventions/http-old");
    assert_eq!(old.iter().map(|(_, _, counts)| counts.total()).sum::<u64>(), 600);
    assert!(old.iter().any(|(_, _, counts)| counts.get(Outcome::Failure) > 0), "a failure tells them apart");
    assert_eq!(old, books("conventions/http-new"));
    assert_eq!(old, books("conventions/http-dup"));
}

#[test]
fn many_operations_are_six_hundred_of_one_tenant_and_module() {
    let platform = Platform { rate: 200, ..platform("many_operations".parse().unwrap()) };
    let topics: BTreeSet<_> = (0..1_500)
        .flat_map(|index| platform.second(index))
        .filter(|request| request.topic.is_some())
        .map(|request| request.series())
        .collect();
    assert_eq!(topics.len(), TOPICS as usize);
    assert!(topics.iter().all(|series| (series.tenant, series.module) == ("acme", "trend_ops")));
}

#[test]
fn anonymous_calls_are_one_in_five_seconds() {
    let expected = platform(Faults::ALL).expected(0..600);
    assert_eq!(expected.modules()[&("_unknown", "resource_ops")].total(), 120);
}

#[test]
fn odd_times_are_late_early_backwards_and_too_late() {
    let odd = platform("odd_times".parse().unwrap());
    let expected = odd.expected(0..60);
    assert_eq!(expected.requests(), 60 * 50 - 1, "one of 3,000 is too late");
    assert_eq!(expected.clock_anomalies, 3);
    assert!(expected.refused_spans >= 1);
    let offset = |index: u64| -> Vec<i64> {
        let second_s = i64::try_from(odd.second_ns(index) / 1_000_000_000).unwrap();
        let ends = odd.second(index).into_iter().map(|request| request.ended_ns / 1_000_000_000);
        ends.map(|end_s| i64::try_from(end_s).unwrap() - second_s).filter(|offset_s| *offset_s != 0).collect()
    };
    assert_eq!(offset(0), [-660]);
    assert_eq!(offset(5), [-300]);
    assert_eq!(offset(10), [30]);
    assert_eq!(offset(11), [0_i64; 0]);
}

#[test]
fn a_fault_switched_off_leaves_the_others_as_they_were() {
    let conventions = |faults: &str| -> Vec<_> {
        let requests = platform(faults.parse().unwrap()).second(5);
        let theirs = requests.into_iter().filter(|request| request.service.namespace == "conventions");
        theirs.map(|request| (request.series(), request.outcome, request.started_ns, request.ended_ns)).collect()
    };
    assert_eq!(conventions("all").len(), 3);
    assert_eq!(conventions("all"), conventions("http_conventions"));
}

#[test]
fn faults_read_back_as_written_and_a_stranger_is_named() {
    assert_eq!("all".parse(), Ok(Faults::ALL));
    assert_eq!("none".parse(), Ok(Faults::NONE));
    let two: Faults = "anonymous, odd_times".parse().unwrap();
    assert_eq!(two.to_string(), "anonymous,odd_times");
    assert!(two.has(Fault::OddTimes) && !two.has(Fault::ManyOperations));
    assert_eq!("anonymous,gremlins".parse::<Faults>(), Err(UnknownFault("gremlins".to_owned())));
    assert!("".parse::<Faults>().is_err());
}
