//! What the fold goes by: its settings, what is known of modules, and the tenants' sources. Fixed for a run,
//! but for taps, which may be appended (`Aggregator::order`).

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bailiwick_slo::conventions::MODULE_UNKNOWN;
use bailiwick_slo::taps::Taps;

use super::{Aggregator, Bench, ClaimSource, Desk, Settings};
use crate::aggregator::books::Ledger;
use crate::aggregator::carries::Carries;
use crate::aggregator::counts::intervals::Intervals;
use crate::aggregator::durations::Durations;
use crate::aggregator::findings::Findings;
use crate::aggregator::graph::Graph;
use crate::aggregator::names::Names;
use crate::aggregator::patterns::Patterns;
use crate::aggregator::streams::Streams;
use crate::aggregator::tenants::{Admission, Tenants};
use crate::aggregator::traces::index::{Index, Limits};
use crate::aggregator::traces::judge;
use crate::aggregator::traces::leaks::Allowed;
use crate::aggregator::traces::pool::{NameId, Pool};
use crate::aggregator::{LeakSettings, SeriesSettings};
use crate::observation::{Nested, Uncertain};
use crate::units::Period;

/// What is known of one module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownModule {
    /// Its name.
    pub name: String,
    /// It serves all tenants.
    pub shared: bool,
    /// Every request of it must have a tenant.
    pub tenant_required: bool,
    /// Other names that it is called by as a peer.
    pub peers: Vec<String>,
    /// Operations that always have series of their own.
    pub operations: Vec<String>,
}

/// All of it.
#[derive(Debug, Clone)]
pub struct Terms {
    /// `aggregator.`
    pub settings: Settings,
    /// The order in which tenant claims are asked (`tenancy.sources`).
    pub sources: Vec<ClaimSource>,
    /// `modules.declared`.
    pub modules: Vec<KnownModule>,
    /// `ingest.late_accept`: settled traces are kept as long.
    pub late_accept: Period,
    /// What SLOs read from metrics: the fold appends to it, and observers go by it (`Rules::taps`).
    pub taps: Arc<ArcSwap<Taps>>,
}

impl Default for Terms {
    fn default() -> Self {
        let sources = vec![
            ClaimSource::Auth,
            ClaimSource::Span,
            ClaimSource::Resource,
            ClaimSource::Header,
            ClaimSource::Inherited,
            ClaimSource::Baggage,
        ];
        Self {
            settings: Settings::default(),
            sources,
            modules: Vec::new(),
            late_accept: Period::seconds(600),
            taps: Arc::default(),
        }
    }
}

impl Terms {
    fn for_judges(&self, pool: &mut Pool) -> judge::Terms {
        let mut chosen = |is: fn(&KnownModule) -> bool| {
            let names = self.modules.iter().filter(|module| is(module)).map(|module| pool.take(&module.name));
            let mut names: Vec<NameId> = names.collect();
            names.sort_unstable();
            names
        };
        let requests = &self.settings.requests;
        judge::Terms {
            shared: chosen(|module| module.shared),
            tenant_required: chosen(|module| module.tenant_required),
            inherits: self.sources.contains(&ClaimSource::Inherited),
            counts_nested: requests.nested == Nested::All,
            counts_uncertain: requests.uncertain == Uncertain::Count,
            counts_receive: requests.receive,
        }
    }
}

/// What tenants may do with each other; tenants have no numbers yet.
fn allowed(leaks: &LeakSettings, pool: &mut Pool) -> Allowed {
    let edges = leaks.allow_edges.iter().map(|edge| (pool.take(&edge.from), pool.take(&edge.to)));
    let related =
        leaks.parent_of.iter().flat_map(|(above, below)| below.iter().map(move |below| (above.clone(), below.clone())));
    Allowed { edges: edges.collect(), related: Vec::new(), related_names: related.collect() }
}

/// Modules by all names that they are called by as peers.
fn peers(modules: &[KnownModule], pool: &mut Pool) -> BTreeMap<NameId, NameId> {
    let mut peers = BTreeMap::new();
    for module in modules {
        let name = pool.take(&module.name);
        peers.insert(name, name);
        peers.extend(module.peers.iter().map(|peer| (pool.take(peer), name)));
    }
    peers
}

/// Names of spans whose tenants are never compared.
fn uncompared(leaks: &LeakSettings, pool: &mut Pool) -> Vec<NameId> {
    let mut names: Vec<NameId> = leaks.ignore_span_names.iter().map(|name| pool.take(name)).collect();
    names.sort_unstable();
    names
}

fn streams(terms: &Terms) -> Streams {
    let mut streams = Streams::new(terms.settings.metrics.clone(), terms.late_accept.nanos());
    streams.set_taps(&terms.taps.load());
    streams
}

impl Aggregator {
    /// Empty books.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        // In a dry run each tenant needs a series, and those have the only maximum.
        let tenants = Tenants::new(tenants_max(&terms.settings.series));
        Self::with(terms, Pool::default(), tenants)
    }

    /// Empty books for tenants and names that have their numbers already.
    pub(super) fn with(terms: Terms, known: Pool, mut tenants: Tenants) -> Self {
        let settings = &terms.settings;
        let mut index = Index::new(Limits::new(&settings.coverage, terms.late_accept.nanos()));
        index.names = known;
        let pool = &mut index.names;
        let judges = terms.for_judges(pool);
        let unknown_module = pool.take(MODULE_UNKNOWN);
        let uncompared = uncompared(&settings.leaks, pool);
        let peers = peers(&terms.modules, pool);
        let mut allowed = allowed(&settings.leaks, pool);
        index.terms = judges;
        let names = names(&terms, &mut tenants);
        allowed.renumber(&mut tenants);
        let streams = streams(&terms);
        Self {
            names,
            ledger: Ledger::new(settings.series.tenants_max),
            durations: Durations::new(settings.histograms.bytes_max.bytes()),
            findings: Findings::new(settings.leaks.findings_max),
            patterns: Patterns::new(&settings.leaks.data_patterns),
            sources: terms.sources,
            uncompared,
            inventory: peers.keys().copied().collect(),
            peers,
            allowed,
            tenants,
            index,
            bench: Bench::default(),
            bookings: Vec::new(),
            overflow: Default::default(),
            carries: Carries::default(),
            classes: Default::default(),
            leaked: Default::default(),
            taps: terms.taps,
            controls: Vec::new(),
            intervals: Intervals::default(),
            messages: Default::default(),
            extra_weights: Default::default(),
            parts: Default::default(),
            streams,
            attribution: Default::default(),
            attributing: Default::default(),
            unknown_module,
            module_services: Default::default(),
            graph: Graph::default(),
            desk: Desk::default(),
            modules: Default::default(),
            totals: Default::default(),
            times: Default::default(),
            exemplars: Default::default(),
            anomalies: Default::default(),
            firsts: Default::default(),
            weights: Default::default(),
            settled: Default::default(),
            corrections: BTreeMap::new(),
            gap_counts: BTreeMap::new(),
            gap_traces: BTreeMap::new(),
            hops_checked: BTreeMap::new(),
            unverifiable: [0; 3],
            points_unused: BTreeMap::new(),
            retired_ns: 0,
            reversed_messages: 0,
            seq: 0,
            now_ns: 0,
            begun_ns: None,
            settings: terms.settings,
        }
    }
}

pub(super) fn tenants_max(series: &SeriesSettings) -> u32 {
    if series.dry_run { series.max } else { series.tenants_max }
}

/// The directory of series, with room for those who always have it.
fn names(terms: &Terms, tenants: &mut Tenants) -> Names {
    let series = &terms.settings.series;
    let mut names = Names::new(series.clone());
    for tenant in &series.reserved_tenants {
        if let Admission::Known(tenant) | Admission::New(tenant) = tenants.admit(tenant) {
            names.reserve(tenant);
        }
    }
    terms.modules.iter().for_each(|module| names.name(&module.name, &module.operations));
    names
}
