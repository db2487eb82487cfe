//! The alert log: a line of JSON for each event, keys in order. The same events give the same bytes.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::engine::fleet::Key;
use crate::engine::incident::{Event, Kind};
use crate::engine::windows::Grid;

/// The line of an event, with its line end.
#[must_use]
pub fn line(key: &Key, event: &Event, grid: Grid) -> String {
    let mut line = String::with_capacity(320);
    let mut field = |name: &str, value: Value<'_>| {
        line.push(if line.is_empty() { '{' } else { ',' });
        // Writing to a string does not fail.
        let _ = match value {
            Value::Number(number) => write!(line, "\"{name}\":{number}"),
            Value::Nothing => write!(line, "\"{name}\":null"),
            Value::Text(text) => write!(line, "\"{name}\":{}", quoted(text)),
        };
    };
    field("at", Value::Text(&time(event.at, grid)));
    field("cause", Value::Text(event.cause.name()));
    field("event", Value::Text(event.kind.name()));
    field("id", Value::Text(&event.id.to_string()));
    field("incident", Value::Text(&event.incident.to_string()));
    field("level", Value::Text(event.level.name()));
    field("module", Value::Text(&key.module));
    match event.kind {
        Kind::Resolved(reason) => field("reason", Value::Text(reason.name())),
        _ => field("reason", Value::Nothing),
    }
    field("reopened", Value::Number(event.reopened.into()));
    field("repeat", Value::Number(event.repeat.into()));
    field("seq", Value::Number(event.seq.into()));
    field("slo", Value::Text(&key.slo));
    match event.supersedes {
        Some(id) => field("supersedes", Value::Text(&id.to_string())),
        None => field("supersedes", Value::Nothing),
    }
    field("tenant", Value::Text(&key.tenant));
    line.push_str("}\n");
    line
}

enum Value<'a> {
    Nothing,
    Number(u64),
    Text(&'a str),
}

/// The begin of a tick as RFC 3339 in UTC, with milliseconds.
#[must_use]
pub fn time(tick: u64, grid: Grid) -> String {
    let seconds = i64::try_from(tick.saturating_mul(grid.tick_s)).unwrap_or(i64::MAX);
    format!("{:.3}", Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX))
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::incident::{Cause, Id, Reason};
    use crate::spec::Severity;

    #[test]
    fn a_line_is_json_with_its_keys_in_order() {
        let key = Key { tenant: Arc::from("acme"), module: Arc::from("a\"b\\\n"), slo: Arc::from("avail") };
        let event = Event {
            id: Id([1; 16]),
            incident: Id([2; 16]),
            seq: 2,
            supersedes: Some(Id([3; 16])),
            kind: Kind::Resolved(Reason::Recovered),
            at: 177_238_080,
            level: Severity::Page,
            cause: Cause::Tier(0),
            repeat: 0,
            reopened: 1,
        };
        let ids = ["01", "02", "03"].map(|byte| byte.repeat(16));
        let expected = format!(
            "{{\"at\":\"2026-03-01T16:00:00.000Z\",\"cause\":\"tier\",\"event\":\"resolved\",\"id\":\"{}\",\"incident\":\"{}\",\
             \"level\":\"page\",\"module\":\"a\\\"b\\\\\\u000a\",\"reason\":\"recovered\",\"reopened\":1,\"repeat\":0,\"seq\":2,\
             \"slo\":\"avail\",\"supersedes\":\"{}\",\"tenant\":\"acme\"}}\n",
            ids[0], ids[1], ids[2]
        );
        assert_eq!(line(&key, &event, Grid::LIVE), expected);
    }
}
