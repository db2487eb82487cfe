//! Settings and credentials under which requests are compared. Limits on numbers of things are off, but in one case.

use std::collections::BTreeMap;

use bailiwick_collector::observation::batch::Meta;
use bailiwick_collector::observation::{Boundary, DataAttribute, DataPattern, FourXxError, LimitSettings, Rules};
use bailiwick_collector::tenancy::{OnConflict, PrefixModule, ScopeModule, UuidForm};
use bailiwick_collector::units::ByteSize;

/// The clock of all comparisons: 2023-11-14T22:13:20Z.
pub const NOW_NS: u64 = 1_700_000_000_000_000_000;

/// One way to run the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// As it comes.
    Default,
    /// A one-tenant credential, aliases, lenient towards old SDKs.
    Credential,
    /// A one-tenant credential whose conflicts are refused; a tenant is required.
    Reject,
    /// No credential, and a tenant is required.
    Required,
    /// Keys of every length, keys with two meanings, patterns of every shape, tenants with other spellings.
    Configured,
    /// Few attributes and links.
    Limited,
}

/// Every case.
pub const CASES: [Case; 6] =
    [Case::Default, Case::Credential, Case::Reject, Case::Required, Case::Configured, Case::Limited];

/// Keys of tenants: of the lengths at which keys are compared in another way, and one that means something else too.
pub(super) const TENANT_KEYS: [&str; 12] = [
    "t",
    "tid",
    "org.7by",
    "org.8byt",
    "org.9byte",
    "organisation.15",
    "organisation.16b",
    "organisation.17by",
    "organisation.of.the.caller.31by",
    "organisation.of.the.caller.32byt",
    "organisation.of.the.caller.33byte",
    "service.namespace",
];

/// Keys of modules, likewise.
pub(super) const MODULE_KEYS: [&str; 6] = [
    "mod",
    "module.of.the.platform.by.a.name.that.takes.sixty.three.bytes.x",
    "module.of.the.platform.by.a.name.that.takes.sixty.four.bytes.xyz",
    LONG_KEY,
    "code.function.name",
    "service.name",
];

/// Longer than a length of one byte can say.
const LONG_KEY: &str = "module.of.the.platform.by.a.name.so.long.that.its.length.takes.two.bytes.on.the.wire.which.no.\
    encoder.of.attributes.that.we.know.of.ever.wrote.so.far";

/// Names of captured headers: their keys have 31, 32 and 33 bytes, and one has capitals.
pub(super) const HEADER_NAMES: [&str; 4] = ["x-tenant-31", "X-Tenant-32b", "x-tenant-33by", "x_tenant"];

impl Case {
    /// What the transport knows in this case.
    #[must_use]
    pub fn meta(self) -> Meta<'static> {
        let tenant_auth = match self {
            Self::Default | Self::Required | Self::Configured | Self::Limited => "",
            Self::Credential | Self::Reject => "acme",
        };
        let auth_source = if tenant_auth.is_empty() { 0 } else { 2 };
        Meta { principal: "127.0.0.1", tenant_auth, auth_source, transport: 2, encoding: 1, compression: 0 }
    }

    /// The settings of this case.
    #[must_use]
    pub fn rules(self) -> Rules {
        let mut rules = Rules { limits: unlimited(), ..Rules::default() };
        match self {
            Self::Default => rules.gateway_counters = texts(&["envoy_cluster_upstream_rq"]),
            Self::Credential => {
                rules.tenancy.aliases = pairs(&[("ac", "acme"), ("shop", "_unknown")]);
                rules.modules.aliases = pairs(&[("rag", "rag_hub"), ("shop/api", "storefront")]);
                rules.modules.failing_4xx =
                    [("rag_hub", vec![404, 429]), ("storefront", vec![404]), ("api", vec![429]), ("", vec![404])]
                        .map(|(module, codes)| (module.to_owned(), codes))
                        .into();
                rules.requests.server_4xx_error = FourXxError::ClientError;
                rules.limits.label_bytes_max = 16;
            }
            Self::Reject => {
                rules.tenancy.on_conflict = OnConflict::Reject;
                rules.tenancy.required = true;
            }
            Self::Required => rules.tenancy.required = true,
            Self::Configured => configure(&mut rules),
            Self::Limited => {
                rules.limits.attributes_max = 3;
                rules.limits.links_max = 2;
            }
        }
        rules
    }
}

fn configure(rules: &mut Rules) {
    rules.tenancy.attributes = texts(&TENANT_KEYS);
    rules.tenancy.headers = texts(&HEADER_NAMES);
    rules.tenancy.baggage = texts(&["baggage", "peer.service"]);
    rules.tenancy.aliases = pairs(&[("globex", "acme"), ("%61cme", "globex"), ("a/b", "a-b"), ("200", "two_hundred")]);
    rules.modules.attributes = texts(&MODULE_KEYS);
    rules.modules.aliases = pairs(&[("api", "rag_hub"), ("200", "two_hundred")]);
    rules.tenancy.uuid_form = UuidForm::Hyphenated;
    let scope = |scope: &str, module: &str| ScopeModule { scope: scope.to_owned(), module: module.to_owned() };
    rules.modules.scopes = vec![scope("o*s", "api"), scope("", "nameless"), scope("*e*", "e of a scope")];
    let prefix = |prefix: &str, module: &str| PrefixModule { prefix: prefix.to_owned(), module: module.to_owned() };
    rules.modules.span_prefixes = vec![prefix("GET /r", "api"), prefix("a1-22", "200"), prefix("s3.", "store")];
    let boundary = |module: &str, operation: &str| Boundary {
        module: module.to_owned(),
        operation: operation.to_owned(),
        reason: "in tests".to_owned(),
    };
    rules.boundaries = vec![boundary("rag_hub", "GET *"), boundary("shop/rag", "*"), boundary("store", "s3.get")];
    rules.data_patterns = [
        (DataAttribute::RedisKey, "cache:{tenant}:*"),
        (DataAttribute::DbCollection, "*_{tenant}_*"),
        (DataAttribute::S3Key, "{tenant}/*"),
        (DataAttribute::Destination, "{tenant}*"),
        (DataAttribute::DbNamespace, "*{tenant}"),
    ]
    .map(|(attribute, pattern)| DataPattern { attribute, pattern: pattern.to_owned(), dry_run: true })
    .into();
    rules.sampling.rate_attribute = "rate".to_owned();
    rules.sampling.weight_max = 30;
    rules.requests.ignore_span_names = texts(&["*7*", "name *2 send", "", "a*b**c", "\u{e9}*", "s3.get"]);
    rules.requests.exclude = texts(&["GET /r*y", "*-*-*", "unknown", "BREW*"]);
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

fn unlimited() -> LimitSettings {
    LimitSettings {
        items_max: u32::MAX,
        containers_max: u32::MAX,
        attributes_max: u32::MAX,
        links_max: 255,
        buckets_max: 6,
        strings_max: u32::MAX,
        string_bytes_max: ByteSize::mib(1_024),
        groups_max: 100,
        ..LimitSettings::default()
    }
}
