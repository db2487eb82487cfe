//! Which metrics count for something (`sli.md` 1.9). Points of all others are accepted and get no row.

/// Requests that do not pass through tracing, what SDKs and exporters say of their own spans, requests in flight, tokens.
/// The names of `otel.sdk.*` are those that opentelemetry-sdk 1.45.1 for Python sends; it sends none of the older ones.
const NAMES: [&str; 11] = [
    "http.server.request.duration",
    "http.server.duration",
    "rpc.server.call.duration",
    "rpc.server.duration",
    "messaging.process.duration",
    "otel.sdk.span.started",
    "otel.sdk.exporter.span.exported",
    "otel.sdk.processor.span.processed",
    "http.server.active_requests",
    "otel.sdk.span.live",
    "gen_ai.client.token.usage",
];

/// Resources.
const PREFIXES: [&str; 3] = ["process.", "system.", "container."];

/// Whether points of this metric get rows. `counters` are the gateway counters of the settings.
pub(super) fn is_wanted(name: &[u8], counters: &[String]) -> bool {
    NAMES.iter().any(|known| known.as_bytes() == name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || name.strip_prefix(b"gen_ai.").is_some_and(is_wanted_of_models)
        || counters.iter().any(|counter| counter.as_bytes() == name)
}

/// Durations, and the newer names of tokens.
fn is_wanted_of_models(name: &[u8]) -> bool {
    let tokens = name.strip_prefix(b"client.inference.usage.").is_some_and(|tokens| tokens.ends_with(b"_tokens"));
    tokens || name.ends_with(b".duration")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_table_are_wanted_and_no_others() {
        let wanted = |name: &str| is_wanted(name.as_bytes(), &["envoy_cluster_upstream_rq".to_owned()]);
        for name in ["process.cpu.time", "system.memory.usage", "container.cpu.usage", "envoy_cluster_upstream_rq"] {
            assert!(wanted(name), "{name}");
        }
        for name in ["gen_ai.client.inference.usage.input_tokens", "gen_ai.client.operation.duration"] {
            assert!(wanted(name), "{name}");
        }
        assert!(NAMES.into_iter().all(wanted));
        for name in ["", "http.client.request.duration", "http.server.duration.x", "otel.sdk.span.ended", "processes"] {
            assert!(!wanted(name), "{name}");
        }
        for name in ["gen_ai.duration", "gen_ai.server.time_to_first_token", "gen_ai.client.inference.usage.cost"] {
            assert!(!wanted(name), "{name}");
        }
    }
}
