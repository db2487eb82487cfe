//! Names of operations (`sli.md` 1.2): never a path, never an id, so that their number stays small.

use bailiwick_slo::conventions::{METHOD_OTHER, OPERATION_UNKNOWN, UNROUTED};

use super::slots;
use crate::otlp::attributes::{Slots, Value};

/// Writes a value as text.
pub(super) fn write_text(out: &mut Vec<u8>, value: Value<'_>) {
    use std::io::Write;
    // Writing to a Vec cannot fail.
    let _ = match value {
        Value::Text(text) => out.write_all(text),
        Value::Int(number) => write!(out, "{number}"),
        Value::Bool(truth) => write!(out, "{truth}"),
        Value::Double(number) => write!(out, "{number}"),
    };
}

/// Writes the operation of a span into `out`, which comes empty.
pub(super) fn write_operation(out: &mut Vec<u8>, attributes: &Slots<'_>, name: &[u8]) {
    if write_named(out, attributes) {
        return;
    }
    if name.is_empty() { out.extend_from_slice(OPERATION_UNKNOWN.as_bytes()) } else { write_masked(out, name) }
}

/// Writes the operation that attributes of a span or point name into `out`, which comes empty; false: they name none.
pub(super) fn write_named(out: &mut Vec<u8>, attributes: &Slots<'_>) -> bool {
    let rpc = (attributes.get(slots::RPC_SERVICE), attributes.get(slots::RPC_METHOD));
    if let Some(given) = attributes.get(slots::OPERATION) {
        write_text(out, given);
    } else if let Some((_, method)) = attributes.first_of(slots::HTTP_METHOD, 2) {
        write_http(out, method, attributes.get(slots::HTTP_ROUTE));
    } else if let (Some(service), Some(method)) = rpc {
        write_text(out, service);
        out.push(b'/');
        write_text(out, method);
    } else if let (None, Some(method @ Value::Text(text))) = rpc
        && text.contains(&b'/')
    {
        write_text(out, method);
    } else if let Some((_, operation)) = attributes.first_of(slots::MESSAGING_OPERATION, 2) {
        write_messaging(out, operation, attributes);
    } else if let Some((_, function)) = attributes.first_of(slots::FUNCTION, 2) {
        write_text(out, function);
    } else {
        return false;
    }
    true
}

/// Writes the operation that `http.target` names if it is a route, which only those who know the routes can tell; false:
/// something better names it, or nothing does.
pub(super) fn write_target(out: &mut Vec<u8>, attributes: &Slots<'_>) -> bool {
    let better = attributes.get(slots::OPERATION).or(attributes.get(slots::HTTP_ROUTE));
    let target = attributes.get(slots::HTTP_TARGET).filter(|_| better.is_none());
    let Some(((_, method), target)) = attributes.first_of(slots::HTTP_METHOD, 2).zip(target) else { return false };
    write_http(out, method, Some(target));
    true
}

fn write_http(out: &mut Vec<u8>, method: Value<'_>, route: Option<Value<'_>>) {
    let known = matches!(
        method,
        Value::Text(
            b"GET" | b"POST" | b"PUT" | b"DELETE" | b"PATCH" | b"HEAD" | b"OPTIONS" | b"CONNECT" | b"TRACE" | b"QUERY"
        )
    );
    write_text(out, if known { method } else { Value::Text(METHOD_OTHER.as_bytes()) });
    out.push(b' ');
    match route {
        Some(route) => write_text(out, route),
        None => out.extend_from_slice(UNROUTED.as_bytes()),
    }
}

fn write_messaging(out: &mut Vec<u8>, operation: Value<'_>, attributes: &Slots<'_>) {
    write_text(out, operation);
    let set = |slot| matches!(attributes.get(slot), Some(Value::Bool(true) | Value::Text(b"true")));
    let nameless = set(slots::DESTINATION_TEMPORARY) || set(slots::DESTINATION_ANONYMOUS);
    let destination = attributes
        .get(slots::DESTINATION_TEMPLATE)
        .or_else(|| attributes.first_of(slots::DESTINATION, 2).filter(|_| !nameless).map(|(_, name)| name));
    if let Some(destination) = destination {
        out.push(b' ');
        write_text(out, destination);
    }
}

/// Runs of eight or more of `[0-9A-Fa-f-]` that hold a digit, then runs of two or more digits, become `*`.
fn write_masked(out: &mut Vec<u8>, name: &[u8]) {
    let idlike = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let mut rest = name;
    while let Some(byte) = rest.first() {
        let run = rest.iter().take_while(|byte| idlike(byte)).count();
        if run >= 8 && rest[..run].iter().any(u8::is_ascii_digit) {
            out.push(b'*');
            rest = &rest[run..];
        } else if run > 0 {
            mask_digits(out, &rest[..run]);
            rest = &rest[run..];
        } else {
            out.push(*byte);
            rest = &rest[1..];
        }
    }
}

fn mask_digits(out: &mut Vec<u8>, mut run: &[u8]) {
    while let Some(byte) = run.first() {
        let digits = run.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits >= 2 {
            out.push(b'*');
            run = &run[digits..];
        } else {
            out.push(*byte);
            run = &run[1..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_numbers_in_names_are_masked() {
        let masked = |name: &str| {
            let mut out = Vec::new();
            write_masked(&mut out, name.as_bytes());
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(masked("job 4bf92f3577b34da6"), "job *");
        assert_eq!(masked("worker-68"), "worker-*");
        assert_eq!(masked("s3.get"), "s3.get");
        assert_eq!(masked("deadbeef-cafe"), "deadbeef-cafe");
        assert_eq!(masked("123"), "*");
    }
}
