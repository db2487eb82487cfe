//! A batch in words: every header field, row and string, for people and for the comparison with committed text.
//!
//! It reads all that a batch holds, so that reading a damaged one finds what a check let through.

use std::fmt::Write;

use bailiwick_collector::observation::batch::layout::{Section, header};
use bailiwick_collector::observation::batch::row::{Context, Evidence, NO_CODE, Point, Span, flag, point_flag};
use bailiwick_collector::observation::batch::{Batch, View};
use bailiwick_collector::observation::report::{Reason, Warning};
use bailiwick_slo::outcome::Outcome;

/// Names of the bits of a span's flags.
const FLAGS: [(u32, &str); 17] = [
    (flag::REMOTE_KNOWN, "remote_known"),
    (flag::REMOTE, "remote"),
    (flag::SAMPLED_KNOWN, "sampled_known"),
    (flag::SAMPLED, "sampled"),
    (flag::IGNORED_NAME, "ignored_name"),
    (flag::RECEIVE, "receive"),
    (flag::BOUNDARY, "boundary"),
    (flag::GRPC_CODE, "grpc_code"),
    (flag::CANARY, "canary"),
    (flag::CLOCK_ANOMALY, "clock_anomaly"),
    (flag::TENANT_CONFLICT, "tenant_conflict"),
    (flag::TRUNCATED, "truncated"),
    (flag::ATTRIBUTE_SHAPE, "attribute_shape"),
    (flag::UNKNOWN_ENUM, "unknown_enum"),
    (flag::DUPLICATE_KEY, "duplicate_key"),
    (flag::STRINDEX, "strindex"),
    (flag::TENANT_INVALID, "tenant_invalid"),
];

/// Names of the bits of a point's flags.
const POINT_FLAGS: [(u16, &str); 10] = [
    (point_flag::MONOTONIC, "monotonic"),
    (point_flag::INTEGER, "integer"),
    (point_flag::NO_VALUE, "no_value"),
    (point_flag::UNKNOWN_START, "unknown_start"),
    (point_flag::HAS_SUM, "has_sum"),
    (point_flag::GRPC_CODE, "grpc_code"),
    (point_flag::ENTERS, "enters"),
    (point_flag::DROPPED, "dropped"),
    (point_flag::FAILED, "failed"),
    (point_flag::OUTPUT, "output"),
];

/// All that a batch says, a line for each row.
#[must_use]
pub fn listing(batch: &Batch) -> String {
    let view = batch.view();
    let mut lines = head(&view);
    lines.extend(view.contexts().zip(0..).map(|(row, n): (_, u32)| format!("context {n}: {}", context(&view, &row))));
    lines.extend(view.evidence().zip(0..).map(|(row, n): (_, u32)| format!("evidence {n}: {}", evidence(&view, &row))));
    lines.extend(view.spans().zip(0..).map(|(row, n): (_, u32)| format!("span {n}: {}", span(&view, &row))));
    lines.push(format!("points: {}, bucket words: {}", view.count(Section::Points), view.count(Section::Buckets)));
    lines.extend(view.points().zip(0..).map(|(row, n): (_, u32)| format!("point {n}: {}", point(&view, &row))));
    for (n, row) in view.extras().enumerate() {
        let text = if row.kind == 3 { view.string(row.value as u32) } else { "" };
        lines.push(format!("extra {n}: key {} kind {} value {} {text:?}", row.key, row.kind, row.value));
    }
    for (n, row) in view.links().enumerate() {
        lines.push(format!("link {n}: trace {} span {}", hex(&row.trace_id), hex(&row.span_id)));
    }
    for (n, row) in view.rejects().enumerate() {
        let reason = Reason::from_u16(row.reason).map_or("unknown", Reason::name);
        let (tenant, count, first) = (view.string(row.tenant), row.count, row.first_item);
        lines.push(format!("reject {n}: {count} as {reason} ({}) of {tenant:?}, first item {first}", row.reason));
    }
    for index in 0..view.string_count() as u32 {
        lines.push(format!("string {index}: {:?}", view.string(index)));
    }
    lines.join("\n") + "\n"
}

fn head(view: &View<'_>) -> Vec<String> {
    let word = |offset| view.header_u32(offset);
    let hash: Vec<u8> = (0..4).flat_map(|n| word(header::BODY_HASH + 4 * n).to_le_bytes()).collect();
    let [low, high, _, level] = word(header::VERSION).to_le_bytes();
    let [auth_source, transport, encoding, compression] = word(header::AUTH_SOURCE).to_le_bytes();
    let warned = Warning::ALL.into_iter().filter(|warning| word(header::WARNINGS) >> *warning as u8 & 1 == 1);
    vec![
        format!("version {}, signal {}, level {level}", u16::from_le_bytes([low, high]), view.signal()),
        format!("observed at {} ns", view.observed_at_ns()),
        format!("body of {} bytes, hash {}", word(header::BODY_BYTES), hex(&hash)),
        format!("received {}, ignored {}", word(header::RECEIVED), word(header::IGNORED)),
        format!("warnings {:#x}: {:?}", word(header::WARNINGS), warned.map(Warning::name).collect::<Vec<_>>()),
        format!(
            "principal {:?}, tenant {:?} by {auth_source}",
            view.string(word(header::PRINCIPAL)),
            view.string(word(header::TENANT_AUTH))
        ),
        format!("transport {transport}, encoding {encoding}, compression {compression}"),
        format!("configuration {}", word(header::CONFIG_EPOCH)),
    ]
}

fn context(view: &View<'_>, row: &Context) -> String {
    let texts = [
        ("namespace", row.service_namespace),
        ("service", row.service_name),
        ("instance", row.service_instance),
        ("version", row.service_version),
        ("module of resource", row.module_resource),
        ("module of scope", row.module_scope),
        ("scope", row.scope_name),
        ("tenant", row.tenant_resource),
    ];
    format!("{}resource hash {:016x}", named(view, &texts), row.resource_hash)
}

fn evidence(view: &View<'_>, row: &Evidence) -> String {
    let texts = [
        ("tenant by span", row.tenant_span),
        ("by header", row.tenant_header),
        ("by baggage", row.tenant_baggage),
        ("by token", row.tenant_token),
        ("by data", row.tenant_data),
        ("module", row.module_span),
    ];
    format!("{}keys {:?}", named(view, &texts), row.aliases)
}

fn span(view: &View<'_>, row: &Span) -> String {
    let outcome = Outcome::from_u8(row.outcome).map_or("unknown", Outcome::name);
    let flags: Vec<&str> = FLAGS.iter().filter(|(bit, _)| row.flags & bit != 0).map(|(_, name)| *name).collect();
    let code = if row.code == NO_CODE { "none".to_owned() } else { row.code.to_string() };
    let mut out = format!("trace {} span {} parent {}, ", hex(&row.trace_id), hex(&row.span_id), hex(&row.parent_id));
    let texts = [("operation", row.operation), ("peer", row.peer), ("error type", row.error_type)];
    out += &named(view, &texts);
    let counts = [row.links, row.extras].map(usize::from);
    let first = [row.first_link, row.first_extra].map(|first| first as usize);
    // Every link and extra that the row points to is there.
    let links = view.links().skip(first[0]).take(counts[0]).count();
    let extras = view.extras().skip(first[1]).take(counts[1]).count();
    assert_eq!([links, extras], counts, "links and extras of a span are in the batch");
    let _ = write!(
        out,
        "start {} end {} weight {}, context {} evidence {}, links {} from {}, extras {} from {}, code {code} kind {} \
         status {}, outcome {outcome} by rule {}, flags {:#x} {flags:?}",
        row.start_ns,
        row.end_ns,
        row.weight,
        row.context,
        row.evidence,
        row.links,
        row.first_link,
        row.extras,
        row.first_extra,
        row.kind,
        row.status,
        row.outcome_rule,
        row.flags
    );
    out
}

fn point(view: &View<'_>, row: &Point) -> String {
    let outcome = Outcome::from_u8(row.outcome).map_or("unknown", Outcome::name);
    let flags: Vec<&str> = POINT_FLAGS.iter().filter(|(bit, _)| row.flags & bit != 0).map(|(_, name)| *name).collect();
    let code = if row.code == NO_CODE { "none".to_owned() } else { row.code.to_string() };
    let texts = [("metric", row.metric), ("unit", row.unit), ("operation", row.operation)];
    // Every word and extra that the row points to is there.
    let words: Vec<u64> = view.words_of(row.first_word, row.words).collect();
    let extras = view.extras_of(row.first_extra, row.extras).len();
    assert_eq!((words.len(), extras), (row.words as usize, row.extras.into()), "words and extras of a point are there");
    format!(
        "stream {} {}data {} temporality {}, start {} time {} value {:#x} count {} scale {}, context {} evidence {}, \
         words {words:x?} from {}, extras {} from {}, code {code} outcome {outcome}, flags {:#x} {flags:?}",
        hex(&row.stream_id),
        named(view, &texts),
        row.data,
        row.temporality,
        row.start_ns,
        row.time_ns,
        row.value,
        row.count,
        row.scale,
        row.context,
        row.evidence,
        row.first_word,
        row.extras,
        row.first_extra,
        row.flags
    )
}

/// Names and strings of those that are there.
fn named(view: &View<'_>, texts: &[(&str, u32)]) -> String {
    let there = texts.iter().filter(|(_, index)| *index != 0);
    there.map(|(name, index)| format!("{name} {:?} ", view.string(*index))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
