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
    /// The parent's tenant, in the same trace.
    Inherited,
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
            Self::Inherited => "inherited",
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

/// How tenants that are UUIDs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UuidForm {
    /// As they come.
    Off,
    /// Lower case, with hyphens.
    Hyphenated,
}

/// How an item's tenant is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Settings {
    /// Where claims are looked for, first hit wins.
    #[garde(length(min = 1, max = 6))]
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
    /// How UUIDs are written: as they come (`off`), or all in lower case with hyphens (`hyphenated`).
    pub uuid_form: UuidForm,
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
            sources: vec![
                Source::Auth,
                Source::Span,
                Source::Resource,
                Source::Header,
                Source::Inherited,
                Source::Baggage,
            ],
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
            uuid_form: UuidForm::Off,
            aliases: BTreeMap::new(),
            required: false,
            on_conflict: OnConflict::Count,
        }
    }
}

/// The module of instrumentation scopes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct ScopeModule {
    /// Scope names (with `*`).
    #[garde(length(min = 1))]
    pub scope: String,
    /// Their module.
    #[garde(length(min = 1))]
    pub module: String,
}

/// The module of spans by the beginning of their name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct PrefixModule {
    /// How their names begin.
    #[garde(length(min = 1))]
    pub prefix: String,
    /// Their module.
    #[garde(length(min = 1))]
    pub module: String,
}

/// What is known of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct DeclaredModule {
    /// It serves all tenants (`_system`): tenants are not inherited through it, nor compared across it.
    pub shared: bool,
    /// Every request must have a tenant (rule L5).
    pub tenant_required: bool,
    /// It should be seen even when nothing counts its requests.
    pub expected: bool,
    /// Whether its absence counts at all.
    pub required: bool,
    /// Operations that should be seen.
    pub operations: Vec<String>,
    /// Other names that it is called by as a peer (`peer.service`, `server.address`).
    pub peers: Vec<String>,
}

impl Default for DeclaredModule {
    fn default() -> Self {
        Self {
            shared: false,
            tenant_required: false,
            expected: false,
            required: true,
            operations: Vec::new(),
            peers: Vec::new(),
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
    /// Modules of instrumentation scopes that name none, first fit wins.
    #[garde(dive)]
    pub scopes: Vec<ScopeModule>,
    /// Modules of spans whose name begins so, first fit wins.
    #[garde(dive)]
    pub span_prefixes: Vec<PrefixModule>,
    /// Other spellings of a module and the module that they mean.
    pub aliases: BTreeMap<String, String>,
    /// What is known of modules: the inventory that coverage and leaks are judged by.
    #[garde(dive)]
    pub declared: BTreeMap<String, DeclaredModule>,
    /// HTTP 4xx codes that count as the platform's failure, by module (say 408 and 429).
    pub failing_4xx: BTreeMap<String, Vec<u16>>,
}

impl Default for ModuleSettings {
    fn default() -> Self {
        let keys = ["bailiwick.module", "module.identifier", "app.module", "module"];
        Self {
            attributes: keys.iter().map(|key| (*key).to_owned()).collect(),
            scopes: Vec::new(),
            span_prefixes: Vec::new(),
            aliases: BTreeMap::new(),
            declared: BTreeMap::new(),
            failing_4xx: BTreeMap::new(),
        }
    }
}
