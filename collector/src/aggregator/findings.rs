//! Leak findings that are kept: a ring for operators, and counts that never fall (`sli.md` 3.2).
//!
//! The first hit of a kind shows at once, later ones of the same kind add to it. Nothing here goes to a log.

use std::collections::VecDeque;
use std::sync::Arc;

use bailiwick_slo::saved;
use bailiwick_slo::saved::{Kept, Saved};
use bailiwick_slo::wire::{Read, Reader, Writer};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::snapshot::{Certainty, Finding, FindingCount, Limit, Rule, Severity, Traced};

/// Traces kept of a finding.
const TRACES_KEPT: usize = 3;

/// What makes two hits one finding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// In the order of their numbers.
    pub(super) rules: Vec<Rule>,
    pub(super) certainty: Certainty,
    pub(super) parent_module: Arc<str>,
    pub(super) child_module: Arc<str>,
    pub(super) operation: Arc<str>,
    pub(super) expected: Arc<str>,
    pub(super) observed: Arc<str>,
}
saved!(struct Kind { rules, certainty, parent_module, child_module, operation, expected, observed });

/// One hit.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    pub(super) evidence: Vec<(&'static str, Arc<str>)>,
    pub(super) trace_id: [u8; 16],
    pub(super) at_ns: u64,
}

/// The findings.
#[derive(Debug)]
pub(super) struct Findings {
    max: usize,
    /// The one that was found first in front.
    ring: VecDeque<Finding>,
    by_kind: HashMap<Kind, u64, RandomState>,
    kinds: VecDeque<Kind>,
    next_id: u64,
    counts: HashMap<(Rule, Certainty, Arc<str>), u64, RandomState>,
    /// Findings that left the ring.
    gone: u64,
    changed: bool,
    shown: (Arc<Vec<Finding>>, Arc<Vec<FindingCount>>),
}

impl Kept for Findings {
    fn save(&self, to: &mut Writer) {
        self.ring.save(to);
        let kinds = self.kinds.iter().filter_map(|kind| Some((kind.clone(), *self.by_kind.get(kind)?)));
        kinds.collect::<Vec<(Kind, u64)>>().save(to);
        self.next_id.save(to);
        self.counts.save(to);
        self.gone.save(to);
        self.changed.save(to);
        self.shown.save(to);
    }

    fn restore(&mut self, from: &mut Reader<'_>) -> Read<()> {
        self.ring = Saved::load(from)?;
        let kinds: Vec<(Kind, u64)> = Saved::load(from)?;
        self.kinds = kinds.iter().map(|(kind, _)| kind.clone()).collect();
        self.by_kind = kinds.into_iter().collect();
        self.next_id = Saved::load(from)?;
        self.counts = Saved::load(from)?;
        self.gone = Saved::load(from)?;
        self.changed = Saved::load(from)?;
        self.shown = Saved::load(from)?;
        Ok(())
    }
}

impl Findings {
    pub(super) fn new(max: u32) -> Self {
        Self {
            max: max as usize,
            ring: VecDeque::new(),
            by_kind: HashMap::default(),
            kinds: VecDeque::new(),
            next_id: 1,
            counts: HashMap::default(),
            gone: 0,
            changed: false,
            shown: Default::default(),
        }
    }

    /// Notes a hit.
    pub(super) fn note(&mut self, hit: Hit) {
        self.changed = true;
        for rule in &hit.kind.rules {
            let key = (*rule, hit.kind.certainty, Arc::clone(&hit.kind.child_module));
            *self.counts.entry(key).or_default() += 1;
        }
        let first_id = self.next_id - self.ring.len() as u64;
        if let Some(id) = self.by_kind.get(&hit.kind) {
            let known = &mut self.ring[(*id - first_id) as usize];
            known.count += 1;
            known.last_seen_ns = known.last_seen_ns.max(hit.at_ns);
            known.severity = known.severity.max(hit.severity);
            if !known.trace_ids.contains(&hit.trace_id) {
                known.trace_ids.insert(0, hit.trace_id);
                known.trace_ids.truncate(TRACES_KEPT);
            }
            return;
        }
        if self.ring.len() >= self.max {
            self.ring.pop_front();
            self.gone += 1;
            if let Some(kind) = self.kinds.pop_front() {
                self.by_kind.remove(&kind);
            }
        }
        self.by_kind.insert(hit.kind.clone(), self.next_id);
        self.kinds.push_back(hit.kind.clone());
        let Hit { kind, severity, evidence, trace_id, at_ns } = hit;
        self.ring.push_back(Finding {
            id: self.next_id,
            rules: kind.rules,
            certainty: kind.certainty,
            severity,
            parent_module: kind.parent_module,
            child_module: kind.child_module,
            operation: kind.operation,
            expected: kind.expected,
            observed: kind.observed,
            evidence,
            trace_ids: vec![trace_id],
            first_seen_ns: at_ns,
            last_seen_ns: at_ns,
            count: 1,
        });
        self.next_id += 1;
    }

    /// Takes back a hit of fewer rules on the same span: it is part of one that says more. What was counted stays.
    pub(super) fn take_back(&mut self, rules: &[Rule], kind: &Kind, trace_id: &[u8; 16]) {
        let is_it = |known: &&mut Finding| {
            known.rules == rules
                && known.child_module == kind.child_module
                && known.operation == kind.operation
                && known.trace_ids.contains(trace_id)
        };
        if let Some(known) = self.ring.iter_mut().rev().find(is_it) {
            known.count = known.count.saturating_sub(1);
            known.trace_ids.retain(|known| known != trace_id);
            self.changed = true;
        }
    }

    pub(super) fn publish(&mut self, traced: &mut Traced) {
        if std::mem::take(&mut self.changed) {
            let counts = self.counts.iter().map(|((rule, certainty, module), count)| FindingCount {
                rule: *rule,
                certainty: *certainty,
                module: Arc::clone(module),
                count: *count,
            });
            let mut counts: Vec<_> = counts.collect();
            counts.sort_unstable_by(|one, two| {
                (one.rule, one.certainty, &one.module).cmp(&(two.rule, two.certainty, &two.module))
            });
            let kept = self.ring.iter().filter(|finding| finding.count > 0).cloned();
            self.shown = (Arc::new(kept.collect()), Arc::new(counts));
        }
        (traced.findings, traced.finding_counts) = self.shown.clone();
    }

    pub(super) fn limit(&self) -> Limit {
        let (used, max) = (self.ring.len() as u64, self.max as u64);
        Limit { name: "leaks.findings_max", used, max, refused: self.gone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(operation: &str, trace: u8) -> Hit {
        let empty: Arc<str> = "".into();
        let kind = Kind {
            rules: vec![Rule::Edge],
            certainty: Certainty::Suspect,
            parent_module: Arc::clone(&empty),
            child_module: "rag_hub".into(),
            operation: operation.into(),
            expected: "acme".into(),
            observed: "globex".into(),
        };
        Hit { kind, severity: Severity::High, evidence: Vec::new(), trace_id: [trace; 16], at_ns: trace.into() }
    }

    #[test]
    fn hits_of_one_kind_are_one_finding_and_the_oldest_leave_first() {
        let mut findings = Findings::new(2);
        for (operation, trace) in
            [("a", 1), ("a", 2), ("b", 3), ("a", 4), ("a", 4), ("a", 5), ("c", 6), ("b", 7), ("a", 8)]
        {
            findings.note(hit(operation, trace));
        }
        let mut traced = Traced::default();
        findings.publish(&mut traced);
        let told: Vec<_> = traced.findings.iter().map(|found| (&*found.operation, found.count, found.id)).collect();
        assert_eq!(told, [("c", 1, 3), ("a", 1, 4)]);
        assert_eq!(traced.finding_counts[0].count, 9);
        assert_eq!(findings.limit().refused, 2);
    }

    #[test]
    fn the_latest_three_traces_are_kept() {
        let mut findings = Findings::new(9);
        for trace in [1, 2, 3, 4, 4] {
            findings.note(hit("a", trace));
        }
        let mut traced = Traced::default();
        findings.publish(&mut traced);
        assert_eq!(traced.findings[0].trace_ids, [[4; 16], [3; 16], [2; 16]]);
        assert_eq!((traced.findings[0].first_seen_ns, traced.findings[0].last_seen_ns), (1, 4));
    }
}
