//! Buffers and patterns that outlive a request.

use super::glob::Glob;
use super::settings::Rules;

/// Buffers that outlive a request.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) text: Vec<u8>,
    pub(super) ignore: Vec<Glob>,
    pub(super) exclude: Vec<Glob>,
    /// Per string of the batch: whether it is an excluded operation; `None`: not asked yet.
    pub(super) excluded: Vec<Option<bool>>,
}

impl Scratch {
    pub(super) fn new(rules: &Rules) -> Self {
        let globs = |patterns: &[String]| patterns.iter().map(|pattern| Glob::new(pattern)).collect();
        Self {
            text: Vec::new(),
            ignore: globs(&rules.requests.ignore_span_names),
            exclude: globs(&rules.requests.exclude),
            excluded: Vec::new(),
        }
    }
}
