//! Where chains of spans break: gaps by kind, with traces that show them and the calls that nothing answered.

use std::sync::Arc;

use bailiwick_slo::time::Window;
use serde::Serialize;
use utoipa::ToSchema;

use super::reading::Covered;
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{Gap, GapTraces};
use crate::frontend::format;

/// Traces of a gap that are told, and callers.
const TOLD_MAX: usize = 3;

/// A kind of gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct GapItem {
    /// parent_missing_local, parent_missing_remote, parent_missing_unknown, server_missing, client_root,
    /// client_without_local_entry, peer_silent.
    #[schema(example = "peer_silent")]
    pub(crate) kind: &'static str,
    /// How often, over the window.
    #[schema(example = 2)]
    pub(crate) count: u64,
    /// The latest traces that show it, at most three.
    #[schema(example = json!(["4bf92f3577b34da6a3ce929d0e0e4736"]))]
    pub(crate) trace_ids: Vec<String>,
    /// The other end of the edges that break, for peer_silent: who called and was answered by no span of this module,
    /// at most three, who called most first. Nobody knows it of the other kinds.
    pub(crate) callers: Vec<CallerItem>,
}

/// A module whose calls nothing answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CallerItem {
    /// The calling module.
    #[schema(example = "gateway")]
    pub(crate) module: String,
    /// Its calls over the window that nothing answered, adjusted for sampling.
    #[schema(example = 2)]
    pub(crate) unmatched: u64,
}

/// Calls of one module to another that nothing answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    tenant: Arc<str>,
    from: Arc<str>,
    to: Arc<str>,
    unmatched: u64,
}

impl Caller {
    /// All of them over a window.
    pub(crate) fn unanswered(snapshot: &Snapshot, window: Window) -> Vec<Self> {
        let unanswered = snapshot.edge_counts(window).filter(|(_, counts)| counts.unmatched > 0);
        let callers = unanswered.map(|(name, counts)| Self {
            tenant: Arc::clone(&name.tenant),
            from: Arc::clone(&name.from),
            to: Arc::clone(&name.to),
            unmatched: counts.unmatched,
        });
        callers.collect()
    }

    fn called(&self, covered: &Covered) -> bool {
        self.to == covered.module && (covered.tenant.is_empty() || self.tenant == covered.tenant)
    }
}

/// What breaks coverage, of all modules.
#[derive(Debug)]
pub(crate) struct Breaks<'a> {
    pub(crate) traces: &'a [GapTraces],
    pub(crate) callers: Vec<Caller>,
}

impl Breaks<'_> {
    /// The gaps of one module, the kinds that occurred.
    pub(crate) fn gaps(&self, covered: &Covered) -> Vec<GapItem> {
        let counted = Gap::ALL.into_iter().zip(covered.gaps).filter(|(_, count)| *count > 0);
        let told = counted.map(|(gap, count)| {
            let shown = self.traces.iter().filter(|shown| shown.gap == gap && covered.modules.contains(&shown.module));
            let ids = shown.flat_map(|shown| &shown.trace_ids).take(TOLD_MAX);
            GapItem {
                kind: gap.name(),
                count,
                trace_ids: ids.map(|id| format::hex(id)).collect(),
                callers: if gap == Gap::PeerSilent { self.callers_of(covered) } else { Vec::new() },
            }
        });
        told.collect()
    }

    fn callers_of(&self, covered: &Covered) -> Vec<CallerItem> {
        let mut items: Vec<CallerItem> = Vec::new();
        for caller in self.callers.iter().filter(|caller| caller.called(covered)) {
            match items.iter_mut().find(|item| *item.module == *caller.from) {
                Some(item) => item.unmatched += caller.unmatched,
                None => items.push(CallerItem { module: caller.from.to_string(), unmatched: caller.unmatched }),
            }
        }
        items.sort_by(|one, other| other.unmatched.cmp(&one.unmatched).then_with(|| one.module.cmp(&other.module)));
        items.truncate(TOLD_MAX);
        items
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_slo::coverage::Counts;
    use bailiwick_slo::time::Slot;

    use super::*;
    use crate::frontend::view::coverage::reading::Losses;

    fn covered(tenant: &str) -> Covered {
        let mut gaps = [0; Gap::ALL.len()];
        (gaps[Gap::ParentMissingRemote as usize], gaps[Gap::PeerSilent as usize]) = (2, 1);
        Covered {
            tenant: tenant.into(),
            module: "rag".into(),
            modules: vec![3],
            overflow: false,
            counts: Counts::default(),
            gaps,
            losses: Losses::default(),
            span: (Slot(169_999_640), Slot(170_000_000)),
        }
    }

    #[test]
    fn gaps_show_traces_of_their_own_module_only() {
        let traces = [
            GapTraces { module: 3, gap: Gap::ParentMissingRemote, trace_ids: vec![[0xab; 16]] },
            GapTraces { module: 4, gap: Gap::ParentMissingRemote, trace_ids: vec![[1; 16]] },
        ];
        let gaps = Breaks { traces: &traces, callers: Vec::new() }.gaps(&covered("acme"));
        let kinds: Vec<_> = gaps.iter().map(|gap| (gap.kind, gap.count)).collect();
        assert_eq!(kinds, [("parent_missing_remote", 2), ("peer_silent", 1)]);
        assert_eq!(gaps[0].trace_ids, ["ab".repeat(16)]);
        assert!(gaps[1].trace_ids.is_empty());
    }

    #[test]
    fn a_silent_peer_is_told_with_who_called_it() {
        let caller = |tenant: &str, from: &str, to: &str, unmatched| Caller {
            tenant: tenant.into(),
            from: from.into(),
            to: to.into(),
            unmatched,
        };
        let callers = vec![
            caller("acme", "chat", "rag", 2),
            caller("acme", "gateway", "rag", 5),
            caller("globex", "chat", "rag", 4),
            caller("acme", "chat", "trend", 9),
        ];
        let breaks = Breaks { traces: &[], callers };
        let told = |tenant: &str| {
            let gaps = breaks.gaps(&covered(tenant));
            assert!(gaps[0].callers.is_empty(), "nobody knows who called");
            gaps[1].callers.iter().map(|item| (item.module.clone(), item.unmatched)).collect::<Vec<_>>()
        };
        assert_eq!(told("acme"), [("gateway".into(), 5), ("chat".into(), 2)]);
        assert_eq!(told(""), [("chat".into(), 6), ("gateway".into(), 5)], "all tenants together");
    }
}
