//! The yardstick: the daemon's own transport with nothing behind it. Bytes are read and dropped.

use bailiwick_collector::observation::LimitSettings;
use bailiwick_collector::observation::budget::Budget;
use bailiwick_collector::receiver::answer::{Accepted, Answer};
use bailiwick_collector::receiver::request::{Ingest, Received};
use bailiwick_collector::receiver::{Receiver, Settings, Surroundings, start};
use tokio::sync::watch;

/// Drops every request and says that all is well.
#[derive(Debug)]
struct NullSink;

impl Ingest for NullSink {
    async fn ingest(&self, received: Received) -> Answer {
        drop(received);
        Ok(Accepted::default())
    }
}

/// Serves OTLP on free ports of loopback.
///
/// # Errors
/// When no port can be had.
pub async fn serve() -> anyhow::Result<Receiver> {
    let mut settings = Settings::default();
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    settings.grpc.listen = vec![free];
    settings.http.listen = vec![free];
    let limits = LimitSettings::default();
    let (_, ready) = watch::channel(true);
    let budget = Budget::new(limits.inflight_bytes_max.0);
    let surroundings = Surroundings { budget, body_bytes_max: limits.body_bytes_max.0, ready };
    let receiver = start(&settings, surroundings, NullSink).await?;
    receiver.open();
    Ok(receiver)
}
