//! An SLO as Prometheus rules that recompute its burn from `bailiwick_slo_events_total` alone, so that a Prometheus can
//! check the daemon (`slo.md` 5). Text comes out; nothing is read, asked or counted here.
//!
//! In reading order: why it may not go (`inexpressible`), text that no name can break out of (`quoted`), patterns of
//! names as matchers (`matcher`), which instances have which terms (`regions`), the PromQL of ratios and tiers
//! (`expression`), and the file (`file`).
//!
//! # What is exact
//!
//! A ratio is `increase / increase` over one window and the same scrapes. Where scrapes, evaluations and ticks fall
//! together nothing is extrapolated, both increases are whole numbers, and their quotient is the float that is nearest
//! to the ratio. A threshold is written as a decimal or as one division of whole numbers, which is the nearest float
//! too: a ratio at the threshold equals it. With `rate` it would not, since both sides are divided by the window first
//! and rounded; nor with a factor times a budget, where three numbers are rounded.
//!
//! # What is not there
//!
//! Low-traffic gates, `activate`, `noData`, corrections, hold-down and policies. While a short window has no events the
//! daemon freezes a tier, and these rules end it.

mod inexpressible;
mod quoted;
mod matcher;
mod regions;
mod expression;
mod file;

#[cfg(test)]
mod tests;

pub use file::of;
pub use inexpressible::Inexpressible;

/// The rules of one SLO: one YAML document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFile {
    /// The name of its file: the SLO's id, of which all but `0-9 a-z A-Z - _ .` is written as `%3A`, and `.rules.yaml`.
    pub name: String,
    /// What belongs into it: YAML in ASCII.
    pub text: String,
}
