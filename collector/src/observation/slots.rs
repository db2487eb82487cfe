//! Which attribute keys mean what: the numbers of the visitor's slots, in order of precedence within each group.

use super::settings::{DataAttribute, Rules};
use crate::otlp::keys::KeyTable;
use crate::otlp::trace::Keys;

/// Places of a configurable group.
pub(super) const GROUP: u8 = 12;

pub(super) const TENANT: u8 = 0;
pub(super) const HEADER: u8 = TENANT + GROUP;
pub(super) const BAGGAGE: u8 = HEADER + GROUP;
pub(super) const MODULE: u8 = BAGGAGE + GROUP;

pub(super) const OPERATION: u8 = 48;
/// New name, then old.
pub(super) const HTTP_METHOD: u8 = 49;
pub(super) const HTTP_ROUTE: u8 = 51;
pub(super) const RPC_SERVICE: u8 = 52;
pub(super) const RPC_METHOD: u8 = 53;
/// New name, then old.
pub(super) const MESSAGING_OPERATION: u8 = 54;
pub(super) const DESTINATION_TEMPLATE: u8 = 56;
/// New name, then old.
pub(super) const DESTINATION: u8 = 57;
pub(super) const DESTINATION_TEMPORARY: u8 = 59;
pub(super) const DESTINATION_ANONYMOUS: u8 = 60;
/// `module.method`, then `code.function.name`.
pub(super) const FUNCTION: u8 = 61;
pub(super) const OUTCOME: u8 = 63;
/// New name, then old.
pub(super) const HTTP_CODE: u8 = 64;
/// `rpc.response.status_code`, `rpc.status_code`, `rpc.grpc.status_code`.
pub(super) const RPC_CODE: u8 = 66;
pub(super) const ERROR_TYPE: u8 = 69;
pub(super) const ASGI_EVENT: u8 = 70;
pub(super) const SYNTHETIC: u8 = 71;
pub(super) const MESSAGING_TYPE: u8 = 72;
pub(super) const PEER_SERVICE: u8 = 73;
pub(super) const GEN_AI_PROVIDER: u8 = 74;
pub(super) const GEN_AI_MODEL: u8 = 75;
/// New name, then old.
pub(super) const DB_SYSTEM: u8 = 76;
/// New name, then old.
pub(super) const DB_NAMESPACE: u8 = 78;
pub(super) const SERVER_ADDRESS: u8 = 80;
pub(super) const TOKEN_TENANT: u8 = 81;

pub(super) const SERVICE_NAME: u8 = 82;
pub(super) const SERVICE_NAMESPACE: u8 = 83;
pub(super) const SERVICE_INSTANCE: u8 = 84;
pub(super) const SERVICE_VERSION: u8 = 85;

/// The first of those that few spans have and that become extras of theirs.
pub(super) const EXTRAS: u8 = RATE;
/// How many slots these take.
pub(super) const EXTRAS_SLOTS: u8 = TENANT_SET + 1 - RATE;
/// `sampling.rate_attribute`.
pub(super) const RATE: u8 = 86;
pub(super) const MESSAGES: u8 = 87;
/// New name, then old.
pub(super) const TOKENS_INPUT: u8 = 88;
/// New name, then old.
pub(super) const TOKENS_OUTPUT: u8 = 90;
pub(super) const TENANT_SET: u8 = 92;

/// New name, then old ones.
const DB_COLLECTION: u8 = 93;
const S3_BUCKET: u8 = 97;
const S3_KEY: u8 = 98;
const REDIS_KEY: u8 = 99;

/// Old name of what may be a route.
pub(super) const HTTP_TARGET: u8 = 100;
pub(super) const PARENT_ORIGIN: u8 = 101;
pub(super) const SAMPLING_RESULT: u8 = 102;
pub(super) const TOKEN_TYPE: u8 = 103;

const OF_SPANS: [(&str, u8); 40] = [
    ("bailiwick.operation", OPERATION),
    ("http.request.method", HTTP_METHOD),
    ("http.method", HTTP_METHOD + 1),
    ("http.route", HTTP_ROUTE),
    ("rpc.service", RPC_SERVICE),
    ("rpc.method", RPC_METHOD),
    ("messaging.operation.name", MESSAGING_OPERATION),
    ("messaging.operation", MESSAGING_OPERATION + 1),
    ("messaging.destination.template", DESTINATION_TEMPLATE),
    ("messaging.destination.name", DESTINATION),
    ("messaging.destination", DESTINATION + 1),
    ("messaging.destination.temporary", DESTINATION_TEMPORARY),
    ("messaging.destination.anonymous", DESTINATION_ANONYMOUS),
    ("module.method", FUNCTION),
    ("code.function.name", FUNCTION + 1),
    ("bailiwick.outcome", OUTCOME),
    ("http.response.status_code", HTTP_CODE),
    ("http.status_code", HTTP_CODE + 1),
    ("rpc.response.status_code", RPC_CODE),
    ("rpc.status_code", RPC_CODE + 1),
    ("rpc.grpc.status_code", RPC_CODE + 2),
    ("error.type", ERROR_TYPE),
    ("asgi.event.type", ASGI_EVENT),
    ("user_agent.synthetic.type", SYNTHETIC),
    ("messaging.operation.type", MESSAGING_TYPE),
    ("peer.service", PEER_SERVICE),
    ("gen_ai.provider.name", GEN_AI_PROVIDER),
    ("gen_ai.request.model", GEN_AI_MODEL),
    ("db.system.name", DB_SYSTEM),
    ("db.system", DB_SYSTEM + 1),
    ("db.namespace", DB_NAMESPACE),
    ("db.name", DB_NAMESPACE + 1),
    ("server.address", SERVER_ADDRESS),
    ("bailiwick.token.tenant", TOKEN_TENANT),
    ("bailiwick.tenant.set", TENANT_SET),
    ("messaging.batch.message_count", MESSAGES),
    ("gen_ai.usage.input_tokens", TOKENS_INPUT),
    ("gen_ai.usage.prompt_tokens", TOKENS_INPUT + 1),
    ("gen_ai.usage.output_tokens", TOKENS_OUTPUT),
    ("gen_ai.usage.completion_tokens", TOKENS_OUTPUT + 1),
];

/// What only points have. Operations, codes and errors are theirs as well as those of spans.
const OF_POINTS: [(&str, u8); 4] = [
    ("http.target", HTTP_TARGET),
    ("otel.span.parent.origin", PARENT_ORIGIN),
    ("otel.span.sampling_result", SAMPLING_RESULT),
    ("gen_ai.token.type", TOKEN_TYPE),
];

const OF_RESOURCES: [(&str, u8); 4] = [
    ("service.name", SERVICE_NAME),
    ("service.namespace", SERVICE_NAMESPACE),
    ("service.instance.id", SERVICE_INSTANCE),
    ("service.version", SERVICE_VERSION),
];

/// Names of data: asked for where a pattern reads them.
const OF_DATA: [(DataAttribute, &[&str], u8); 6] = [
    (DataAttribute::DbNamespace, &["db.namespace", "db.name"], DB_NAMESPACE),
    (
        DataAttribute::DbCollection,
        &["db.collection.name", "db.mongodb.collection", "db.cosmosdb.container", "db.sql.table"],
        DB_COLLECTION,
    ),
    (DataAttribute::Destination, &["messaging.destination.name", "messaging.destination"], DESTINATION),
    (DataAttribute::S3Bucket, &["aws.s3.bucket"], S3_BUCKET),
    (DataAttribute::S3Key, &["aws.s3.key"], S3_KEY),
    (DataAttribute::RedisKey, &["db.redis.key"], REDIS_KEY),
];

/// The slots of an attribute that names data: the first, and how many.
pub(super) fn of_data(attribute: DataAttribute) -> (u8, u8) {
    let known = OF_DATA.iter().find(|(known, ..)| *known == attribute);
    known.map_or((REDIS_KEY, 1), |(_, names, first)| (*first, names.len() as u8))
}

/// The key tables that these rules want.
#[must_use]
pub fn keys(rules: &Rules) -> Keys {
    let group = |names: &'_ [String], first: u8| -> Vec<(String, u8)> {
        names.iter().take(usize::from(GROUP)).cloned().zip(first..).collect()
    };
    let headers: Vec<String> =
        rules.tenancy.headers.iter().map(|name| format!("http.request.header.{}", name.to_ascii_lowercase())).collect();
    let tenant = group(&rules.tenancy.attributes, TENANT);
    let module = group(&rules.modules.attributes, MODULE);
    let claims = [&tenant[..], &group(&headers, HEADER), &group(&rules.tenancy.baggage, BAGGAGE), &module].concat();
    fn table(claims: &[(String, u8)], fixed: &[(&'static str, u8)]) -> KeyTable {
        KeyTable::new(claims.iter().map(|(name, slot)| (name.as_str(), *slot)).chain(fixed.iter().copied()))
    }
    let rate = Some(&rules.sampling.rate_attribute).filter(|name| !name.is_empty()).map(|name| (name.clone(), RATE));
    let is_read = |attribute| rules.data_patterns.iter().any(|pattern| pattern.attribute == attribute);
    let is_extra = |attribute| !matches!(attribute, DataAttribute::DbNamespace | DataAttribute::Destination);
    let of_data = OF_DATA.into_iter().filter(|(attribute, ..)| is_extra(*attribute) && is_read(*attribute));
    let of_data = of_data.flat_map(|(_, names, first)| names.iter().map(|name| (*name).to_owned()).zip(first..));
    let of_spans: Vec<(String, u8)> = claims.into_iter().chain(rate).chain(of_data).collect();
    let claims_of_points = [&tenant[..], &module].concat();
    let is_of_points = |slot: u8| (OPERATION..=ERROR_TYPE).contains(&slot) && slot != OUTCOME;
    let of_points: Vec<_> = OF_SPANS.into_iter().filter(|(_, slot)| is_of_points(*slot)).chain(OF_POINTS).collect();
    Keys {
        point: table(&claims_of_points, &of_points),
        span: table(&of_spans, &OF_SPANS),
        scope: table(&module, &[]),
        resource: table(&[tenant, module.clone()].concat(), &OF_RESOURCES),
    }
}
