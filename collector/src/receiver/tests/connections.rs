//! Connections at real sockets: what is announced to them, and when the silent, the slow and the idle are closed.

use std::collections::HashMap;

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

async fn http2(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    stream.write_all(PREFACE).await.expect("sent");
    stream
}

/// The next frame: kind, stream and payload.
async fn next_frame(stream: &mut TcpStream) -> Option<(u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    timeout(PATIENCE, stream.read_exact(&mut head)).await.expect("a frame in time").ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.ok()?;
    Some((head[3], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
}

#[tokio::test]
async fn the_settings_frame_says_what_the_specification_sets() {
    let house = house(settings()).await;
    for address in [house.grpc(), house.http()] {
        let mut stream = http2(address).await;
        let (kind, _, payload) = next_frame(&mut stream).await.expect("SETTINGS come first");
        assert_eq!(kind, 4);
        let (settings, _) = payload.as_chunks::<6>();
        let settings: HashMap<u16, u32> = settings
            .iter()
            .map(|[a, b, c, d, e, f]| (u16::from_be_bytes([*a, *b]), u32::from_be_bytes([*c, *d, *e, *f])))
            .collect();
        // RFC 9113, 6.5.2: 3 concurrent streams, 4 window, 5 frame, 6 header list.
        assert_eq!((settings[&3], settings[&4], settings[&5], settings[&6]), (64, 262_144, 262_144, 16_384));
        // The connection's window is raised by a WINDOW_UPDATE from 65,535 to 512 KiB.
        let (mut kind, mut on, mut payload) = next_frame(&mut stream).await.expect("more");
        if kind == 4 {
            // The acknowledgement of ours.
            (kind, on, payload) = next_frame(&mut stream).await.expect("more");
        }
        let update = u32::from_be_bytes([payload[0], payload[1], payload[2], payload[3]]);
        assert_eq!((kind, on, update + 65_535), (8, 0, 524_288));
    }
}

#[tokio::test]
async fn silence_is_closed_whatever_was_sniffed_so_far() {
    let house = house(impatient()).await;
    for beginning in ["", "PRI * HT", "POST /v1/traces HTTP/1.1\r\nHost:"] {
        assert_eq!(exchange(house.http(), beginning).await, "", "{beginning:?}");
    }
    let mut stream = http2(house.grpc()).await;
    while next_frame(&mut stream).await.is_some() {}
}

#[tokio::test]
async fn a_slow_body_is_told_so_and_cut() {
    let house = house(impatient()).await;
    let request = post("/v1/traces", "", "xx");
    let response = exchange(house.http(), &request[..request.len() - 1]).await;
    assert!(status(&response) == "408" && response.contains("connection: close"), "{response}");
    assert_eq!((house.script.calls(), house.budget.used()), (0, 0));
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_one_with_slow_heads_before_it() {
    let house = house(impatient()).await;
    let keep = post("/v1/traces", "", "x").replace("Connection: close\r\n", "");
    let begun = std::time::Instant::now();
    assert_eq!(status(&exchange(house.http(), &keep).await), "200");
    let idle = begun.elapsed();
    assert!(idle >= Duration::from_millis(550), "closed after {idle:?} of the 600 ms that it may be idle");
    let begun = std::time::Instant::now();
    let mut stream = TcpStream::connect(house.http()).await.expect("a listener");
    stream.write_all(keep.as_bytes()).await.expect("sent");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    stream.write_all(b"POST /v1").await.expect("sent");
    read_to_end(&mut stream).await;
    let trickled = begun.elapsed();
    assert!(trickled < Duration::from_millis(590), "{trickled:?}: a head has 200 ms");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_ingested() {
    let house = house(settings()).await;
    let request = post("/v1/traces", "", "xxxx");
    let mut stream = TcpStream::connect(house.http()).await.expect("a listener");
    stream.write_all(&request.as_bytes()[..request.len() - 2]).await.expect("sent");
    stream.shutdown().await.expect("half-closed");
    assert_ne!(status(&read_to_end(&mut stream).await), "200");
    assert_eq!((house.script.calls(), house.budget.used()), (0, 0));
}

#[tokio::test]
async fn the_longest_idle_connection_makes_room_for_a_new_one() {
    let mut settings = settings();
    settings.connections.max = 4;
    let house = house(settings).await;
    let keep = post("/v1/traces", "", "x").replace("Connection: close\r\n", "");
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(house.http()).await.expect("a listener");
        stream.write_all(keep.as_bytes()).await.expect("sent");
        let mut answer = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("in time").expect("an answer");
        assert_eq!(&answer[9..], b"200");
        streams.push(stream);
    }
    let first = read_to_end(&mut streams[0]).await;
    assert!(!first.is_empty(), "the rest of its answer, then the end");
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_remedy() {
    let house = house(settings()).await;
    let mut taken = settings();
    taken.grpc.listen = vec![house.grpc()];
    let (_ready, ready) = watch::channel(true);
    let surroundings = Surroundings { budget: Budget::new(1), body_bytes_max: 1, ready };
    let error = start(&taken, surroundings, Scripted::default()).await.expect_err("the port is taken").to_string();
    let expected = format!("cannot listen on {}: address in use: ", house.grpc());
    assert!(error.starts_with(&expected) && error.ends_with("set receiver.grpc.listen"), "{error}");
}
