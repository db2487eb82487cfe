//! Buffers and patterns that outlive a request.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bailiwick_slo::taps::Taps;

use super::glob::Glob;
use super::memo::Memo;
use super::owner::Owner;
use super::settings::Rules;
use super::slots;

/// Buffers that outlive a request.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) text: Vec<u8>,
    /// The name of what a span touches.
    pub(super) name: Vec<u8>,
    ignore: Vec<Glob>,
    ignored: Memo,
    pub(super) exclude: Vec<Glob>,
    /// `modules.scopes` in order, with the modules that they come to.
    pub(super) scopes: Vec<(Glob, String)>,
    /// `modules.span_prefixes` likewise.
    pub(super) prefixes: Vec<(String, String)>,
    /// `coverage.boundaries`: modules and their operations.
    pub(super) boundaries: Vec<(String, Glob)>,
    /// `leaks.data_patterns` in order, with the slots that each reads.
    pub(super) owners: Vec<((u8, u8), Owner)>,
    /// Per string of the batch: whether it is an excluded operation; `None`: not asked yet.
    pub(super) excluded: Vec<Option<bool>>,
    /// Per string of the batch: whether it was found to be a tenant id.
    pub(super) tenants: Vec<bool>,
    /// Strings: the tenants of the `bailiwick.tenant.set` that was read last.
    pub(super) tenant_set: Vec<u32>,
    /// Where the taps of the moment stand.
    taps_in_force: Arc<ArcSwap<Taps>>,
    /// Those that this request goes by.
    pub(super) taps: Arc<Taps>,
}

impl Scratch {
    pub(super) fn new(rules: &Rules) -> Self {
        let modules = &rules.modules;
        let meant = |module: &String| modules.aliases.get(module).unwrap_or(module).clone();
        let globs = |patterns: &[String]| patterns.iter().map(|pattern| Glob::new(pattern)).collect();
        Self {
            text: Vec::new(),
            name: Vec::new(),
            ignore: globs(&rules.requests.ignore_span_names),
            scopes: modules.scopes.iter().map(|of| (Glob::new(&of.scope), meant(&of.module))).collect(),
            prefixes: modules.span_prefixes.iter().map(|of| (of.prefix.clone(), meant(&of.module))).collect(),
            boundaries: rules.boundaries.iter().map(|at| (at.module.clone(), Glob::new(&at.operation))).collect(),
            exclude: globs(&rules.requests.exclude),
            owners: rules
                .data_patterns
                .iter()
                .map(|data| (slots::of_data(data.attribute), Owner::new(&data.pattern)))
                .collect(),
            excluded: Vec::new(),
            ignored: Memo::default(),
            tenants: Vec::new(),
            tenant_set: Vec::new(),
            taps_in_force: Arc::clone(&rules.taps),
            taps: rules.taps.load_full(),
        }
    }

    /// Forgets what was said of the strings of a batch, and takes the taps of now.
    pub(super) fn begin(&mut self) {
        self.excluded.clear();
        self.tenants.clear();
        // They change when definitions are read again: all other requests share no counter with other workers.
        let now = self.taps_in_force.load();
        if !Arc::ptr_eq(&self.taps, &now) {
            self.taps = Arc::clone(&now);
        }
    }

    /// The module that settings give to spans of this name (`sli.md` 1.2 b).
    pub(super) fn module_by_prefix(&self, name: &[u8]) -> Option<&str> {
        let fit = self.prefixes.iter().find(|(prefix, _)| name.starts_with(prefix.as_bytes()));
        fit.map(|(_, module)| &**module)
    }

    /// The module that settings give to spans of this scope (`sli.md` 1.2 b).
    pub(super) fn module_by_scope(&self, name: &[u8]) -> Option<&str> {
        self.scopes.iter().find(|(scope, _)| scope.fits(name)).map(|(_, module)| &**module)
    }

    /// Whether spans of this name are never requests (rule E0).
    #[inline]
    pub(super) fn is_ignored(&mut self, name: &[u8]) -> bool {
        let Self { ignore, ignored, .. } = self;
        ignored.answer(name, |name| ignore.iter().any(|pattern| pattern.fits(name)))
    }
}
