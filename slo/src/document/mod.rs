//! SLO documents: text in, compiled SLOs and findings out. No files, no clock, no logging.
//!
//! The way of a text: a spanned tree (`tree`), objects with version, kind and name, what each object says (`read`),
//! compiled SLOs (`compile`), and what only shows on the compiled whole (`lint`); [`write()`] goes back to text. A
//! fault never hides what stands beside it: each object gives what can be read of it, and everything that is wrong is
//! told at once.
//!
//! ```
//! use bailiwick_slo::document::{Context, load};
//! let text = "
//! apiVersion: bailiwick/v1
//! kind: SLO
//! metadata: {name: rag-availability}
//! spec:
//!   service: rag_hub
//!   budgetingMethod: Occurrences
//!   timeWindow: [{duration: 28d, isRolling: true}]
//!   objectives: [{targetPercent: 99.9}]
//!   bailiwick: {sli: {kind: availability}}
//! ";
//! let loaded = load(&[("rag.yaml", text)], &Context::default());
//! assert!(loaded.is_valid());
//! assert_eq!(loaded.slos[0].id, "rag-availability");
//! ```

mod finding;
mod tree;
mod read;
mod compile;
mod revision;
mod lint;
mod load;
mod write;

pub(crate) use finding::Findings;
pub use finding::{Code, Finding, Fix, Severity};
pub use load::{FILE_BYTES_MAX, OBJECTS_MAX, load};
pub(crate) use load::{check_objects, load_tree, place, read_roots, read_tree, trees};
pub(crate) use read::{ANNOTATION, Kind, Object, Set, Version, check_ours, indicator_keys, read_ours, unknown};
pub(crate) use read::{decimal, flag, list, mapping, nearest, required, shortened, text, whole, wrong};
pub(crate) use read::{read_objects, target_of_percent, target_of_ratio};
pub(crate) use tree::{Node, Spot, Value};
pub use write::{Document, write};
pub(crate) use write::{Fields, Yaml};

use std::collections::BTreeMap;

use crate::exact::Decimal;
use crate::spec::{self, TimeSpan};

/// What is known beside the texts. What is not known is not judged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// References to what was not given (other objects, receivers) are no findings: 008 and 041 are not told.
    pub ignores_references: bool,
    /// The names of all receivers.
    pub receivers: Option<&'a [&'a str]>,
    /// The tenant under which the documents are kept: they see that tenant only.
    pub owner: Option<&'a str>,
    /// Tenants and modules that were seen.
    pub instances: Option<&'a [(&'a str, &'a str)]>,
    /// By SLO id: what its quietest instance counted in all over its period.
    pub traffic: Option<&'a BTreeMap<String, u64>>,
    /// By metric: the upper bounds of its buckets, ascending.
    pub bounds: Option<&'a BTreeMap<String, Vec<Decimal>>>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The SLOs, in the order of the texts; where there are error findings, those that could be compiled.
    pub slos: Vec<spec::Slo>,
    /// Adjustments of budgets, to be kept as corrections.
    pub adjustments: Vec<Adjustment>,
    /// What is wrong, by file and position.
    pub findings: Vec<Finding>,
}

impl Loaded {
    /// Whether no finding is an error.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Error)
    }
}

/// A `BudgetAdjustment` as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Its name.
    pub name: String,
    /// Whose budget.
    pub service: String,
    /// Of which indicator; `None`: of all.
    pub indicator: Option<String>,
    /// When it begins, as it is written.
    pub starts_at: String,
    /// When it ends, as it is written.
    pub ends_at: Option<String>,
    /// How long it lasts, where no end is written.
    pub lasts: Option<TimeSpan>,
}
