//! The JSON step: from OTLP/JSON to the protobuf bytes that are walked, charged before anything is built.

use crate::observation::Signal;
use crate::otlp::json;
use crate::receiver::answer::Refusal;
use crate::receiver::gate::Hold;

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
