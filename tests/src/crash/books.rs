//! What a daemon says of itself against what its senders know.

use serde_json::Value;

use super::sender::{Sender, Spans};
use super::traffic::TENANTS;
use crate::harness::Api;

/// Spans of a tenant, by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Whose.
    pub tenant: &'static str,
    /// Acknowledged to senders.
    pub acknowledged: u64,
    /// Counted by the daemon.
    pub stored: u64,
    /// Sent.
    pub sent: u64,
}

impl Account {
    /// Whether nothing acknowledged is missing and nothing was invented.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        self.acknowledged <= self.stored && self.stored <= self.sent
    }

    /// Whether all that was sent is counted once.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.stored == self.sent
    }

    /// Spans that were acknowledged and are not there.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.acknowledged.saturating_sub(self.stored)
    }
}

/// The accounts of all tenants.
///
/// # Errors
/// When the daemon does not answer.
pub async fn accounts(api: &Api, senders: &[Sender]) -> Result<Vec<Account>, String> {
    let page = api.json("/v1/series?limit=1000").await?;
    let of = |tenant: &'static str| {
        let all = |of: fn(&Sender) -> &Spans| -> u64 {
            senders.iter().map(|sender| of(sender).get(tenant).copied().unwrap_or_default()).sum()
        };
        let (acknowledged, sent) = (all(|sender| &sender.acknowledged), all(|sender| &sender.sent));
        Account { tenant, acknowledged, stored: stored(&page, tenant), sent }
    };
    Ok(TENANTS.into_iter().map(of).collect())
}

/// Books of the daemon in which items are missing: received = accepted + duplicates + rejected.
///
/// # Errors
/// When the daemon does not answer.
pub async fn imbalances(api: &Api) -> Result<Vec<String>, String> {
    let books = api.json("/v1/ingest").await?;
    let items = books["items"].as_array().into_iter().flatten();
    let wrong = items.filter(|item| {
        let number = |name: &str| item[name].as_u64().unwrap_or_default();
        number("received") != number("accepted") + number("duplicates") + number("rejected")
    });
    Ok(wrong.map(|item| format!("the books do not balance: {item}")).collect())
}

fn stored(page: &Value, tenant: &str) -> u64 {
    let items = page["items"].as_array().into_iter().flatten();
    items.filter(|item| item["tenant"] == tenant).filter_map(|item| item["total"]["success"].as_u64()).sum()
}
