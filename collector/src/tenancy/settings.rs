//! Where tenants and modules are read from (`tenancy.`, `modules.`).

use std::collections::BTreeMap;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most keys of one list: each takes a slot of the visitor's.
const KEYS_MAX: usize = 12;

/// Where a tenant claim comes from, in the vocabulary of `tenancy.sources`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The credential, or `X-Scope-OrgID` where it counts.
    Auth,
    /// An attribute of the span or data point.
    Span,
    /// An attribute of the resource.
    Resource,
    /// A captured request header.
    Header,
    /// Baggage copied to an attribute.
    Baggage,
}

impl Source {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Span => "span",
            Self::Resource => "resource",
            Self::Header => "header",
            Self::Baggage => "baggage",
        }
    }
}

/// What to do with an item that claims another tenant than its credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// Count it under the credential's tenant and keep the claim as evidence.
    Count,
    /// Refuse it (`tenant_mismatch`).
    Reject,
}

/// How an item's tenant is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Settings {
    /// Where claims are looked for, first hit wins.
    #[garde(length(min = 1, max = 5))]
    pub sources: Vec<Source>,
    /// Attributes of spans, points and resources that name the tenant, first hit wins.
    #[garde(length(max = KEYS_MAX))]
    pub attributes: Vec<String>,
    /// Captured request headers that name the tenant (in attributes `http.request.header.<name>`).
    #[garde(length(max = KEYS_MAX))]
    pub headers: Vec<String>,
    /// Attributes that hold baggage members naming the tenant.
    #[garde(length(max = KEYS_MAX))]
    pub baggage: Vec<String>,
    /// Other spellings of a tenant (slug, id) and the tenant that they mean.
    pub aliases: BTreeMap<String, String>,
    /// Refuse items that no tenant can be found for.
    pub required: bool,
    /// What to do with an item that claims another tenant than its credential.
    pub on_conflict: OnConflict,
}

impl Default for Settings {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            sources: vec![Source::Auth, Source::Span, Source::Resource, Source::Header, Source::Baggage],
            attributes: texts(&[
                "bailiwick.tenant.id",
                "tenant.id",
                "tenant_id",
                "app.tenant.id",
                "app.tenant_id",
                "tenant",
            ]),
            headers: texts(&["x-tenant-id", "x_tenant_id", "x-scope-orgid", "x_scope_orgid"]),
            baggage: texts(&["baggage.tenant.id", "baggage.tenant_id"]),
            aliases: BTreeMap::new(),
            required: false,
            on_conflict: OnConflict::Count,
        }
    }
}

/// How an item's module is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct ModuleSettings {
    /// Attributes of spans, scopes and resources that name the module, first hit wins.
    #[garde(length(max = KEYS_MAX))]
    pub attributes: Vec<String>,
    /// Other spellings of a module and the module that they mean.
    pub aliases: BTreeMap<String, String>,
    /// HTTP 4xx codes that count as the platform's failure, by module (say 408 and 429).
    pub failing_4xx: BTreeMap<String, Vec<u16>>,
}

impl Default for ModuleSettings {
    fn default() -> Self {
        let keys = ["bailiwick.module", "module.identifier", "app.module", "module"];
        Self {
            attributes: keys.iter().map(|key| (*key).to_owned()).collect(),
            aliases: BTreeMap::new(),
            failing_4xx: BTreeMap::new(),
        }
    }
}
