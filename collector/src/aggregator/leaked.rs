//! Hops that were judged and those that leaked, by tenant x module and slot: what SLOs about leaks count
//! (`slo.md` 1.4: a finding counts that is confirmed or of high severity).

use std::sync::Arc;

use bailiwick_slo::course::record::LEAK_SETS_MAX as SETS_MAX;
use bailiwick_slo::saved;
use bailiwick_slo::spec::{Sli, Slo};

use super::counts::tiers::{Closed, Tiers};
use super::snapshot::{Certainty, ModuleId, Rule, Severity};

/// Hops judged, and by set those with a finding.
pub(super) const LEAK_FIELDS: usize = 1 + SETS_MAX;

/// What was found on one hop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hop<'a> {
    pub(super) module: ModuleId,
    pub(super) end_ns: u64,
    /// It was counted as judged before.
    pub(super) is_judged: bool,
    pub(super) rules: &'a [Rule],
}

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Leaked {
    /// Names of rules. A set keeps its place while the daemon runs.
    sets: Arc<Vec<Vec<String>>>,
    counts: Tiers<LEAK_FIELDS>,
}
saved!(struct Leaked { sets, counts });

/// Whether an SLO counts a finding.
pub(super) fn is_grave(certainty: Certainty, severity: Severity) -> bool {
    certainty == Certainty::Confirmed || severity == Severity::High
}

impl Leaked {
    /// Counts for these SLOs from now on; sets beyond the maximum are not counted, and the definitions are refused before.
    pub(super) fn watch(&mut self, slos: &[Arc<Slo>]) {
        for slo in slos {
            if let Sli::Leaks(rules) = &slo.sli
                && !self.sets.contains(rules)
                && self.sets.len() < SETS_MAX
            {
                Arc::make_mut(&mut self.sets).push(rules.clone());
            }
        }
    }

    /// A hop was judged.
    #[inline]
    pub(super) fn judge(&mut self, module: ModuleId, end_ns: u64) {
        if !self.sets.is_empty() {
            let mut fields = [0; LEAK_FIELDS];
            fields[0] = 1;
            self.counts.add(end_ns, module, &fields);
        }
    }

    /// A grave finding on a hop. Where nobody could compare tenants but something was found all the same, the hop was
    /// judged by that.
    pub(super) fn find(&mut self, hop: &Hop<'_>) {
        if self.sets.is_empty() {
            return;
        }
        let mut fields = [0; LEAK_FIELDS];
        fields[0] = u64::from(!hop.is_judged);
        for (place, set) in self.sets.iter().enumerate() {
            fields[1 + place] = u64::from(hop.rules.iter().any(|rule| set.iter().any(|name| name == rule.name())));
        }
        self.counts.add(hop.end_ns, hop.module, &fields);
    }

    pub(super) fn close(&mut self, now_ns: u64, close_after_ns: u64) {
        self.counts.close(now_ns, close_after_ns);
    }

    pub(super) fn publish(&self) -> (Arc<Vec<Vec<String>>>, Arc<Closed<LEAK_FIELDS>>) {
        (Arc::clone(&self.sets), Arc::clone(self.counts.closed()))
    }
}
