//! A client of the daemon's HTTP listeners, small enough to have no opinion: it follows nothing and retries nothing.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::exposition::{self, Sample};

/// Longest time for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// Asks one address over HTTP/1.1.
#[derive(Debug, Clone)]
pub struct Api {
    address: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Reply {
    /// The body as text; damaged characters are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|error| format!("failed to read JSON: {error} in {}", self.text()))
    }
}

impl Api {
    /// A client of this address.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Sends one request; `path` begins with `/`.
    ///
    /// # Errors
    /// When no answer comes within 20 s.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Reply, String> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).map_err(|error| error.to_string())?;
        let answer = async {
            let response = self.client.request(request).await.map_err(|error| format!("failed to ask: {error:?}"))?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| format!("failed to read the answer: {error}"))?;
            Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes() })
        };
        tokio::time::timeout(ANSWER_MAX, answer)
            .await
            .unwrap_or_else(|_| Err(format!("failed to get an answer to {path} within {ANSWER_MAX:?}")))
    }

    /// GET.
    ///
    /// # Errors
    /// When no answer comes within 20 s.
    pub async fn get(&self, path: &str) -> Result<Reply, String> {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// GET of a JSON document.
    ///
    /// # Errors
    /// When the answer is not 200 or no JSON.
    pub async fn json(&self, path: &str) -> Result<Value, String> {
        let reply = self.get(path).await?;
        match reply.status {
            StatusCode::OK => reply.json(),
            status => Err(format!("{path} answered {status}: {}", reply.text())),
        }
    }

    /// The samples of `/metrics`, as text 0.0.4.
    ///
    /// # Errors
    /// When the answer is not 200 or does not parse.
    pub async fn metrics(&self) -> Result<Vec<Sample>, String> {
        let reply = self.get("/metrics").await?;
        match reply.status {
            StatusCode::OK => exposition::parse(&reply.text()),
            status => Err(format!("/metrics answered {status}: {}", reply.text())),
        }
    }
}
