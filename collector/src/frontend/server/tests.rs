//! The listener on a real socket.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::aggregator::Snapshot;
use crate::clock::ManualClock;
use crate::frontend::{Inventory, MetricsSettings, Orders, Parts, Readiness, ServerSettings};
use crate::observation::budget::Budget;

fn state(listen: SocketAddr) -> State {
    State::new(Parts {
        settings: ServerSettings { listen, ..ServerSettings::default() },
        metrics: MetricsSettings::default(),
        inventory: Inventory::default(),
        snapshots: Arc::new(|| Arc::new(Snapshot::default())),
        orders: Orders::none(),
        definitions: Arc::new(|| Ok(Vec::new())),
        reports: Arc::new(|| Arc::new(crate::evaluator::Report::default())),
        limits: Arc::new(Vec::new),
        readiness: Readiness::new(),
        budget: Budget::new(1),
        recorded: None,
        clock: Arc::new(ManualClock::at(1)),
        started_at_ns: 1,
        otlp_http_port: None,
    })
}

async fn serve(listen: SocketAddr) -> Result<Server, ListenError> {
    let state = state(listen);
    Ok(Bound::bind(state.settings()).await?.serve(state).expect("a bound listener has an address"))
}

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

#[tokio::test]
async fn it_answers_on_the_port_that_it_tells_and_stops_when_told() {
    let running = serve(ANY_PORT).await.expect("a free port");
    let address = running.address;
    assert_ne!(address.port(), 0);
    let mut client = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET /startupz HTTP/1.1\r\nHost: {address}\r\n\r\n");
    client.write_all(request.as_bytes()).await.expect("it reads");
    let mut head = [0; 12];
    client.read_exact(&mut head).await.expect("it answers");
    assert_eq!(&head, b"HTTP/1.1 503");
    // The connection idles now; stopping closes it and does not wait for its time to run out.
    assert!(running.stop(Duration::from_secs(5)).await);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.expect("it closes");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_taken_port_is_told_by_its_setting() {
    let first = serve(ANY_PORT).await.expect("a free port");
    let error = serve(first.address).await.expect_err("taken");
    assert!(error.to_string().contains("server.listen"), "{error}");
    assert!(first.stop(Duration::from_secs(5)).await);
}
