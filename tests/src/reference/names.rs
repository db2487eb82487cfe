//! Operations, peers, patterns (`sli.md` 1.2, 1.3).

use bailiwick_collector::observation::batch::row::PeerKind;

use super::attributes::{Scalar, Used};

const HTTP_METHODS: [&str; 10] =
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "QUERY"];

/// The operation of a span, uncut.
pub(super) fn operation(used: &Used, span_name: &str) -> String {
    let otherwise = || if span_name.is_empty() { "unknown".into() } else { masked(span_name) };
    named_operation(used).unwrap_or_else(otherwise)
}

/// The operation of a point; and, without it, what is one if the path that `http.target` holds is a known route.
pub(super) fn operation_of_point(used: &Used) -> (Option<String>, Option<String>) {
    let method = used.first(&["http.request.method", "http.method"]).map(|(_, method)| http_method(method));
    match (method, used.get("http.target")) {
        (Some(method), Some(target)) if used.first(&["bailiwick.operation", "http.route"]).is_none() => {
            (None, Some(format!("{method} {}", target.text())))
        }
        _ => (named_operation(used), None),
    }
}

fn http_method(method: &Scalar) -> &'static str {
    HTTP_METHODS.into_iter().find(|known| method.is_text(known)).unwrap_or("_OTHER")
}

/// The operation that attributes name.
fn named_operation(used: &Used) -> Option<String> {
    let text = |key: &str| used.get(key).map(Scalar::text);
    if let Some(given) = text("bailiwick.operation") {
        return Some(given);
    }
    if let Some((_, method)) = used.first(&["http.request.method", "http.method"]) {
        let route = text("http.route").unwrap_or("_unrouted".into());
        return Some(format!("{} {route}", http_method(method)));
    }
    match (text("rpc.service"), text("rpc.method")) {
        (Some(service), Some(method)) => return Some(format!("{service}/{method}")),
        (None, Some(method)) if method.contains('/') => return Some(method),
        _ => {}
    }
    if let Some((_, operation)) = used.first(&["messaging.operation.name", "messaging.operation"]) {
        let operation = operation.text();
        return Some(match named_destination(used) {
            Some(destination) => format!("{operation} {destination}"),
            None => operation,
        });
    }
    used.first(&["module.method", "code.function.name"]).map(|(_, function)| function.text())
}

/// `messaging.destination.template`, else `messaging.destination.name` unless temporary, anonymous or empty.
fn named_destination(used: &Used) -> Option<String> {
    if let Some(template) = used.get("messaging.destination.template") {
        return Some(template.text());
    }
    let is_true = |key: &str| used.get(key).is_some_and(|value| value.text() == "true");
    if is_true("messaging.destination.temporary") || is_true("messaging.destination.anonymous") {
        return None;
    }
    used.first(&["messaging.destination.name", "messaging.destination"]).map(|(_, name)| name.text())
}

/// Runs of >= 8 of `[0-9A-Fa-f-]` holding a digit, *then* runs of >= 2 digits, become `*`.
fn masked(name: &str) -> String {
    let ids = replace_runs(
        name,
        |c| c.is_ascii_hexdigit() || c == '-',
        |run| run.len() >= 8 && run.contains(|c: char| c.is_ascii_digit()),
    );
    replace_runs(&ids, |c| c.is_ascii_digit(), |run| run.len() >= 2)
}

fn replace_runs(text: &str, of: impl Fn(char) -> bool, long: impl Fn(&str) -> bool) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| !of(c)).unwrap_or(rest.len());
        if end == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (run, after) = rest.split_at(end);
        out.push_str(if long(run) { "*" } else { run });
        rest = after;
    }
    out
}

/// Whom a CLIENT or PRODUCER span talks to (empty: unknown; two parts are joined by `/`), and what kind of peer that is,
/// if what names it says so.
pub(super) fn peer(used: &Used) -> (String, Option<PeerKind>) {
    let text = |keys: &[&str]| used.first(keys).map(|(_, value)| value.text());
    let joined = |system: Option<String>, part: Option<String>| match (system, part) {
        (Some(system), Some(part)) => Some(format!("{system}/{part}")),
        (system, _) => system,
    };
    let destination = &["messaging.destination.template", "messaging.destination.name", "messaging.destination"];
    let names = [
        (text(&["peer.service"]), None),
        (joined(text(&["gen_ai.provider.name"]), text(&["gen_ai.request.model"])), Some(PeerKind::GenAi)),
        (joined(text(&["db.system.name", "db.system"]), text(&["db.namespace", "db.name"])), Some(PeerKind::Database)),
        (text(destination), Some(PeerKind::Messaging)),
        (text(&["server.address"]), None),
    ];
    let named = names.into_iter().find_map(|(name, kind)| Some((name?, kind)));
    named.unwrap_or_default()
}

/// Whether a text fits a pattern in which `*` stands for any run, by trying every run.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| fits(tail, &rest[at..]))
        }),
    }
}

/// The tenant in a name of data, by a pattern with `{tenant}`: of all ways to read it the one in which the tenant begins
/// first, of those the one in which it is shortest.
pub(super) fn owner(pattern: &str, name: &str) -> Option<String> {
    let (before, behind) = pattern.split_once("{tenant}")?;
    let places: Vec<usize> = (0..=name.len()).filter(|at| name.is_char_boundary(*at)).collect();
    for start in places.iter().filter(|start| fits(before, &name[..**start])) {
        for end in places.iter().filter(|end| *end > start && fits(behind, &name[**end..])) {
            let tenant = &name[*start..*end];
            let is_id = |c: char| c.is_ascii_alphanumeric() || "!-_.*'()".contains(c);
            if tenant.len() <= 150 && tenant.chars().all(is_id) {
                return Some(tenant.to_owned());
            }
        }
    }
    None
}

/// The longest prefix of at most `max` bytes that ends at a character, and whether something was cut.
pub(super) fn cut(text: &str, max: usize) -> (&str, bool) {
    let end = (0..=text.len().min(max)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    (&text[..end], end < text.len())
}
