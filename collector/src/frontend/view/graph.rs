//! Who calls whom, by tenant.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bailiwick_slo::time::Window;
use hdrhistogram::Histogram;
use serde::Serialize;
use utoipa::ToSchema;

use super::list::Named;
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{EdgeKind, EdgeName, EdgeWindow};
use crate::frontend::format;

/// The calls of a tenant over the window.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct GraphItem {
    /// Tenant.
    #[schema(example = "acme")]
    pub(crate) tenant: String,
    /// Modules and peers that calls begin or end at, by name.
    pub(crate) nodes: Vec<NodeItem>,
    /// Calls, by their ends.
    pub(crate) edges: Vec<CallItem>,
}

/// An end of calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct NodeItem {
    /// Module, or peer.
    #[schema(example = "rag_hub")]
    pub(crate) name: String,
    /// `module`, or `peer`: it shows no spans of its own.
    #[schema(example = "module")]
    pub(crate) r#type: &'static str,
}

/// Calls between two ends.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct CallItem {
    /// The module that calls.
    #[schema(example = "chat_orchestrator")]
    pub(crate) from: String,
    /// The module or peer that is called.
    #[schema(example = "rag_hub")]
    pub(crate) to: String,
    /// `module`, `messaging_system`, `database`, `virtual_node` (a peer that shows no spans).
    #[schema(example = "module")]
    pub(crate) kind: &'static str,
    /// Calls over the window, adjusted for sampling.
    #[schema(example = 1_204)]
    pub(crate) requests: u64,
    /// Those that failed, as the called side says, else the calling one.
    #[schema(example = 3)]
    pub(crate) failures: u64,
    /// Nineteen of twenty took no longer, milliseconds: of the called side, else of the calling one.
    #[schema(example = 180.223)]
    pub(crate) p95_ms: Option<f64>,
    /// Nineteen of twenty messages waited no longer, milliseconds.
    #[schema(example = 12.095)]
    pub(crate) queue_delay_ms: Option<f64>,
    /// Calls to an inventoried peer that shows nothing of them.
    #[schema(example = 0)]
    pub(crate) unmatched: u64,
}

impl Named for GraphItem {
    fn names(&self) -> [&str; 4] {
        [&self.tenant, "", "", ""]
    }
}

/// The graph of each tenant that counted calls between ends that are asked for.
pub(crate) fn graphs(snapshot: &Snapshot, window: Window, is_asked_for: impl Fn(&EdgeName) -> bool) -> Vec<GraphItem> {
    let names: Vec<&EdgeName> = snapshot.edges().collect();
    let modules: HashSet<(&str, &str)> = snapshot.modules().map(|known| (&*known.tenant, &*known.module)).collect();
    let mut tenants: BTreeMap<Arc<str>, Vec<(&EdgeName, EdgeWindow)>> = BTreeMap::new();
    for edge in snapshot.edge_window(window, is_asked_for) {
        let name: &EdgeName = names[edge.edge as usize];
        tenants.entry(Arc::clone(&name.tenant)).or_default().push((name, edge));
    }
    let is_module = |tenant: &str, name: &str| modules.contains(&(tenant, name));
    tenants.into_iter().map(|(tenant, edges)| graph(&tenant, edges, |name| is_module(&tenant, name))).collect()
}

fn graph(tenant: &str, mut edges: Vec<(&EdgeName, EdgeWindow)>, is_module: impl Fn(&str) -> bool) -> GraphItem {
    edges.sort_by(|(one, _), (other, _)| {
        (&one.from, &one.to, one.kind as u8).cmp(&(&other.from, &other.to, other.kind as u8))
    });
    let mut nodes: BTreeMap<&str, &'static str> = BTreeMap::new();
    for (name, _) in &edges {
        // A consumer of messages is known by what else it does: the kind of its edge is that of a queue's.
        let is_seen = name.kind == EdgeKind::Module || is_module(&name.to);
        nodes.entry(&name.to).or_insert(if is_seen { "module" } else { "peer" });
    }
    nodes.extend(edges.iter().map(|(name, _)| (&*name.from, "module")));
    GraphItem {
        tenant: tenant.to_owned(),
        nodes: nodes.into_iter().map(|(name, r#type)| NodeItem { name: name.to_owned(), r#type }).collect(),
        edges: edges.iter().map(|(name, edge)| call(name, edge)).collect(),
    }
}

fn call(name: &EdgeName, edge: &EdgeWindow) -> CallItem {
    let p95 = |durations: &Histogram<u64>| {
        (!durations.is_empty()).then(|| format::milliseconds(durations.value_at_quantile(0.95)))
    };
    CallItem {
        from: name.from.to_string(),
        to: name.to.to_string(),
        kind: match name.kind {
            EdgeKind::Module => "module",
            other => other.name(),
        },
        requests: edge.counts.requests,
        failures: edge.counts.failures,
        p95_ms: p95(&edge.durations),
        queue_delay_ms: p95(&edge.queue_delays),
        unmatched: edge.counts.unmatched,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregator::snapshot::EdgeCounts;

    fn durations(micros: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("bounds of sli.md 4.1");
        micros.iter().for_each(|value| histogram.record(*value).expect("inside the bounds"));
        histogram
    }

    #[test]
    fn who_calls_is_a_module_and_who_only_answers_without_spans_a_peer() {
        let name =
            |from: &str, to: &str, kind| EdgeName { tenant: "acme".into(), from: from.into(), to: to.into(), kind };
        let names = [
            name("chat", "rag", EdgeKind::Module),
            name("rag", "postgres", EdgeKind::Database),
            name("api", "chat", EdgeKind::Peer),
            name("chat", "index", EdgeKind::Messaging),
            name("chat", "queue", EdgeKind::Messaging),
        ];
        let edge = |edge| EdgeWindow {
            edge,
            counts: EdgeCounts { requests: 20, failures: 1, unmatched: 2 },
            durations: durations(&[1_000; 20]),
            queue_delays: durations(&[]),
        };
        let graph =
            graph("acme", names.iter().zip(0..).map(|(name, id)| (name, edge(id))).collect(), |name| name == "index");
        let nodes: Vec<_> = graph.nodes.iter().map(|node| (&*node.name, node.r#type)).collect();
        assert_eq!(
            nodes,
            [
                ("api", "module"),
                ("chat", "module"),
                ("index", "module"),
                ("postgres", "peer"),
                ("queue", "peer"),
                ("rag", "module")
            ]
        );
        let kinds: Vec<_> = graph.edges.iter().map(|edge| (&*edge.from, edge.kind)).collect();
        assert_eq!(
            kinds,
            [
                ("api", "virtual_node"),
                ("chat", "messaging_system"),
                ("chat", "messaging_system"),
                ("chat", "module"),
                ("rag", "database")
            ]
        );
        // sli.md 4.1: 1000 us lie in [1000, 1003].
        assert_eq!((graph.edges[0].p95_ms, graph.edges[0].queue_delay_ms), (Some(1.003), None));
        assert_eq!((graph.edges[0].requests, graph.edges[0].failures, graph.edges[0].unmatched), (20, 1, 2));
    }
}
