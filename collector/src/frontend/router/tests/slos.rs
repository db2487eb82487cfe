//! From spans to SLOs and incidents on every face, through the true fold and the true evaluator. Counted by hand here.

mod world;
mod metrics;
mod restored;

use serde_json::json;

use super::*;
use world::*;

#[tokio::test]
async fn the_least_budget_comes_first() {
    let body = ask_first("/v1/slos").await;
    assert_eq!((&body["schema"], &body["total"]), (&json!("bailiwick.slos/v1"), &json!(4)));
    assert_eq!(body["data_through"], "2023-11-14T22:13:10.000Z");
    assert_eq!(column(&body, "/tenant"), ["acme", "globex", "globex", "acme"]);
    assert_eq!(column(&body, "/module"), ["rag_hub", "rag_hub", "rag_hub", "chat"]);
    assert_eq!(column(&body, "/slo"), ["avail", "avail", "rag/loose", "avail"]);
    // 1 - 3 / 0.1, 1 - 1 / 2, 1 - 1 / 200.
    assert_eq!(column(&body, "/budget/remaining_ratio"), [-29.0, 0.5, 0.995, 1.0]);
    assert_eq!(column(&body, "/budget/allowed"), ["0.1", "2", "200", "0.01"]);
    assert_eq!(column(&body, "/level"), ["page", "none", "none", "none"]);
}

#[tokio::test]
async fn instances_are_filtered_and_paged() {
    let report = || first().report;
    for (uri, budgets) in [
        ("/v1/slos?tenant=acme", vec![-29.0, 1.0]),
        ("/v1/slos?module=rag_hub&tenant=globex", vec![0.5, 0.995]),
        ("/v1/slos?slo=rag/loose", vec![0.995]),
        ("/v1/slos?q=CHAT", vec![1.0]),
        ("/v1/slos?tenant=initech", vec![]),
    ] {
        let body = json(ask_of(report(), uri, &[]).await).await;
        assert_eq!(column(&body, "/budget/remaining_ratio"), budgets, "{uri}");
    }
    let narrow = json(ask_of(report(), "/v1/slos", &[("x-scope-orgid", "globex|initech")]).await).await;
    assert_eq!(column(&narrow, "/tenant"), ["globex", "globex"]);
    let mut next = Some("/v1/slos?limit=1".to_owned());
    let mut met = Vec::new();
    while let Some(uri) = next.take() {
        let response = ask_of(report(), &uri, &[]).await;
        let link = response.headers().get(header::LINK).map(|link| link.to_str().expect("text").to_owned());
        next = link.map(|link| link[1..link.find('>').expect("a target")].to_owned());
        met.push(json(response).await["items"][0]["budget"]["remaining_ratio"].as_f64());
    }
    assert_eq!(met, [Some(-29.0), Some(0.5), Some(0.995), Some(1.0)]);
    let page = json(ask_of(report(), "/v1/slos?limit=1", &[]).await).await;
    let other = format!("/v1/slos?slo=avail&cursor={}", page["next_cursor"].as_str().expect("a cursor"));
    assert_eq!(ask_of(report(), &other, &[]).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(ask_of(report(), "/v1/slos?sloo=x", &[]).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_instance_tells_all_that_its_tiers_see() {
    let body = ask_first("/v1/slos/acme/rag_hub/avail").await;
    let incident = body["incident"].as_str().expect("an id").to_owned();
    assert_eq!(incident.len(), 32);
    let window = json!({"state": "measured", "burn": "30", "bad": 3, "total": 100});
    let tier = |severity: &str, long: &str, short: &str, factor: &str, threshold: &str| {
        json!({
            "severity": severity, "long": long, "short": short, "factor": factor, "op": "gt", "threshold": threshold,
            "observed": {"long": window, "short": window}, "word": "critical", "state": "firing",
            "since": "2023-11-14T22:13:10.000Z", "frozen": false,
            "gates": {"p_value": null, "holds_back": false, "text": null},
        })
    };
    assert_eq!(
        body,
        json!({
            "schema": "bailiwick.slo/v1", "slo": "avail", "tenant": "acme", "module": "rag_hub", "state": "exhausted",
            "level": "page", "revision": "0badcafe", "generation": "0badcafe",
            "born_at": "2023-11-14T22:13:00.000Z", "evaluated_at": "2023-11-14T22:13:10.000Z",
            "data_through": "2023-11-14T22:13:10.000Z", "method": "Occurrences", "target": "0.999",
            "period": {
                // 30 d before, down to the minute.
                "kind": "rolling", "from": "2023-10-15T22:13:00.000Z", "to": "2023-11-14T22:13:10.000Z",
                "seconds": 2_592_000,
            },
            "sli": {"state": "measured", "value_ratio": 0.97, "bad": 3, "total": 100, "measured_ratio": 1.0},
            "budget": {"allowed": "0.1", "bad": 3, "remaining_ratio": -29.0, "low_traffic": true},
            "tiers": [
                tier("page", "1h", "5m", "14.4", "0.0144"),
                tier("ticket", "1d", "2h", "3", "0.003"),
            ],
            // The budget is spent: the next whole minute finds it so, whatever chance does.
            "forecast": {
                "evaluated_at": "2023-11-14T22:13:10.000Z", "constant_s": 0.0,
                "rolling": {
                    "earliest_at": "2023-11-14T22:14:00.000Z", "expected_at": "2023-11-14T22:14:00.000Z",
                    "latest_at": "2023-11-14T22:14:00.000Z",
                },
            },
            "policy_step": null, "incident": incident, "corrections": [], "overrides": [],
        })
    );
    let encoded = ask_first("/v1/slos/globex/rag_hub/rag%2Floose").await;
    assert_eq!((&encoded["slo"], &encoded["tiers"][0]["threshold"]), (&json!("rag/loose"), &json!("1.44")));
}

#[tokio::test]
async fn a_foreign_one_is_as_unknown_as_one_that_is_not_there() {
    let id = ask_first("/v1/slos/acme/rag_hub/avail").await["incident"].as_str().expect("an id").to_owned();
    let globex = ("x-scope-orgid", "globex");
    for (foreign, unknown) in [
        ("/v1/slos/acme/rag_hub/avail".to_owned(), "/v1/slos/initech/rag_hub/avail".to_owned()),
        (format!("/v1/incidents/{id}"), format!("/v1/incidents/{}", "0".repeat(32))),
    ] {
        assert_eq!(ask_of(first().report, &foreign, &[]).await.status(), StatusCode::OK, "{foreign}");
        let mut told = Vec::new();
        for uri in [&foreign, &unknown] {
            let response = ask_of(first().report, uri, &[globex]).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{uri}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
            let mut body = json(response).await;
            assert_eq!(body["instance"], **uri);
            body["instance"].take();
            told.push(body);
        }
        assert_eq!(told[0], told[1]);
    }
    assert_eq!(ask_of(first().report, "/v1/slos/acme/rag_hub/%FF", &[]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_was_not_asked_has_no_figure_and_parts_of_slices_are_decimals() {
    let body = json(ask_of(quiet(), "/v1/slos/globex/rag_hub/avail", &[]).await).await;
    assert_eq!(body["state"], "no_data");
    let sli = json!({"state": "unmeasured", "value_ratio": null, "bad": 0, "total": 0, "measured_ratio": 1.0});
    assert_eq!(body["sli"], sli);
    assert_eq!(
        (&body["tiers"][0]["observed"]["long"]["burn"], &body["budget"]["remaining_ratio"]),
        (&Value::Null, &json!(1.0))
    );
    let slices = json(ask_of(quiet(), "/v1/slos/acme/rag_hub/slices", &[]).await).await;
    assert_eq!((&slices["method"], &slices["sli"]["bad"]), (&json!("RatioTimeslices"), &json!("0.1")));
    assert_eq!((&slices["sli"]["total"], &slices["sli"]["value_ratio"]), (&json!(1), &json!(0.9)));
    // 259,200 slices of 10 s in 30 d, a thousandth of them.
    let budget = json!({"allowed": "259.2", "bad": "0.1", "remaining_ratio": 0.999_614_198, "low_traffic": false});
    assert_eq!(slices["budget"], budget);
    assert_eq!(slices["tiers"][0]["observed"]["long"]["burn"], "100");
}

#[tokio::test]
async fn an_incident_tells_who_the_bad_events_came_from() {
    let body = ask_first("/v1/incidents?tenant=acme").await;
    assert_eq!((&body["schema"], &body["total"]), (&json!("bailiwick.incidents/v1"), &json!(1)));
    let incident = &body["items"][0];
    let one = ask_first(&format!("/v1/incidents/{}", incident["id"].as_str().expect("an id"))).await;
    assert_eq!((&one["schema"], &one["events"]), (&json!("bailiwick.incident/v1"), &incident["events"]));
    for (pointer, value) in [
        ("/slo", json!("avail")),
        ("/state", json!("open")),
        ("/level", json!("page")),
        ("/peak_level", json!("page")),
        ("/causes", json!(["page/1h/5m", "ticket/1d/2h"])),
        ("/opened_at", json!("2023-11-14T22:13:10.000Z")),
        ("/ended_at", Value::Null),
        ("/reason", Value::Null),
        ("/reopened", json!(0)),
        ("/ack", Value::Null),
        ("/attribution/from", json!("2023-11-14T21:13:10.000Z")),
        ("/attribution/to", json!("2023-11-14T22:13:10.000Z")),
        ("/attribution/bad", json!(3)),
        ("/attribution/by/tenant", json!([{"value": "acme", "bad": 3, "share_ratio": 1.0}])),
        (
            "/attribution/by/operation",
            json!([
                {"value": "POST /rag/query", "bad": 2, "share_ratio": 0.667},
                {"value": "GET /rag", "bad": 1, "share_ratio": 0.333},
            ]),
        ),
        ("/events/0/type", json!("slo.alert.firing")),
        ("/events/0/cause", json!("page/1h/5m")),
        ("/events/0/at", json!("2023-11-14T22:13:10.000Z")),
    ] {
        assert_eq!(incident.pointer(pointer), Some(&value), "{pointer}");
    }
    // The latest bad span of each series: the last ones that were sent.
    let exemplars = incident["exemplars"].as_array().expect("exemplars");
    let ids: Vec<&Value> = exemplars.iter().map(|exemplar| &exemplar["trace_id"]).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(exemplars[0]["operation"], "GET /rag");
    assert_eq!(ids[0], &json!(format!("{:032x}", 2_039)));
    assert_eq!(
        (&exemplars[0]["duration_ns"], &exemplars[0]["at"]),
        (&json!(40_000_000), &json!("2023-11-14T22:12:20.000Z"))
    );
    let text = "acme / rag_hub is failing its availability promise: 3 of 100 requests failed in the last 1 h (3 %); \
        0.1 % is allowed. The 30 d budget is spent: 3,000 % of it is gone. Most from POST /rag/query (66.7 %).";
    assert_eq!(incident["text"], text);
}

#[tokio::test]
async fn each_dimension_adds_up_to_the_bad_ones() {
    let body = ask_later("/v1/incidents").await;
    let incidents = body["items"].as_array().expect("items");
    assert_eq!(incidents.len(), 2);
    for incident in incidents {
        let attribution = &incident["attribution"];
        let dimensions = attribution["by"].as_object().expect("dimensions");
        assert_eq!(dimensions.len(), 3);
        for (name, parts) in dimensions {
            let parts = parts.as_array().expect("parts");
            let bad: u64 = parts.iter().map(|part| part["bad"].as_u64().expect("a count")).sum();
            let shares: f64 = parts.iter().map(|part| part["share_ratio"].as_f64().expect("a share") * 1_000.0).sum();
            assert_eq!((Some(bad), shares.round() as u64), (attribution["bad"].as_u64(), 1_000), "{name}");
        }
    }
}

#[tokio::test]
async fn open_incidents_come_first_and_what_is_over_says_so() {
    let body = ask_later("/v1/incidents").await;
    assert_eq!(column(&body, "/tenant"), ["globex", "acme"]);
    assert_eq!(column(&body, "/state"), ["open", "resolved"]);
    // The slot that the good requests are in ended at 22:16:40; two minutes later it was told.
    assert_eq!(column(&body, "/opened_at"), ["2023-11-14T22:16:40.000Z", "2023-11-14T22:13:10.000Z"]);
    let over = &body["items"][1];
    assert_eq!((&over["reason"], &over["ended_at"]), (&json!("recovered"), &json!("2023-11-14T22:16:40.000Z")));
    assert_eq!(
        (&over["events"][1]["type"], &over["events"][1]["at"]),
        (&json!("slo.alert.resolved"), &json!("2023-11-14T22:18:40.000Z"))
    );
    let text = "acme / rag_hub keeps its availability promise again. Resolved at 22:16 UTC after 3 min 30 s: \
        recovered. The 30 d budget is spent: 272.73 % of it is gone. Most from POST /rag/query (66.7 %).";
    assert_eq!(over["text"], text);
    for (filter, tenants) in [
        ("state=open", vec!["globex"]),
        ("state=resolved", vec!["acme"]),
        ("level=page", vec!["globex", "acme"]),
        ("level=ticket", vec![]),
        ("slo=avail&module=rag_hub&tenant=acme", vec!["acme"]),
        ("slo=rag/loose", vec![]),
    ] {
        assert_eq!(column(&ask_later(&format!("/v1/incidents?{filter}")).await, "/tenant"), tenants, "{filter}");
    }
    let wrong = ask_of(Report::default(), "/v1/incidents?state=closed", &[]).await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json(wrong).await["detail"], "`state`: it is one of open, resolved");
    let globex = ask_of(later().report, "/v1/incidents", &[("x-scope-orgid", "globex")]).await;
    assert!(!super::text(globex).await.contains("acme"));
}

#[tokio::test]
async fn reports_carry_a_weak_validator_of_run_and_record() {
    // A batch and a tick.
    let tag = "W/\"ff-2\"";
    let response = ask_of(first().report, "/v1/slos", &[]).await;
    assert_eq!(response.headers()[header::ETAG], tag);
    for uri in ["/v1/slos", "/v1/incidents", "/v1/slos/acme/rag_hub/avail"] {
        let again = ask_of(first().report, uri, &[("if-none-match", tag)]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{uri}");
    }
    let unknown = ask_of(first().report, "/v1/slos/acme/rag_hub/none", &[("if-none-match", tag)]).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}
