//! Which attributes are asked for.

use bailiwick_collector::observation::{DataAttribute, Rules};

/// Keys of resources, in the order of a context's fields.
pub(super) const SERVICE: [&str; 4] = ["service.namespace", "service.name", "service.instance.id", "service.version"];

/// Keys of `sli.md` 1.1 to 1.4 that spans are asked for, besides tenant and module.
const OF_SPANS: [&str; 40] = [
    "asgi.event.type",
    "bailiwick.operation",
    "bailiwick.outcome",
    "bailiwick.tenant.set",
    "bailiwick.token.tenant",
    "code.function.name",
    "db.name",
    "db.namespace",
    "db.system",
    "db.system.name",
    "error.type",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.usage.completion_tokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "http.status_code",
    "messaging.batch.message_count",
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
];

/// Keys of an attribute that names data, new names first.
pub(super) const fn data_keys(attribute: DataAttribute) -> &'static [&'static str] {
    match attribute {
        DataAttribute::DbNamespace => &["db.namespace", "db.name"],
        DataAttribute::DbCollection => {
            &["db.collection.name", "db.mongodb.collection", "db.cosmosdb.container", "db.sql.table"]
        }
        DataAttribute::Destination => &["messaging.destination.name", "messaging.destination"],
        DataAttribute::S3Bucket => &["aws.s3.bucket"],
        DataAttribute::S3Key => &["aws.s3.key"],
        DataAttribute::RedisKey => &["db.redis.key"],
    }
}

/// Whether a span is asked for this key.
#[must_use]
pub fn is_used_of_spans(key: &str, rules: &Rules) -> bool {
    let tenancy = &rules.tenancy;
    let headers = header_keys(&tenancy.headers);
    let claims = tenancy.attributes.iter().chain(&headers).chain(&tenancy.baggage);
    let is_rate = !key.is_empty() && key == rules.sampling.rate_attribute;
    let is_data = rules.data_patterns.iter().any(|pattern| data_keys(pattern.attribute).contains(&key));
    OF_SPANS.contains(&key) || is_rate || is_data || claims.chain(&rules.modules.attributes).any(|wanted| wanted == key)
}

/// Keys of `sli.md` 1.2, 1.4 and 1.9 that points are asked for, besides tenant and module.
const OF_POINTS: [&str; 25] = [
    "bailiwick.operation",
    "code.function.name",
    "error.type",
    "gen_ai.token.type",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "http.status_code",
    "http.target",
    "messaging.destination",
    "messaging.destination.anonymous",
    "messaging.destination.name",
    "messaging.destination.template",
    "messaging.destination.temporary",
    "messaging.operation",
    "messaging.operation.name",
    "module.method",
    "otel.span.parent.origin",
    "otel.span.sampling_result",
    "rpc.grpc.status_code",
    "rpc.method",
    "rpc.response.status_code",
    "rpc.service",
    "rpc.status_code",
];

/// Whether a data point is asked for this key.
#[must_use]
pub fn is_used_of_points(key: &str, rules: &Rules) -> bool {
    let claims = rules.tenancy.attributes.iter().chain(&rules.modules.attributes);
    OF_POINTS.contains(&key) || claims.into_iter().any(|wanted| wanted == key)
}

/// Whether a scope is asked for this key.
#[must_use]
pub fn is_used_of_scopes(key: &str, rules: &Rules) -> bool {
    rules.modules.attributes.iter().any(|wanted| wanted == key)
}

/// Whether a resource is asked for this key.
pub(super) fn is_used_of_resources(key: &str, rules: &Rules) -> bool {
    let claims = rules.tenancy.attributes.iter().chain(&rules.modules.attributes);
    SERVICE.contains(&key) || claims.into_iter().any(|wanted| wanted == key)
}

/// Attributes that captured request headers stand in.
pub(super) fn header_keys(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("http.request.header.{}", name.to_lowercase())).collect()
}
