//! What operators may set about single spans, beyond what a request is: what sampled ones stand for, where chains may
//! begin, whose data they touch.

use std::collections::BTreeMap;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What sampled spans stand for (`aggregator.sampling.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct SamplingSettings {
    /// Most requests that one span may stand for.
    #[garde(range(min = 1, max = 100_000_000))]
    pub weight_max: u32,
    /// A span attribute that holds the probability (0 to 1) with which the span was kept, read where the tracestate
    /// says nothing (`ot=th:`). Empty: none.
    pub rate_attribute: String,
    /// Where a service's spans are taken from, by service name, where it is not `pre_sampling`.
    pub position: BTreeMap<String, Position>,
}

/// Where spans are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Before any sampling, or not sampled at all.
    #[default]
    PreSampling,
    /// After consistent head sampling.
    PostHead,
    /// After tail sampling: what is kept depends on what happened, so no ratio of it is a verdict.
    PostTail,
}

impl Default for SamplingSettings {
    fn default() -> Self {
        Self { weight_max: 1_000_000, rate_attribute: String::new(), position: BTreeMap::new() }
    }
}

/// An operation at which a chain may begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Boundary {
    /// The module.
    #[garde(length(min = 1))]
    pub module: String,
    /// Its operations (with `*`).
    #[garde(length(min = 1))]
    pub operation: String,
    /// Why the chain begins there.
    #[garde(length(min = 1))]
    pub reason: String,
}

/// How the owner of touched data is read (rule L4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct DataPattern {
    /// The span attribute: `db.namespace`, `db.collection.name`, `messaging.destination.name`, `aws.s3.bucket`,
    /// `aws.s3.key` or `db.redis.key`.
    pub attribute: DataAttribute,
    /// Its form, with one `{tenant}` and any `*`: `tenant_{tenant}`, `{tenant}/*`.
    #[garde(custom(names_one_tenant))]
    pub pattern: String,
    /// Only count what it finds. A pattern begins so.
    #[serde(default = "dry")]
    pub dry_run: bool,
}

/// Attributes that name data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DataAttribute {
    /// Database or schema, old name included.
    #[serde(rename = "db.namespace")]
    DbNamespace,
    /// Table, collection or index.
    #[serde(rename = "db.collection.name")]
    DbCollection,
    /// Queue or topic, old name included.
    #[serde(rename = "messaging.destination.name")]
    Destination,
    /// Bucket of an object store.
    #[serde(rename = "aws.s3.bucket")]
    S3Bucket,
    /// Key of an object.
    #[serde(rename = "aws.s3.key")]
    S3Key,
    /// Key of a cache.
    #[serde(rename = "db.redis.key")]
    RedisKey,
}

fn dry() -> bool {
    true
}

fn names_one_tenant(pattern: &str, (): &()) -> garde::Result {
    match pattern.matches("{tenant}").count() {
        1 => Ok(()),
        _ => Err(garde::Error::new(format!("`{pattern}` must hold `{{tenant}}` once"))),
    }
}
