//! The table of `sli.md` 1.4, row by row.

use bailiwick_collector::observation::batch::row::flag;
use bailiwick_slo::outcome::Outcome;

use super::attributes::{Scalar, Used};

const SERVER: u8 = 2;
const CLIENT: u8 = 3;
const GRPC_NAMES: &str = "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS \
    PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE \
    DATA_LOSS UNAUTHENTICATED";

/// Codes of a span. A code outside its range is ignored.
#[derive(Debug, Default)]
pub(super) struct Codes {
    pub(super) http: Option<u16>,
    pub(super) grpc: Option<u16>,
    /// One was ignored.
    pub(super) unknown: bool,
}

impl Codes {
    pub(super) fn read(used: &Used) -> Self {
        let http = used.first(&["http.response.status_code", "http.status_code"]).map(|(_, value)| value);
        let grpc = used.first(&["rpc.response.status_code", "rpc.status_code", "rpc.grpc.status_code"]);
        let grpc = grpc.map(|(_, value)| value);
        let http_code = http.and_then(number).filter(|code| (100..=599).contains(code));
        let grpc_code = grpc.and_then(|value| by_name(value).or(number(value))).filter(|code| (0..=16).contains(code));
        Self {
            http: http_code.map(|code| code as u16),
            grpc: grpc_code.map(|code| code as u16),
            unknown: (http.is_some() && http_code.is_none()) || (grpc.is_some() && grpc_code.is_none()),
        }
    }
}

impl Codes {
    /// What is said of them, as flags of a span.
    pub(super) fn flags(&self) -> u32 {
        let unknown = if self.unknown { flag::UNKNOWN_ENUM } else { 0 };
        let grpc = if self.http.is_none() && self.grpc.is_some() { flag::GRPC_CODE } else { 0 };
        unknown | grpc
    }
}

/// "int, integral double or text"
fn number(value: &Scalar) -> Option<i64> {
    match value {
        Scalar::Int(number) => Some(*number),
        Scalar::Double(number) => (number.fract() == 0.0).then_some(*number as i64),
        Scalar::Text(text) => text.parse().ok(),
        Scalar::Bool(_) => None,
    }
}

/// "gRPC by number or name"
fn by_name(value: &Scalar) -> Option<i64> {
    GRPC_NAMES.split_whitespace().zip(0..).find(|(name, _)| value.is_text(name)).map(|(_, code)| code)
}

/// What the table looks at.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) kind: u8,
    pub(super) status: u8,
    pub(super) codes: &'a Codes,
    pub(super) error_type: Option<&'a Scalar>,
    pub(super) cancel_error_types: &'a [String],
    /// The HTTP code is in `failing_4xx` of the module that the row itself names.
    pub(super) failing_4xx: bool,
    /// `requests.server_4xx_error: client_error`.
    pub(super) old_sdks: bool,
}

impl Facts<'_> {
    /// The outcome and the row that decided; row 0 and E4 are the caller's.
    pub(super) fn decide(&self) -> (Outcome, u8) {
        let (server, client) = (self.kind == SERVER, self.kind == CLIENT);
        let http = self.codes.http.unwrap_or(0);
        let grpc = self.codes.grpc.unwrap_or(0);
        let cancel = |error: &Scalar| self.cancel_error_types.iter().any(|name| error.is_text(name));
        let client_code = server && (400..=499).contains(&http);
        let rows = [
            (1, self.status == 1, Outcome::Success),
            (2, http == 499 || grpc == 1 || self.error_type.is_some_and(cancel), Outcome::Cancelled),
            (3, self.status == 2 && !(self.old_sdks && client_code), Outcome::Failure),
            (4, (server && http >= 500) || (client && http >= 400), Outcome::Failure),
            (5, client_code, if self.failing_4xx { Outcome::Failure } else { Outcome::ClientError }),
            (6, server && [2, 4, 12, 13, 14, 15].contains(&grpc), Outcome::Failure),
            (6, server && grpc != 0, Outcome::ClientError),
            (7, client && grpc != 0, Outcome::Failure),
            (8, self.error_type.is_some(), Outcome::Failure),
        ];
        let decided = rows.into_iter().find(|(_, applies, _)| *applies);
        decided.map_or((Outcome::Success, 9), |(row, _, outcome)| (outcome, row))
    }
}
