//! What the daemon says when it is ready: a text for people, one JSON line for programs.
//!
//! Test harnesses read the ports from the line, so its fields are published names.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::json;

use crate::app::Started;

/// The text for a terminal.
#[must_use]
pub(super) fn text(started: &Started) -> String {
    let list = |addresses: &[SocketAddr]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {name:<7} {value}");
    };
    line("api", &format!("http://{}/v1/series", started.server));
    line("metrics", &format!("http://{}/metrics", started.server));
    let transports = [("grpc", &started.grpc), ("http", &started.http)];
    let otlp: Vec<String> = transports
        .iter()
        .filter(|(_, addresses)| !addresses.is_empty())
        .map(|(name, addresses)| format!("{name} {}", list(addresses)))
        .collect();
    line("OTLP", &if otlp.is_empty() { "no listener".to_owned() } else { otlp.join(", ") });
    let data = started.data.as_ref().map(|path| format!("{} (durability: fsync)", path.display()));
    line("data", data.as_deref().unwrap_or("in memory"));
    line("memory", &started.memory.to_string());
    line("access", "loopback only, no keys");
    let send = match (started.http.first(), started.grpc.first()) {
        (Some(http), _) => Some((http, "http/protobuf")),
        (None, grpc) => grpc.map(|grpc| (grpc, "grpc")),
    };
    if let Some((address, protocol)) = send {
        let endpoint = format!("OTEL_EXPORTER_OTLP_ENDPOINT=http://{address}");
        line("send", &format!("export {endpoint} OTEL_EXPORTER_OTLP_PROTOCOL={protocol}"));
    }
    line("try", "bailiwick demo");
    format!("bailiwick {} ready in {} ms\n{text}", started.version, started.ready_in.as_millis())
}

/// The event `started` in the form of the other JSON events, with lists as lists.
#[must_use]
pub(super) fn line(started: &Started, now_unix_ns: u64) -> String {
    let now = jiff::Timestamp::from_nanosecond(i128::from(now_unix_ns)).unwrap_or_default();
    let event = json!({
        "timestamp": format!("{now:.6}"),
        "level": "INFO",
        "message": "started",
        "version": started.version,
        "ready_ms": u64::try_from(started.ready_in.as_millis()).unwrap_or(u64::MAX),
        "grpc": started.grpc.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "http": started.http.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "server": started.server.to_string(),
        "data_dir": started.data,
        "memory_bytes_max": started.memory.total(),
        "target": module_path!(),
    });
    format!("{event}\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::app::MemoryBound;
    use crate::config::Settings;

    fn started() -> Started {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Started {
            version: "0.1.0",
            ready_in: Duration::from_micros(41_700),
            grpc: vec![address(4317)],
            http: vec![address(4318)],
            server: address(4319),
            data: Some("/srv/ada/.local/state/bailiwick".into()),
            memory: MemoryBound::of(&Settings::default(), 4),
        }
    }

    #[test]
    fn the_first_run_says_where_everything_is() {
        let expected = "\
bailiwick 0.1.0 ready in 41 ms
  api     http://127.0.0.1:4319/v1/series
  metrics http://127.0.0.1:4319/metrics
  OTLP    grpc 127.0.0.1:4317, http 127.0.0.1:4318
  data    /srv/ada/.local/state/bailiwick (durability: fsync)
  memory  at most 3527 MiB: in flight 256, connections 272, workers 256, histograms 256, counts 128, traces 256, tables 172, slos 334, store 1566, rest 32
  access  loopback only, no keys
  send    export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
  try     bailiwick demo
";
        assert_eq!(text(&started()), expected);
    }

    #[test]
    fn without_otlp_over_http_grpc_is_proposed() {
        let text = text(&Started { http: Vec::new(), ..started() });
        assert!(text.contains("  OTLP    grpc 127.0.0.1:4317\n"), "{text}");
        assert!(text.contains("ENDPOINT=http://127.0.0.1:4317 OTEL_EXPORTER_OTLP_PROTOCOL=grpc\n"), "{text}");
    }

    #[test]
    fn programs_read_addresses_from_one_json_line() {
        let line = line(&started(), 1_700_000_000_123_456_789);
        assert_eq!(line.matches('\n').count(), 1);
        let event: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
        assert_eq!(event["timestamp"], "2023-11-14T22:13:20.123456Z");
        assert_eq!(event["message"], "started");
        assert_eq!(event["ready_ms"], 41);
        assert_eq!(event["grpc"], json!(["127.0.0.1:4317"]));
        assert_eq!(event["http"], json!(["127.0.0.1:4318"]));
        assert_eq!(event["server"], "127.0.0.1:4319");
        assert_eq!(event["memory_bytes_max"], 3_697_847_168_u64);
    }
}
