//! What is written into fields: mostly what platforms send, now and then what they should not.

use super::cases::{HEADER_NAMES, MODULE_KEYS, NOW_NS, TENANT_KEYS};
use super::dice::Dice;
use super::schema::Message;

/// Keys of attributes: used ones, and some that nobody uses.
const KEYS: [&str; 85] = [
    "bailiwick.tenant.id",
    "tenant.id",
    "tenant_id",
    "app.tenant.id",
    "tenant",
    "tenant",
    "http.request.header.x-tenant-id",
    "http.request.header.x_tenant_id",
    "http.request.header.x-scope-orgid",
    "baggage.tenant.id",
    "baggage.tenant_id",
    "bailiwick.module",
    "module.identifier",
    "app.module",
    "module",
    "asgi.event.type",
    "bailiwick.operation",
    "bailiwick.outcome",
    "bailiwick.token.tenant",
    "code.function.name",
    "db.name",
    "db.namespace",
    "db.system",
    "db.system.name",
    "error.type",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.response.status_code",
    "http.route",
    "http.status_code",
    "messaging.destination",
    "messaging.destination.anonymous",
    "messaging.destination.name",
    "messaging.destination.template",
    "messaging.destination.temporary",
    "messaging.operation",
    "messaging.operation.name",
    "messaging.operation.type",
    "module.method",
    "peer.service",
    "rpc.grpc.status_code",
    "rpc.method",
    "rpc.response.status_code",
    "rpc.service",
    "rpc.status_code",
    "server.address",
    "user_agent.synthetic.type",
    "service.name",
    "service.name",
    "service.namespace",
    "service.instance.id",
    "service.version",
    "baggage",
    "app.tenant_id",
    "app.modul",
    "http.request.header.x_scope_orgid",
    "peer.service",
    "url.path",
    "thread.name",
    "http.target",
    "http.target",
    "otel.span.parent.origin",
    "otel.span.sampling_result",
    "gen_ai.token.type",
    "aws.s3.bucket",
    "aws.s3.key",
    "bailiwick.token.tenant",
    "db.collection.name",
    "db.cosmosdb.container",
    "db.mongodb.collection",
    "db.redis.key",
    "db.sql.table",
    "bailiwick.tenant.set",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "messaging.batch.message_count",
    "rate",
    "tenant.ix",
    "",
    "k",
];

const TEXTS: [&str; 66] = [
    "550E8400E29B41D4A716446655440000",
    "550e8400-E29B-41d4-a716-446655440000",
    "550e8400e-29b-41d4-a716-446655440000",
    "acme",
    "acme",
    "globex",
    " acme ",
    " \t",
    "",
    "ac",
    "_unknown",
    "_system",
    "a/b",
    "..",
    "%61cme",
    "glob%65x",
    "%2",
    "%zz",
    "sha256:00",
    "rag_hub",
    "rag",
    "api",
    "shop",
    "unknown_service:python",
    "GET",
    "POST",
    "get",
    "BREW",
    "/rag/query",
    "/health",
    "health/x",
    "200",
    "404",
    "429",
    "499",
    "500",
    "099",
    "+200",
    " 200",
    "0",
    "1",
    "14",
    "17",
    "UNAVAILABLE",
    "CANCELLED",
    "OK",
    "unavailable",
    "ValueError",
    "AbortError",
    "success",
    "failure",
    "excluded",
    "cancelled",
    "receive",
    "publish",
    "bot",
    "test",
    "true",
    "false",
    "orders",
    "pkg.Service/Method",
    "Method",
    "postgresql",
    "job 4bf92f3577b34da6 of worker-68",
    "GET /rag http send",
    "\u{1f600}\u{e9}",
];

const TRACE_STATES: [&str; 20] = [
    "",
    "ot=th:8",
    "vendor=1,ot=th:c;rv:6e6d1a75832a2f",
    "a=1 ,\tot=th:3 , b=2",
    "ot=th:b3333333333333",
    "ot=th:ffffffffffffff",
    "ot=th:0",
    "ot=rv:6e6d1a75832a2f",
    "ot=th:8;rv:8e6d1a75832a2f",
    "ot=th:8;rv:6e6d1a75832a2",
    "ot=th:G;rv:6e6d1a75832a2f",
    "ot=th:C",
    "ot=th:8;th:c",
    "ot=th:8;",
    "ot=",
    "ot=x.y:1",
    "ot=th:;rv:00000000000001",
    "ot=th:123456789abcdef",
    "ot =th:8",
    "ot=th:8,ot=th:c",
];

/// SHA-256 of nothing.
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// More tenants than are kept.
const TENANTS: &str = "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,aa,bb,cc,dd,ee,ff,gg,hh";

/// Most of them wanted.
const METRICS: [&str; 18] = [
    "http.server.request.duration",
    "http.server.duration",
    "http.server.duration",
    "rpc.server.call.duration",
    "messaging.process.duration",
    "otel.sdk.span.started",
    "otel.sdk.exporter.span.exported",
    "http.server.active_requests",
    "process.cpu.time",
    "gen_ai.client.token.usage",
    "gen_ai.client.inference.usage.output_tokens",
    "gen_ai.client.operation.duration",
    "envoy_cluster_upstream_rq",
    "http.client.request.duration",
    "gen_ai.client.inference.usage.cost",
    "http.server.request.duration.x",
    "processes",
    "",
];

const NAMES: [&str; 12] = [
    "GET /rag/query",
    "GET /rag http send",
    "/ws websocket receive",
    "",
    "job 4bf92f3577b34da6",
    "deadbeef-cafe-1 x",
    "s3.get",
    "a1-22-333",
    "\u{e9}12345678",
    "worker-68",
    "12345678",
    "GET /healthz",
];

/// A text for a field; one in some is too long for a label, cut inside a character.
pub(super) fn text(dice: &mut Dice, message: Message, field: u32) -> Vec<u8> {
    if (message, field) == (Message::KeyValue, 1) {
        return key(dice);
    }
    if dice.once_in(60) {
        return format!("{}{}", "x".repeat(250 + dice.below(10)), "\u{1f600}\u{e9}".repeat(5)).into_bytes();
    }
    let text = match (message, field) {
        (Message::Span, 5) => *dice.one_of(&NAMES),
        (Message::Metric, 1) => *dice.one_of(&METRICS),
        (Message::Metric, 3) => *dice.one_of(&["s", "ms", "{span}", "1", ""]),
        (Message::Span | Message::Link, 3) => *dice.one_of(&TRACE_STATES),
        _ => *dice.one_of(&TEXTS),
    };
    text.as_bytes().to_vec()
}

/// A key that only points are asked for, or one of those that name their operation.
pub(super) fn key_of_points(dice: &mut Dice) -> Vec<u8> {
    let keys = [
        "http.target",
        "http.method",
        "http.request.method",
        "http.route",
        "http.status_code",
        "otel.span.parent.origin",
        "otel.span.sampling_result",
        "gen_ai.token.type",
        "error.type",
    ];
    dice.one_of(&keys).as_bytes().to_vec()
}

/// A key, now and then one that is almost a used one.
fn key(dice: &mut Dice) -> Vec<u8> {
    let mut key = match dice.below(4) {
        0 => configured_key(dice),
        _ => (*dice.one_of(&KEYS)).to_owned(),
    }
    .into_bytes();
    if dice.once_in(6) && !key.is_empty() {
        let (at, last) = (dice.below(key.len()), key.len() - 1);
        match dice.below(6) {
            0 => key[at] = b'#',
            1 => key[last] = b'#',
            2 => key.truncate(last),
            3 => key.push(b'x'),
            4 => key.swap(at, last),
            _ => key[at] = key[at].to_ascii_uppercase(),
        }
    }
    key
}

fn configured_key(dice: &mut Dice) -> String {
    match dice.below(3) {
        0 => (*dice.one_of(&TENANT_KEYS)).to_owned(),
        1 => (*dice.one_of(&MODULE_KEYS)).to_owned(),
        _ => format!("http.request.header.{}", dice.one_of(&HEADER_NAMES).to_lowercase()),
    }
}

/// A value that means something for this key, if it is one of those that few values mean something for.
pub(super) fn fitting(dice: &mut Dice, key: &[u8]) -> Option<&'static str> {
    let values: &[&str] = match key {
        b"http.response.status_code" | b"http.status_code" => &["200", "404", "429", "499", "500", "99", "599", "600"],
        b"rpc.response.status_code" | b"rpc.status_code" | b"rpc.grpc.status_code" => {
            &["0", "1", "2", "5", "14", "16", "17", "UNAVAILABLE", "CANCELLED", "NOT_FOUND"]
        }
        b"http.request.method" | b"http.method" => &["GET", "POST", "BREW"],
        b"bailiwick.tenant.set" => &["acme,globex", " acme ,,acme,shop", "a/b,acme", ",", TENANTS],
        b"messaging.batch.message_count"
        | b"gen_ai.usage.input_tokens"
        | b"gen_ai.usage.prompt_tokens"
        | b"gen_ai.usage.output_tokens"
        | b"gen_ai.usage.completion_tokens" => {
            &["0", "17", "18446744073709551615", "18446744073709551616", "-1", "1.5"]
        }
        b"bailiwick.token.tenant" => &["acme", " globex ", "a/b", "sha256:00", DIGEST],
        b"db.redis.key" => &["cache:acme:7", "cache:acme", "cache:_system:7"],
        b"db.collection.name" | b"db.mongodb.collection" | b"db.cosmosdb.container" | b"db.sql.table" => {
            &["t_acme_1_2", "t_acme", "__x_", "7"]
        }
        b"aws.s3.key" | b"db.namespace" => &["acme/7", "/acme", "%61cme/x/y", "..", "caf\u{e9}"],
        b"http.target" => &["/rag/query", "/rag/7?x=1", "200"],
        b"otel.span.parent.origin" => &["none", "remote", "local"],
        b"otel.span.sampling_result" => &["DROP", "RECORD_AND_SAMPLE"],
        b"gen_ai.token.type" => &["input", "output", "completion"],
        b"rate" => &["0.25", "0.3", "1", "0", "1e-9", "2", "x"],
        b"error.type" => &["ValueError", "AbortError", "CANCELLED"],
        b"bailiwick.outcome" => &["success", "failure", "excluded", "cancelled"],
        b"user_agent.synthetic.type" => &["bot", "test", "Bot"],
        b"messaging.operation.type" => &["receive", "process"],
        b"messaging.destination.temporary" | b"messaging.destination.anonymous" => &["true", "false"],
        b"baggage" | b"baggage.tenant.id" | b"baggage.tenant_id" => &["acme", "%61cme", "%20acme", "%ff", "a%2fb", "%"],
        b"tenant.id" | b"tenant" | b"service.namespace" | b"t" => {
            &["acme", "globex", "shop", "_unknown", "a/b", "550E8400E29B41D4A716446655440000"]
        }
        b"module" | b"bailiwick.module" | b"service.name" | b"mod" => {
            &["rag", "rag_hub", "api", "unknown_service", "200"]
        }
        _ => return None,
    };
    Some(*dice.one_of(values))
}

/// One of a thousand names, some longer than what is remembered, half of them ignored in some case.
pub(super) fn one_of_many_names(dice: &mut Dice) -> Vec<u8> {
    let number = dice.below(1_000);
    let long = if dice.once_in(8) { "of a service whose name takes more room than others have " } else { "" };
    format!("name {long}{number}{}", dice.one_of(&[" http send", " send", ""])).into_bytes()
}

/// Makes a text no text, somewhere.
pub(super) fn spoil(dice: &mut Dice, text: &mut Vec<u8>) {
    let at = dice.below(text.len() + 1);
    let bad = *dice.one_of(&[&[0xff][..], &[0xc3], &[0xed, 0xa0, 0x80], &[0xf0, 0x9f]]);
    text.splice(at..at, bad.iter().copied());
}

/// Bytes for a field: ids of the right length, mostly.
pub(super) fn bytes(dice: &mut Dice, message: Message, field: u32) -> Vec<u8> {
    let length = match (message, field) {
        (Message::Span | Message::Link, 1) | (Message::Exemplar, 5) => 16,
        (Message::Span | Message::Link, 2) | (Message::Span | Message::Exemplar, 4) => 8,
        _ => dice.below(12),
    };
    let length = if dice.once_in(25) { *dice.one_of(&[0, 3, 7, 8, 9, 15, 16, 17]) } else { length };
    let zeros = dice.once_in(25);
    (0..length).map(|_| if zeros { 0 } else { dice.bits() as u8 }).collect()
}

/// Eight bytes for a field: times near now, mostly; doubles where the message has them.
pub(super) fn fixed64(dice: &mut Dice, message: Message, field: u32) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    let is_time = match message {
        Message::Span => true,
        Message::Event | Message::Quantile | Message::AnyValue => false,
        _ => matches!(field, 2 | 3),
    };
    if is_time {
        let edges = [0, 1, NOW_NS - 600 * SECOND, NOW_NS - 600 * SECOND - 1, NOW_NS + 60 * SECOND];
        return match dice.below(20) {
            0 => *dice.one_of(&edges),
            1 => *dice.one_of(&[NOW_NS + 60 * SECOND + 1, u64::MAX, NOW_NS - 7_200 * SECOND]),
            _ => NOW_NS - dice.below(30 * SECOND as usize) as u64,
        };
    }
    if message != Message::AnyValue && dice.once_in(3) {
        return dice.below(4) as u64;
    }
    let double = *dice.one_of(&[0.0, 1.0, 200.0, 404.0, 14.0, 0.5, -1.0, f64::NAN, f64::INFINITY, 1e300, 5e-324]);
    double.to_bits()
}

/// A varint for a field.
pub(super) fn varint(dice: &mut Dice, message: Message, field: u32) -> u64 {
    let small = dice.below(6) as u64;
    match (message, field) {
        (Message::AnyValue, 2) | (Message::Sum, 3) => small % 2,
        (Message::KeyValue, 3) => u64::from(dice.once_in(10)) * small,
        (Message::AnyValue, 3) => *dice.one_of(&[0, 1, 14, 16, 17, 200, 404, 429, 500, 599, 600, (-1_i64) as u64]),
        _ if dice.once_in(20) => *dice.one_of(&[99, u64::MAX, 1 << 32, (1 << 32) + 2, 1 << 31]),
        _ => small,
    }
}
