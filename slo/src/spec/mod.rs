//! A compiled SLO: what a document means after it was read, its references resolved and its presets worked out. Plain
//! values, exact; nothing here reads text or counts anything.
//!
//! ([`crate::document`] makes these from text; [`crate::engine`] runs them.)

use crate::saved;

mod target;
mod period;
mod tier;
mod glob;
mod sli;
mod terms;
mod presets;
mod draft;

pub use draft::{Draft, Patch, Rate, TierDraft, TierSource};
pub use glob::{Glob, Globs};
pub use period::{Calendar, CalendarUnit, Period, TimeSpan};
pub use presets::tiers as preset_tiers;
pub use sli::{Amount, Compared, Component, GroupBy, Method, Selector, Sli, WhenUnmeasured};
pub use target::{BETA_SCALE, Target};
pub use terms::{Alerts, EmptySlice, Expect, Forecast, LowTraffic, NoData, PolicyStep, Terms, Weighting, When};
pub use tier::{Op, Preset, Severity, Tier};

use std::collections::BTreeMap;

/// An SLO, for all the tenants and modules that it matches.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// Its id: the document's name, or `name:objective` where the document has several objectives.
    pub id: String,
    /// What people call it; empty: nothing else than its id.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// The service of the document.
    pub service: String,
    /// Labels of the document.
    pub labels: BTreeMap<String, String>,
    /// Whose requests it speaks of.
    pub selector: Selector,
    /// What is good of what.
    pub sli: Sli,
    /// How good and bad are added up.
    pub method: Method,
    /// What holds where no override matches.
    pub draft: Draft,
    /// Overrides, in the order of the document.
    pub overrides: Vec<Override>,
    /// Instances that it may have.
    pub instances_max: u32,
    /// A document of a tenant sees that tenant only.
    pub owner: Option<String>,
    /// The first 8 hex digits of the SHA-256 of what it was compiled from: another text is another revision.
    pub revision: String,
}

saved!(struct Slo {
    id, display_name, description, service, labels, selector, sli, method, draft, overrides, instances_max, owner,
    revision,
});

/// Other terms for some tenants and modules.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// Its tenants.
    pub tenant: Globs,
    /// Its modules.
    pub module: Globs,
    /// Keys that it sets, as it writes them (`targetPercent`, `alerts.receivers`), each with the line of its value.
    pub sets: Vec<(String, u32)>,
    /// What it sets.
    pub patch: Patch,
}

saved!(struct Override { tenant, module, sets, patch });

impl Slo {
    /// The terms of one instance: later overrides win key by key.
    #[must_use]
    pub fn terms_of(&self, tenant: &str, module: &str) -> Terms {
        self.draft.terms(self.overrides_of(tenant, module).map(|rule| &rule.patch))
    }

    /// The overrides that match an instance.
    pub fn overrides_of(&self, tenant: &str, module: &str) -> impl Iterator<Item = &Override> {
        self.overrides.iter().filter(move |rule| rule.tenant.matches(tenant) && rule.module.matches(module))
    }
}
