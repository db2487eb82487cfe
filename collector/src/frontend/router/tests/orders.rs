//! Orders on their way in: who may order what, and how much of it is kept. Nobody carries them out here: an order that
//! is taken is answered by 503.

use axum::body::Bytes;

use super::*;

const CORRECTION: &str = r#""starts_at": "2026-05-04T22:00:00Z", "ends_at": "2026-05-04T23:00:00Z", "effect": "good""#;

/// The status of an answer, and the parameter that it is about.
async fn order(uri: &str, scope: Option<&str>, body: Body) -> (u16, Value) {
    let headers: Vec<(&str, &str)> = scope.map(|ids| ("x-scope-orgid", ids)).into_iter().collect();
    let mut request = request("POST", uri, &headers);
    request.headers_mut().insert("content-type", "application/json".parse().expect("a value"));
    *request.body_mut() = body;
    let router = router(state_with(ServerSettings::default(), ready()));
    let response = router.oneshot(request).await.expect("infallible");
    let status = response.status().as_u16();
    (status, json(response).await["errors"][0]["parameter"].clone())
}

async fn correct(scope: Option<&str>, tenant: &str, reason: &str) -> (u16, Value) {
    let body = format!(r#"{{"tenant": "{tenant}", "reason": "{reason}", {CORRECTION}}}"#);
    order("/v1/corrections", scope, body.into()).await
}

#[tokio::test]
async fn who_asks_for_tenants_orders_for_those_only_and_by_name() {
    let taken = (503, Value::Null);
    assert_eq!(correct(None, "*", "upgrade").await, taken);
    assert_eq!(correct(Some("acme|globex"), "globex", "upgrade").await, taken);
    for foreign in ["*", "ac?e", "initech"] {
        assert_eq!(correct(Some("acme|globex"), foreign, "upgrade").await, (422, "tenant".into()), "{foreign}");
    }
    let silence = |matchers: &str| silence("2023-11-15T00:00:00Z", matchers);
    let acme = r#"{"name": "tenant", "value": "acme"}"#;
    let any = r#"{"name": "tenant", "value": ".*", "isRegex": true}"#;
    let not_globex = r#"{"name": "tenant", "value": "globex", "isEqual": false}"#;
    assert_eq!(order("/v1/silences", Some("acme"), silence(acme)).await, taken);
    assert_eq!(order("/v1/silences", None, silence(any)).await, taken);
    for foreign in [any, not_globex, r#"{"name": "module", "value": "chat"}"#] {
        let refused = order("/v1/silences", Some("acme"), silence(foreign)).await;
        assert_eq!(refused, (422, "matchers".into()), "{foreign}");
    }
    assert_eq!(order("/-/reload", Some("acme"), Body::empty()).await.0, 404);
}

fn silence(ends_at: &str, matchers: &str) -> Body {
    Body::from(format!(r#"{{"ends_at": "{ends_at}", "comment": "x", "matchers": [{matchers}]}}"#))
}

#[tokio::test]
async fn a_silence_lasts_ninety_days_at_most() {
    // It is 2023-11-14T22:13:20Z.
    let page = r#"{"name": "severity", "value": "page"}"#;
    for (ends_at, expected) in [
        ("2024-02-12T22:13:20Z", (503, Value::Null)),
        ("2024-02-12T22:13:21Z", (422, "ends_at".into())),
        ("2023-11-14T22:13:20Z", (422, "ends_at".into())),
    ] {
        assert_eq!(order("/v1/silences", None, silence(ends_at, page)).await, expected, "{ends_at}");
    }
}

#[tokio::test]
async fn what_is_kept_of_an_order_has_bounds() {
    assert_eq!(correct(None, "acme", &"x".repeat(1_024)).await.0, 503);
    assert_eq!(correct(None, "acme", &"x".repeat(1_025)).await, (422, "reason".into()));
    assert_eq!(correct(None, &"x".repeat(256), "upgrade").await, (422, "tenant".into()));
    // Nothing announces how long this one is.
    let max = ServerSettings::default().body_max.0;
    let pieces = (0..=max / 1_024).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1_024])));
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    assert_eq!(order("/v1/corrections", None, body).await.0, 413);
}
