//! What only shows on compiled SLOs: tiers against budgets, overrides against each other, SLOs against SLOs.

mod overrides;
mod tiers;
mod series;
mod composites;
mod whole;

pub(super) use whole::judge;
