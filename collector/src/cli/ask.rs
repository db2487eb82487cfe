//! Questions to a running daemon over plain HTTP.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use http::Uri;

use super::answer::{Answer, Exit};

/// Longest time without a byte.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most bytes of an answer: a ledger of the largest usual size, and its names.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// The body of a GET that was answered with success; else what to tell.
pub(super) fn get(server: &str, path: &str) -> Result<Vec<u8>, Answer> {
    let unusable = || Answer::failure(Exit::Usage, format!("`{server}` is not a URL such as http://127.0.0.1:4319"));
    let uri: Uri = server.parse().map_err(|_| unusable())?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(unusable)?;
    if uri.scheme_str() != Some("http") {
        return Err(unusable());
    }
    let host = authority.host().trim_matches(['[', ']']);
    let target = format!("{}{path}", uri.path().trim_end_matches('/'));
    let answer = converse((host, authority.port_u16().unwrap_or(80)), authority.as_str(), &target)
        .map_err(|error| Answer::failure(Exit::Unavailable, format!("no daemon at {server}: {error}")))?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.map_or(0, |end| end + 4));
    let status = std::str::from_utf8(head).ok().and_then(|head| head.split(' ').nth(1)?.parse::<u16>().ok());
    match status {
        Some(200..=299) => Ok(body.to_vec()),
        Some(status) => {
            let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
            let detail = problem["detail"].as_str().unwrap_or("it gave no reason").to_owned();
            Err(Answer::failure(Exit::Unavailable, format!("{server} answered {status}: {}", detail.escape_debug())))
        }
        None => Err(Answer::failure(Exit::Unavailable, format!("{server} does not speak HTTP"))),
    }
}

fn converse(address: (&str, u16), authority: &str, target: &str) -> std::io::Result<Vec<u8>> {
    let mut last = std::io::Error::other("its name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, Duration::from_secs(5)) {
            Ok(mut stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                // HTTP/1.0: the answer comes in one piece and ends with the connection.
                write!(stream, "GET {target} HTTP/1.0\r\nHost: {authority}\r\nAccept: */*\r\n\r\n")?;
                let mut answer = Vec::new();
                stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
                return Ok(answer);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
