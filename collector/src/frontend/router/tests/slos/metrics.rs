//! What `/metrics` tells of SLOs.

use super::super::*;
use super::world::*;

#[tokio::test]
async fn metrics_tell_the_same_budgets() {
    let metrics = text(ask_of(first().report, "/metrics?collect=slo", &[]).await).await;
    let rag = r#"tenant="acme",module="rag_hub",slo="avail""#;
    let globex = r#"tenant="globex",module="rag_hub",slo="avail""#;
    for line in [
        format!("slo_info{{{rag},window=\"30d\",method=\"Occurrences\",revision=\"0badcafe\"}} 1"),
        format!("slo_objective_ratio{{{rag}}} 0.999"),
        format!("slo_sli_ratio{{{rag},window=\"30d\"}} 0.97"),
        format!("slo_error_budget_remaining_ratio{{{rag}}} -29"),
        format!("slo_error_budget_remaining_ratio{{{globex}}} 0.5"),
        format!("slo_error_budget_events{{{rag},part=\"allowed\"}} 0.1"),
        format!("slo_error_budget_events{{{rag},part=\"spent\"}} 3"),
        format!("slo_burn_rate{{{rag},window=\"5m\"}} 30"),
        format!("slo_burn_rate{{{globex},window=\"1d\"}} 0.5"),
        format!("slo_burn_rate_threshold{{{rag},severity=\"page\",window=\"1h\"}} 14.4"),
        format!("slo_burn_rate_threshold{{{rag},severity=\"ticket\",window=\"2h\"}} 3"),
        format!("slo_measured_ratio{{{rag}}} 1"),
        format!("slo_state{{{rag},state=\"exhausted\"}} 1"),
        format!("slo_state{{{globex},state=\"acceptable\"}} 1"),
        format!("slo_alert_firing{{{rag},severity=\"page\"}} 1"),
        format!("slo_alert_firing{{{globex},severity=\"ticket\"}} 0"),
        format!("slo_evaluated_timestamp_seconds{{{rag}}} 1699999990"),
        "incidents_open{tenant=\"acme\",severity=\"page\"} 1".to_owned(),
        "incidents_open{tenant=\"globex\",severity=\"page\"} 0".to_owned(),
    ] {
        assert!(metrics.contains(&format!("bailiwick_{line}\n")), "{line} in\n{metrics}");
    }
    // One state for each instance, four windows for each of four instances, and nothing of other groups.
    assert_eq!(metrics.matches("bailiwick_slo_state{").count(), 4);
    assert_eq!(metrics.matches("bailiwick_slo_burn_rate{").count(), 16);
    assert!(!metrics.contains("bailiwick_ready") && !metrics.contains("bailiwick_requests_total"));
    let narrow = text(ask_of(first().report, "/metrics?tenant=globex", &[]).await).await;
    assert!(narrow.contains("bailiwick_slo_state{") && !narrow.contains("acme"));
}

#[tokio::test]
async fn what_is_not_measured_has_no_sample() {
    let metrics = text(ask_of(quiet(), "/metrics?collect=slo&tenant=globex", &[]).await).await;
    assert!(metrics.contains("state=\"no_data\"} 1\n"), "{metrics}");
    for absent in ["slo_sli_ratio", "slo_error_budget", "slo_burn_rate{", "NaN"] {
        assert!(!metrics.contains(absent), "{absent} in\n{metrics}");
    }
    let slices = text(ask_of(quiet(), "/metrics?collect=slo&tenant=acme", &[]).await).await;
    assert!(slices.contains("part=\"spent\"} 0.1\n") && slices.contains("part=\"allowed\"} 259.2\n"), "{slices}");
    let nothing = text(ask_of(Report::default(), "/metrics?collect=slo", &[]).await).await;
    assert_eq!(nothing, "");
}
