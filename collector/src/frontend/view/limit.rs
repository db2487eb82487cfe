//! Bounds of the daemon: "is anything full?" in one list.

use serde::Serialize;
use utoipa::ToSchema;

use super::list::Named;
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::Limit;

/// A bounded queue, table, cache or body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct LimitItem {
    /// Its configuration key without the section.
    #[schema(example = "series.max")]
    pub(crate) limit: &'static str,
    /// In use now; by the fullest tenant or module where each has this bound.
    #[schema(example = 412)]
    pub(crate) used: u64,
    /// The most that may be.
    #[schema(example = 20_000)]
    pub(crate) max: u64,
    /// What the bound refused or sent to overflow since the daemon began.
    #[schema(example = 0)]
    pub(crate) refused: u64,
    /// What would be used without any bound, by the tenant who wants most where each has this bound: an estimate over the
    /// last 15 to 30 minutes. Null where nothing estimates it.
    #[schema(example = 430)]
    pub(crate) demand: Option<u64>,
}

impl LimitItem {
    /// A bound, with what a snapshot says is wanted of it.
    pub(crate) fn of(limit: Limit, snapshot: &Snapshot) -> Self {
        let wanted = snapshot.demand().iter().map(|(_, names)| *names);
        let demand = match limit.name {
            "series.max" => Some(wanted.sum()),
            "series.per_tenant_max" => wanted.max(),
            _ => None,
        };
        Self { limit: limit.name, used: limit.used, max: limit.max, refused: limit.refused, demand }
    }
}

impl Named for LimitItem {
    fn names(&self) -> [&str; 4] {
        [self.limit, "", "", ""]
    }
}
