//! What became of a span, from what it shows by itself (`sli.md` 1.4). First match wins.

use bailiwick_slo::outcome::Outcome;

/// What the rules look at.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts<'a> {
    /// OTLP span kind.
    pub(super) kind: u8,
    /// OTLP status code.
    pub(super) status: u8,
    /// `bailiwick.outcome`, if it is one of its values.
    pub(super) given: Option<Outcome>,
    /// HTTP status code, 100 to 599.
    pub(super) http: Option<u16>,
    /// gRPC code, 0 to 16.
    pub(super) grpc: Option<u16>,
    /// `error.type`; empty: none.
    pub(super) error_type: &'a [u8],
    /// `error.type` means that the caller went away.
    pub(super) cancelled: bool,
    /// The HTTP code counts as the platform's failure in this module.
    pub(super) failing_4xx: bool,
    /// `requests.server_4xx_error: client_error`.
    pub(super) forgive_4xx_error: bool,
}

pub(super) const KIND_SERVER: u8 = 2;
pub(super) const KIND_CLIENT: u8 = 3;
pub(super) const KIND_PRODUCER: u8 = 4;

const STATUS_OK: u8 = 1;
const STATUS_ERROR: u8 = 2;
const GRPC_CANCELLED: u16 = 1;
/// UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS.
const GRPC_FAILURES: [u16; 6] = [2, 4, 12, 13, 14, 15];

/// The outcome and the number of the row of `sli.md` 1.4 that decided.
pub(super) fn decide(facts: &Facts<'_>) -> (Outcome, u8) {
    let server = facts.kind == KIND_SERVER;
    let client = facts.kind == KIND_CLIENT;
    let http = facts.http.unwrap_or(0);
    let http_4xx = (400..500).contains(&http);
    if let Some(given) = facts.given {
        return (given, 0);
    }
    if facts.status == STATUS_OK {
        return (Outcome::Success, 1);
    }
    if http == 499 || facts.grpc == Some(GRPC_CANCELLED) || facts.cancelled {
        return (Outcome::Cancelled, 2);
    }
    if facts.status == STATUS_ERROR && !(facts.forgive_4xx_error && server && http_4xx) {
        return (Outcome::Failure, 3);
    }
    if (server && http >= 500) || (client && http >= 400) {
        return (Outcome::Failure, 4);
    }
    if server && http_4xx {
        return (if facts.failing_4xx { Outcome::Failure } else { Outcome::ClientError }, 5);
    }
    match facts.grpc {
        Some(code) if server && GRPC_FAILURES.contains(&code) => return (Outcome::Failure, 6),
        Some(1..) if server => return (Outcome::ClientError, 6),
        Some(1..) if client => return (Outcome::Failure, 7),
        _ => {}
    }
    if facts.error_type.is_empty() { (Outcome::Success, 9) } else { (Outcome::Failure, 8) }
}

/// The number of a gRPC code by its name.
pub(super) fn grpc_code(name: &[u8]) -> Option<u16> {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    NAMES.iter().position(|known| known.as_bytes() == name).map(|code| code as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_decides_as_written() {
        let server = Facts { kind: KIND_SERVER, ..Facts::default() };
        let client = Facts { kind: KIND_CLIENT, ..Facts::default() };
        let cases = [
            (Facts { given: Some(Outcome::Excluded), status: 2, ..server }, Outcome::Excluded, 0),
            (Facts { status: 1, http: Some(500), ..server }, Outcome::Success, 1),
            (Facts { http: Some(499), status: 2, ..server }, Outcome::Cancelled, 2),
            (Facts { grpc: Some(1), ..server }, Outcome::Cancelled, 2),
            (Facts { cancelled: true, error_type: b"AbortError", ..server }, Outcome::Cancelled, 2),
            (Facts { status: 2, http: Some(404), ..server }, Outcome::Failure, 3),
            (Facts { status: 2, http: Some(404), forgive_4xx_error: true, ..server }, Outcome::ClientError, 5),
            (Facts { http: Some(500), ..server }, Outcome::Failure, 4),
            (Facts { http: Some(404), ..client }, Outcome::Failure, 4),
            (Facts { http: Some(404), ..server }, Outcome::ClientError, 5),
            (Facts { http: Some(429), failing_4xx: true, ..server }, Outcome::Failure, 5),
            (Facts { grpc: Some(14), ..server }, Outcome::Failure, 6),
            (Facts { grpc: Some(5), ..server }, Outcome::ClientError, 6),
            (Facts { grpc: Some(5), ..client }, Outcome::Failure, 7),
            (Facts { grpc: Some(0), ..server }, Outcome::Success, 9),
            (Facts { error_type: b"ValueError", ..server }, Outcome::Failure, 8),
            (Facts { http: Some(200), ..server }, Outcome::Success, 9),
        ];
        for (facts, outcome, rule) in cases {
            assert_eq!(decide(&facts), (outcome, rule), "{facts:?}");
        }
    }

    #[test]
    fn grpc_codes_have_their_canonical_numbers() {
        assert_eq!(
            (grpc_code(b"OK"), grpc_code(b"UNAVAILABLE"), grpc_code(b"UNAUTHENTICATED")),
            (Some(0), Some(14), Some(16))
        );
        assert_eq!(grpc_code(b"unavailable"), None);
    }
}
