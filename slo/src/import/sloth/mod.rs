//! Sloth. An SLO's id there is `service-name`; so is its name here. Its period is not in its document: it is that of
//! the windows in use, and without any 30 d, as in sloth.
//!
//! A tier of sloth is `errorBudgetPercent / 100 x sloPeriod / longWindow` times the budget, in both windows
//! (`getBurnRateFactor` in its `internal/alert/window.go`): our `consume`. Its own windows of 30 d and 28 d are the
//! rows of our standard preset (`slo.md` 2.4).

mod read;
mod words;
mod windows;
mod specs;

pub(super) use read::read;
