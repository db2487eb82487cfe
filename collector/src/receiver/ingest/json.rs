//! The JSON step: from OTLP/JSON to the protobuf bytes that are walked, charged before anything is built.

use crate::observation::Signal;
use crate::receiver::answer::Refusal;
use crate::receiver::gate::Hold;

// The one place to connect: `use crate::otlp::json;` instead of the stand-in, which goes.
use stand_in as json;

/// Deepest nesting of a JSON body (`ingest.md` 2).
const DEPTH_MAX: usize = 64;

/// What became of a JSON body.
#[derive(Debug)]
pub(super) struct Converted {
    /// The same request in protobuf.
    pub(super) protobuf: Vec<u8>,
    /// Items that the text held; the walk must find as many.
    pub(super) items: u32,
    /// No top-level key is known: probably not what its sender meant.
    pub(super) unknown_top_level: bool,
}

/// Converts a body.
///
/// # Errors
/// *bad_json*, *too_many_items*, *share*, *inflight*.
pub(super) fn json_to_protobuf(
    body: &[u8],
    signal: Signal,
    items_max: u32,
    hold: &mut Hold,
) -> Result<Converted, Refusal> {
    let kind = match signal {
        Signal::Traces => json::Kind::Traces,
        Signal::Metrics => json::Kind::Metrics,
    };
    let limits = json::Limits { depth_max: DEPTH_MAX, items_max };
    let scan = json::prescan(body, kind, &limits).map_err(refusal)?;
    hold.take(scan.charge_bytes)?;
    let protobuf = json::to_protobuf(body, kind, &scan).map_err(refusal)?;
    Ok(Converted { protobuf, items: scan.items, unknown_top_level: scan.unknown_top_level })
}

fn refusal(error: json::JsonError) -> Refusal {
    use json::JsonError::{Syntax, TooDeep, TooManyItems, Value};
    let message = error.to_string();
    match error {
        Syntax { offset, .. } | TooDeep { offset, .. } => Refusal::bad_json(format!("byte {offset}"), message),
        Value { path, .. } => Refusal::bad_json(path, message),
        TooManyItems { max } => Refusal::too_many("items", max),
    }
}

/// Stands in for `crate::otlp::json` with its signatures: reads one object, knows no limits, converts nothing.
mod stand_in {
    use serde_json::{Map, Value as Json};

    #[derive(Clone, Copy)]
    pub(super) enum Kind {
        Traces,
        Metrics,
    }

    pub(super) struct Limits {
        pub(super) depth_max: usize,
        pub(super) items_max: u32,
    }

    pub(super) struct Scan {
        pub(super) items: u32,
        pub(super) charge_bytes: u64,
        pub(super) unknown_top_level: bool,
        items_max: u32,
    }

    #[derive(Debug, thiserror::Error)]
    pub(super) enum JsonError {
        #[error("failed to read JSON at byte {offset}: {what}")]
        Syntax { offset: usize, what: &'static str },
        #[error("failed to read JSON at byte {offset}: nested more than {max} deep")]
        TooDeep { offset: usize, max: usize },
        #[error("failed to read OTLP/JSON at {path}: {what}")]
        Value { path: String, what: &'static str },
        #[error("failed to accept JSON: more than {max} items in one request")]
        TooManyItems { max: u32 },
    }

    fn object(body: &[u8]) -> Result<Map<String, Json>, JsonError> {
        let what = "expected an object";
        serde_json::from_slice(body).map_err(|error| JsonError::Syntax { offset: error.column(), what })
    }

    pub(super) fn prescan(body: &[u8], kind: Kind, limits: &Limits) -> Result<Scan, JsonError> {
        if limits.depth_max == 0 {
            return Err(JsonError::TooDeep { offset: 0, max: 0 });
        }
        let known = match kind {
            Kind::Traces => "resourceSpans",
            Kind::Metrics => "resourceMetrics",
        };
        let object = object(body)?;
        let unknown_top_level = !object.is_empty() && !object.contains_key(known);
        Ok(Scan { items: 0, charge_bytes: 512, unknown_top_level, items_max: limits.items_max })
    }

    pub(super) fn to_protobuf(body: &[u8], _kind: Kind, scan: &Scan) -> Result<Vec<u8>, JsonError> {
        if scan.items > scan.items_max {
            return Err(JsonError::TooManyItems { max: scan.items_max });
        }
        match object(body)?.values().any(|value| !value.is_null() && !value.is_array()) {
            true => Err(JsonError::Value { path: "resourceSpans".to_owned(), what: "expected an array" }),
            false => Ok(Vec::new()),
        }
    }
}
