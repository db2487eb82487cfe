//! The end at real sockets: whole bodies are answered, unfinished ones get two seconds, the idle are closed.

use super::*;

#[tokio::test]
async fn idle_connections_and_listeners_close_at_the_end() {
    let house = house(settings()).await;
    let address = house.http();
    let mut idle = TcpStream::connect(address).await.expect("a listener");
    let keep = post("/v1/traces", "", "x").replace("Connection: close\r\n", "");
    idle.write_all(keep.as_bytes()).await.expect("sent");
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).await.expect("an answer");
    timeout(PATIENCE, house.receiver.stop()).await.expect("it ends");
    read_to_end(&mut idle).await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_complete_body_is_answered_at_the_end() {
    let House { receiver, script, .. } = house(settings()).await;
    let address = receiver.http()[0];
    let request = tokio::spawn(async move {
        exchange(address, post("/v1/traces", "", "wait").replace("Connection: close\r\n", "")).await
    });
    script.0.called.notified().await;
    let stopping = tokio::spawn(receiver.stop());
    // The listener is gone when the end has begun.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    script.0.go.notify_one();
    let response = request.await.expect("a response");
    assert!(status(&response) == "200" && response.contains("connection: close"), "{response}");
    timeout(PATIENCE, stopping).await.expect("it ends").expect("no panic");
}

#[tokio::test]
async fn an_incomplete_body_gets_two_seconds_and_then_shutdown() {
    let House { receiver, script, .. } = house(settings()).await;
    let address = receiver.http()[0];
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    let request = post("/v1/traces", "Expect: 100-continue\r\n", "xx");
    stream.write_all(&request.as_bytes()[..request.len() - 2]).await.expect("sent");
    // The body is asked for, so the request has passed the gate.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).await.expect("100 Continue");
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    let begun = std::time::Instant::now();
    let stopping = tokio::spawn(receiver.stop());
    let response = read_to_end(&mut stream).await;
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(status(&response) == "503" && response.contains("retry-after: "), "{response}");
    timeout(PATIENCE, stopping).await.expect("it ends").expect("no panic");
    assert_eq!(script.calls(), 0);
}
