//! The books: what each tenant sent, and what became of it. `received = accepted + duplicates + Σ rejected`, always.
//!
//! Tenants with a place ([`super::tenants`]) have their account. Names under which items were only ever refused are
//! kept beside them, as many as there may be tenants, and share `_overflow` beyond: whoever sends rubbish under a
//! million names takes no tenant's place, and a tenant whose clock is wrong still finds its refusals.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::kept;
use bailiwick_slo::saved;

use super::snapshot::{Books, Cause};
use super::tenants::{OVERFLOW, TenantId, Tenants};
use crate::observation::Signal;

#[derive(Debug, Default, Clone)]
struct Account {
    accepted: u64,
    duplicates: u64,
    rejected: BTreeMap<Cause, u64>,
}
saved!(struct Account { accepted, duplicates, rejected });

/// The accounts of one name, by [`place_of`].
type Accounts = [Account; 2];

/// All accounts.
#[derive(Debug)]
pub(super) struct Ledger {
    tenants: Vec<Accounts>,
    /// Names without a place, under which items were refused.
    strangers: BTreeMap<Arc<str>, Accounts>,
    strangers_max: usize,
    published: Arc<Vec<Books>>,
    changed: bool,
}
kept!(Ledger { tenants, strangers, changed, published });

/// Where an account stands among a name's accounts.
fn place_of(signal: Signal) -> usize {
    match signal {
        Signal::Traces => 0,
        Signal::Metrics => 1,
    }
}

const SIGNALS: [Signal; 2] = [Signal::Traces, Signal::Metrics];

impl Account {
    fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        for (cause, items) in other.rejected {
            *self.rejected.entry(cause).or_default() += items;
        }
    }

    fn is_empty(&self) -> bool {
        self.accepted == 0 && self.duplicates == 0 && self.rejected.is_empty()
    }
}

impl Ledger {
    /// Empty books; `strangers_max` names without a place are kept apart.
    pub(super) fn new(strangers_max: u32) -> Self {
        Self {
            tenants: Vec::new(),
            strangers: BTreeMap::new(),
            strangers_max: strangers_max as usize,
            published: Arc::default(),
            changed: false,
        }
    }

    fn of_tenant(&mut self, tenant: TenantId) -> &mut Accounts {
        self.changed = true;
        let place = tenant as usize;
        if self.tenants.len() <= place {
            self.tenants.resize_with(place + 1, Accounts::default);
        }
        &mut self.tenants[place]
    }

    /// A name that has a place from now on takes along what it had among the strangers.
    pub(super) fn settle(&mut self, name: &str, tenant: TenantId) {
        if let Some(accounts) = self.strangers.remove(name) {
            self.of_tenant(tenant).iter_mut().zip(accounts).for_each(|(mine, before)| mine.add(before));
        }
    }

    pub(super) fn accept(&mut self, tenant: TenantId, signal: Signal, items: u64) {
        if items > 0 {
            self.of_tenant(tenant)[place_of(signal)].accepted += items;
        }
    }

    /// Items that an earlier request brought already.
    pub(super) fn duplicate(&mut self, tenant: TenantId, signal: Signal, items: u64) {
        if items > 0 {
            self.of_tenant(tenant)[place_of(signal)].duplicates += items;
        }
    }

    /// Moves a span from accepted to duplicates: it had been counted before.
    pub(super) fn repeat(&mut self, tenant: TenantId) {
        let account = &mut self.of_tenant(tenant)[place_of(Signal::Traces)];
        account.accepted = account.accepted.saturating_sub(1);
        account.duplicates += 1;
    }

    /// Books refused items under the name that they claim; it need not have a place.
    pub(super) fn reject(&mut self, tenants: &Tenants, name: &str, signal: Signal, (cause, items): (Cause, u64)) {
        let accounts = match tenants.find(name) {
            Some(tenant) => self.of_tenant(tenant),
            None => self.of_stranger(name),
        };
        *accounts[place_of(signal)].rejected.entry(cause).or_default() += items;
    }

    fn of_stranger(&mut self, name: &str) -> &mut Accounts {
        if !self.strangers.contains_key(name) {
            if self.strangers.len() >= self.strangers_max {
                return self.of_tenant(OVERFLOW);
            }
            self.strangers.insert(name.into(), Accounts::default());
        }
        self.changed = true;
        self.strangers.get_mut(name).expect("it was there or was inserted above")
    }

    /// The books in the order of names and signals.
    pub(super) fn publish(&mut self, tenants: &Tenants) -> Arc<Vec<Books>> {
        if std::mem::take(&mut self.changed) {
            let placed = self.tenants.iter().zip(0..).map(|(accounts, tenant)| (tenants.name(tenant), accounts));
            let rows = placed.chain(&self.strangers).flat_map(|(name, accounts)| {
                let kept = SIGNALS.into_iter().zip(accounts).filter(|(_, account)| !account.is_empty());
                kept.map(|(signal, account)| books(name, signal, account))
            });
            let mut rows: Vec<_> = rows.collect();
            rows.sort_by(|one, two| (&one.tenant, one.signal).cmp(&(&two.tenant, two.signal)));
            self.published = Arc::new(rows);
        }
        Arc::clone(&self.published)
    }
}

fn books(name: &Arc<str>, signal: Signal, account: &Account) -> Books {
    Books {
        tenant: Arc::clone(name),
        signal,
        received: account.accepted + account.duplicates + account.rejected.values().sum::<u64>(),
        accepted: account.accepted,
        duplicates: account.duplicates,
        rejected: account.rejected.iter().map(|(cause, items)| (*cause, *items)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tenants::Admission;
    use super::*;
    use crate::observation::report::Reason;

    const LATE: Cause = Cause::Known(Reason::TooLate);

    fn shown(ledger: &mut Ledger, tenants: &Tenants) -> Vec<(String, u64, u64)> {
        ledger.publish(tenants).iter().map(|row| (row.tenant.to_string(), row.received, row.accepted)).collect()
    }

    #[test]
    fn a_stranger_that_becomes_a_tenant_keeps_its_refusals() {
        let (mut tenants, mut ledger) = (Tenants::new(1), Ledger::new(1));
        ledger.reject(&tenants, "acme", Signal::Traces, (LATE, 3));
        assert_eq!(shown(&mut ledger, &tenants), [("acme".to_owned(), 3, 0)]);
        let Admission::New(acme) = tenants.admit("acme") else { panic!("there is a place") };
        ledger.settle("acme", acme);
        ledger.accept(acme, Signal::Traces, 2);
        ledger.reject(&tenants, "acme", Signal::Traces, (LATE, 1));
        assert_eq!(shown(&mut ledger, &tenants), [("acme".to_owned(), 6, 2)]);
        assert_eq!(ledger.publish(&tenants)[0].rejected, [(LATE, 4)]);
        // Its place among the strangers is free again.
        ledger.reject(&tenants, "globex", Signal::Metrics, (LATE, 1));
        assert_eq!(shown(&mut ledger, &tenants)[1], ("globex".to_owned(), 1, 0));
    }

    #[test]
    fn strangers_beyond_their_maximum_share_the_overflow_account() {
        let (tenants, mut ledger) = (Tenants::new(1), Ledger::new(2));
        for (name, items) in [("a", 1), ("b", 2), ("c", 4), ("d", 8), ("a", 16), ("_unknown", 32)] {
            ledger.reject(&tenants, name, Signal::Traces, (LATE, items));
        }
        let rows = [("_overflow", 12), ("_unknown", 32), ("a", 17), ("b", 2)];
        assert_eq!(shown(&mut ledger, &tenants), rows.map(|(name, items)| (name.to_owned(), items, 0)));
    }
}
