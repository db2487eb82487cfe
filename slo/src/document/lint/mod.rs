//! What only shows on compiled SLOs: tiers against budgets, overrides against each other, SLOs against SLOs.

mod overrides;
mod tiers;
mod series;
mod composites;

use super::Context;
use super::compile::Compiled;
use super::finding::Findings;
use super::read::Set;

/// Judges all SLOs that were compiled together.
pub(super) fn judge(compiled: &[Compiled], set: &Set<'_>, context: &Context<'_>, out: &mut Findings) {
    for one in compiled {
        tiers::judge(one, out);
        overrides::judge(one, context, out);
        series::judge(one, context, out);
    }
    series::judge_thresholds(compiled, out);
    composites::judge(compiled, set, out);
}
