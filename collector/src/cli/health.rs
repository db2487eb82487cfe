//! `healthcheck`: one question to the daemon over plain HTTP, answered within two seconds whatever happens.
//!
//! For container runtimes: it must stay small and must not need the daemon's own code to be well.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use http::Uri;

use super::answer::{Answer, Exit};

/// Longest time for the whole question.
const PATIENCE: Duration = Duration::from_secs(2);

/// Most bytes of an answer that are read: reasons are a few lines.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// Asks `/readyz`, or `/livez` where only life is in question.
#[must_use]
pub(super) fn check(server: &str, live: bool) -> Answer {
    let Some(target) = Target::parse(server, if live { "/livez" } else { "/readyz" }) else {
        return Answer::failure(Exit::Usage, format!("`{server}` is not a URL such as http://127.0.0.1:4319"));
    };
    let (sender, receiver) = mpsc::sync_channel(1);
    // Looking up a name can take longer than our patience, and cannot be interrupted.
    thread::spawn(move || sender.send(target.ask()));
    match receiver.recv_timeout(PATIENCE) {
        Ok(Ok(answer)) => judge(server, &answer),
        Ok(Err(error)) => Answer::failure(Exit::Unavailable, format!("no daemon at {server}: {error}")),
        Err(_) => Answer::failure(Exit::Unavailable, format!("no answer from {server} within 2 s")),
    }
}

/// Where to ask what.
struct Target {
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl Target {
    fn parse(server: &str, path: &str) -> Option<Self> {
        let uri: Uri = server.parse().ok()?;
        let authority = uri.authority()?;
        if uri.scheme_str() != Some("http") || authority.as_str().contains('@') {
            return None;
        }
        Some(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: authority.to_string(),
            path: format!("{}{path}", uri.path().trim_end_matches('/')),
        })
    }

    fn ask(&self) -> std::io::Result<Vec<u8>> {
        let mut last = std::io::Error::other("its name has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return self.converse(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn converse(&self, mut stream: TcpStream) -> std::io::Result<Vec<u8>> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        // HTTP/1.0: the answer comes in one piece and ends with the connection.
        write!(stream, "GET {} HTTP/1.0\r\nHost: {}\r\nAccept: text/plain\r\n\r\n", self.path, self.authority)?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
        Ok(answer)
    }
}

/// What an HTTP answer means.
fn judge(server: &str, answer: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status =
        head.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)).and_then(|code| code.parse().ok());
    match status {
        Some(200..=299_u16) => Answer { exit: Exit::Done, ..Answer::data("") },
        Some(status @ (500 | 503)) => {
            let reasons: String = body.lines().map(|line| format!("  {}\n", printable(line))).collect();
            let talk = format!("bailiwick: {server} is not ready ({status})\n{reasons}");
            Answer { data: String::new(), talk, exit: Exit::Problem }
        }
        Some(status) => Answer::failure(Exit::Unavailable, format!("{server} is no Bailiwick: it answered {status}")),
        None => Answer::failure(Exit::Unavailable, format!("{server} does not speak HTTP")),
    }
}

/// What a stranger answered must not steer the terminal.
fn printable(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A server that gives one answer and tells what it was asked.
    fn server(answer: &'static str) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let asked = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("the test connects");
            let mut question = Vec::new();
            while !question.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("the question has an end");
                question.extend(byte);
            }
            stream.write_all(answer.as_bytes()).expect("the test reads");
            String::from_utf8(question).expect("the question is text")
        });
        (url, asked)
    }

    #[test]
    fn a_ready_daemon_is_healthy_and_nothing_is_said() {
        let (url, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n");
        assert_eq!(check(&format!("{url}/"), false), Answer::data(""));
        let asked = asked.join().expect("the server ends");
        assert!(asked.starts_with("GET /readyz HTTP/1.0\r\nHost: 127.0.0.1:"), "{asked}");
    }

    #[test]
    fn a_daemon_that_is_not_ready_gives_its_reasons() {
        let (url, asked) = server("HTTP/1.0 503 Service Unavailable\r\n\r\nstarting\nno tick yet\u{1b}[2J\n");
        let answer = check(&url, true);
        assert_eq!(answer.exit, Exit::Problem);
        assert_eq!(answer.talk, format!("bailiwick: {url} is not ready (503)\n  starting\n  no tick yet[2J\n"));
        assert!(asked.join().expect("the server ends").starts_with("GET /livez "));
    }

    #[test]
    fn strangers_closed_ports_and_bad_urls_are_told_apart() {
        let (url, asked) = server("HTTP/1.1 404 Not Found\r\n\r\n");
        assert_eq!(check(&url, false).exit, Exit::Unavailable);
        asked.join().expect("the server ends");
        let (url, asked) = server("220 mail ready\r\n");
        assert!(check(&url, false).talk.ends_with("does not speak HTTP\n"));
        asked.join().expect("the server ends");
        assert!(check(&url, false).talk.contains("no daemon at"));
        for url in ["127.0.0.1:4319", "https://127.0.0.1", "http://a@b", ""] {
            assert_eq!(check(url, false).exit, Exit::Usage, "{url}");
        }
    }
}
