//! What is good of what, in words (`slo.md` 1.4).

use super::sheet::{Row, Value};
use crate::exact::Decimal;
use crate::outcome::Outcome;
use crate::spec::{Amount, Compared, Sli};

/// The row of an SLI.
pub(super) fn good(sli: &Sli) -> Row {
    let (kind, text) = said(sli);
    Row::new("good", text).with("sli", Value::Text(kind.to_owned()))
}

fn said(sli: &Sli) -> (&'static str, String) {
    match sli {
        Sli::Availability => ("availability", "success and client_error, of these and failure".to_owned()),
        Sli::Outcome { good, total } => ("outcome", format!("{}, of {}", names(good), names(total))),
        Sli::Latency { threshold_ns, failures_are_slow } => {
            let failures = if *failures_are_slow { "failures are slow" } else { "failures do not count" };
            let threshold = milliseconds(*threshold_ns);
            ("latency", format!("successes of at most {threshold}, of all and of those given up later; {failures}"))
        }
        Sli::Leaks(rules) => {
            let rules = rules.join(", ");
            ("leaks", format!("hops without a confirmed finding, or one of high severity, of {rules}; of hops judged"))
        }
        Sli::Coverage(part) => {
            ("coverage", format!("what the coverage figure {part} counts, of what it is a share of"))
        }
        Sli::Counter { part, part_is_bad, total } => {
            let part = if *part_is_bad { format!("all but those of {}", metric(part)) } else { metric(part) };
            ("counter", format!("increases of {part}, of those of {}", metric(total)))
        }
        Sli::Gauge { metric: gauge, op, value } => {
            ("gauge", format!("points of {} {} {value}, of its points", metric(gauge), compared(*op)))
        }
        Sli::Histogram { metric: of, threshold } => {
            ("histogram", format!("values of {} in buckets at or below {threshold}, of all", metric(of)))
        }
        Sli::Quantile { metric: of, q, threshold } => {
            let (of, threshold) = match of {
                Some(of) => (metric(of), threshold.to_string()),
                None => {
                    let threshold_ns = threshold.units(0).and_then(|ns| u64::try_from(ns).ok());
                    ("latency".to_owned(), milliseconds(threshold_ns.unwrap_or_default()))
                }
            };
            ("quantile", format!("slices whose quantile {q} of {of} is at most {threshold}"))
        }
        Sli::Ratio { metric: of, is_failure } => {
            let share = if *is_failure { "bad" } else { "good" };
            ("ratio", format!("{} tells the {share} share", metric(of)))
        }
        Sli::Composite(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| format!("{} x {}", part.weight, part.slo)).collect();
            ("composite", format!("what its parts lack is added up: {}", parts.join(", ")))
        }
        Sli::Foreign(source) => ("foreign", format!("told by {source}, which is not asked: nothing is evaluated")),
    }
}

fn names(outcomes: &[Outcome]) -> String {
    outcomes.iter().map(|outcome| outcome.name()).collect::<Vec<_>>().join(", ")
}

fn milliseconds(ns: u64) -> String {
    format!("{} ms", Decimal::new(i64::try_from(ns).unwrap_or(i64::MAX), 6))
}

fn metric(amount: &Amount) -> String {
    let by: Vec<String> = amount.attributes.iter().map(|(key, glob)| format!("{key}={glob}")).collect();
    if by.is_empty() { amount.metric.clone() } else { format!("{}{{{}}}", amount.metric, by.join(", ")) }
}

const fn compared(op: Compared) -> &'static str {
    match op {
        Compared::Lt => "below",
        Compared::Lte => "of at most",
        Compared::Gt => "above",
        Compared::Gte => "of at least",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_reads_in_milliseconds_and_attributes_stand_beside_their_metric() {
        let latency = Sli::Latency { threshold_ns: 250_000_000, failures_are_slow: true };
        let (_, text) = said(&latency);
        assert_eq!(text, "successes of at most 250 ms, of all and of those given up later; failures are slow");
        let amount = |metric: &str, attributes: &[(&str, &str)]| Amount {
            metric: metric.to_owned(),
            attributes: attributes
                .iter()
                .map(|(key, glob)| ((*key).to_owned(), crate::spec::Glob::new(glob)))
                .collect(),
        };
        let (part, total) = (amount("orders", &[("status", "5*")]), amount("orders", &[]));
        let (_, text) = said(&Sli::Counter { part, part_is_bad: true, total });
        assert_eq!(text, "increases of all but those of orders{status=5*}, of those of orders");
    }
}
