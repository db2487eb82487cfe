//! Why an SLO cannot be written as Prometheus rules, and what to do.

use std::fmt;

/// Why an SLO cannot be written as Prometheus rules (finding code 050).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inexpressible {
    /// It counts slices of time by this method, and a Prometheus has none that lie on a grid.
    Slices(&'static str),
    /// It is a sum over other SLOs.
    Composite,
    /// Its budget is one of a calendar, and the range of a selector always ends now.
    Calendar,
    /// Its events are those of another system: none are counted.
    Foreign,
    /// A threshold has more digits than are counted with.
    TooFine,
    /// Its overrides divide its instances into more than so many kinds.
    TooManyKinds(usize),
}

impl fmt::Display for Inexpressible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self {
            Self::Slices(method) => {
                return write!(f, "{method} cannot be written as Prometheus rules; Occurrences can");
            }
            Self::TooManyKinds(kinds_max) => {
                return write!(
                    f,
                    "its overrides combine to more than {kinds_max} kinds of instances; fewer of them, or plain names in \
                     place of patterns, can be written as Prometheus rules"
                );
            }
            Self::Composite => "a composite cannot be written as Prometheus rules; its components can",
            Self::Calendar => "a calendar window cannot be written as Prometheus rules; a rolling one can",
            Self::Foreign => {
                "its source is of another system, so that nothing is counted; `bailiwick.sli` gives it one"
            }
            Self::TooFine => "a threshold has more digits than are counted with; shorten the factor or the target",
        };
        f.write_str(why)
    }
}
