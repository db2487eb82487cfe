//! All judges over all SLOs.

use super::{composites, overrides, series, tiers};
use crate::document::Context;
use crate::document::compile::Compiled;
use crate::document::finding::Findings;
use crate::document::read::Set;

/// Judges all SLOs that were compiled together.
pub(in crate::document) fn judge(compiled: &[Compiled], set: &Set<'_>, context: &Context<'_>, out: &mut Findings) {
    for one in compiled {
        tiers::judge(one, out);
        overrides::judge(one, context, out);
        series::judge(one, context, out);
    }
    series::judge_thresholds(compiled, out);
    composites::judge(compiled, set, out);
}
