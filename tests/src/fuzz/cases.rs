//! Settings and credentials under which requests are compared. Limits on numbers of things are off.

use std::collections::BTreeMap;

use bailiwick_collector::observation::batch::Meta;
use bailiwick_collector::observation::{FourXxError, LimitSettings, Rules};
use bailiwick_collector::tenancy::OnConflict;
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
}

/// Every case.
pub const CASES: [Case; 4] = [Case::Default, Case::Credential, Case::Reject, Case::Required];

impl Case {
    /// What the transport knows in this case.
    #[must_use]
    pub fn meta(self) -> Meta<'static> {
        let tenant_auth = match self {
            Self::Default | Self::Required => "",
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
            Self::Default => {}
            Self::Credential => {
                let text = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
                    pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
                };
                rules.tenancy.aliases = text(&[("ac", "acme"), ("shop", "_unknown")]);
                rules.modules.aliases = text(&[("rag", "rag_hub"), ("shop/api", "storefront")]);
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
        }
        rules
    }
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
