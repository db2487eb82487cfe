//! The books: what each tenant sent, and what became of it. `received = accepted + duplicates + Σ rejected`, always.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::conventions::{TENANT_OVERFLOW, TENANT_UNKNOWN};

use super::snapshot::Books;
use crate::observation::Signal;
use crate::observation::report::Reason;

#[derive(Debug, Default)]
struct Account {
    accepted: u64,
    rejected: BTreeMap<Reason, u64>,
}

/// All accounts, at most one per tenant and signal of `tenants_max` tenants; further tenants share `_overflow`.
#[derive(Debug)]
pub(super) struct Ledger {
    accounts: BTreeMap<Arc<str>, BTreeMap<Signal, Account>>,
    tenants_max: usize,
    published: Arc<Vec<Books>>,
    changed: bool,
}

impl Ledger {
    pub(super) fn new(tenants_max: u32) -> Self {
        Self {
            accounts: BTreeMap::new(),
            tenants_max: tenants_max as usize,
            published: Arc::new(Vec::new()),
            changed: false,
        }
    }

    fn account(&mut self, tenant: &str, signal: Signal) -> &mut Account {
        self.changed = true;
        let tenant = if tenant.is_empty() { TENANT_UNKNOWN } else { tenant };
        let is_known = self.accounts.contains_key(tenant) || self.accounts.len() < self.tenants_max;
        let tenant = if is_known { tenant } else { TENANT_OVERFLOW };
        if !self.accounts.contains_key(tenant) {
            self.accounts.insert(tenant.into(), BTreeMap::new());
        }
        let signals = self.accounts.get_mut(tenant).expect("it was inserted above");
        signals.entry(signal).or_default()
    }

    pub(super) fn accept(&mut self, tenant: &str, signal: Signal, items: u64) {
        if items > 0 {
            self.account(tenant, signal).accepted += items;
        }
    }

    pub(super) fn reject(&mut self, tenant: &str, signal: Signal, reason: Reason, items: u64) {
        *self.account(tenant, signal).rejected.entry(reason).or_default() += items;
    }

    pub(super) fn publish(&mut self) -> Arc<Vec<Books>> {
        if std::mem::take(&mut self.changed) {
            let rows = self.accounts.iter().flat_map(|(tenant, signals)| {
                signals.iter().map(|(signal, account)| Books {
                    tenant: Arc::clone(tenant),
                    signal: *signal,
                    received: account.accepted + account.rejected.values().sum::<u64>(),
                    accepted: account.accepted,
                    duplicates: 0,
                    rejected: account.rejected.iter().map(|(reason, count)| (*reason, *count)).collect(),
                })
            });
            self.published = Arc::new(rows.collect());
        }
        Arc::clone(&self.published)
    }
}
