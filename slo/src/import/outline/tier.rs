//! Tiers as they are written: `{severity: page, long: 1h, short: 5m, consume: 2%}`.

use crate::document::{Fields, Yaml};
use crate::spec::{Severity, Tier, TimeSpan};

/// A tier to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TierText {
    /// How bad it is.
    pub(crate) severity: Severity,
    /// L.
    pub(crate) long: TimeSpan,
    /// S.
    pub(crate) short: Option<TimeSpan>,
    /// `consume` or `factor`, and its value.
    pub(crate) rate: (&'static str, Yaml),
    /// How long it must hold.
    pub(crate) hold: TimeSpan,
}

impl TierText {
    /// A tier of a preset whose factor is a decimal.
    pub(crate) fn of(tier: &Tier) -> Self {
        let Tier { severity, long, short, factor, hold, .. } = *tier;
        Self { severity, long, short, rate: ("factor", Yaml::plain(factor)), hold }
    }

    /// What is written.
    pub(crate) fn yaml(self) -> Yaml {
        let hold = (self.hold.seconds() > 0).then(|| Yaml::plain(self.hold));
        let fields = Fields::new()
            .with("severity", Yaml::text(self.severity.name()))
            .with("long", Yaml::plain(self.long))
            .with_some("short", self.short.map(Yaml::plain));
        fields.with(self.rate.0, self.rate.1).with_some("for", hold).into()
    }
}

/// A list of tiers.
pub(crate) fn tiers(tiers: impl IntoIterator<Item = TierText>) -> Yaml {
    Yaml::List(tiers.into_iter().map(TierText::yaml).collect())
}

/// `alerts` with a named set of tiers.
pub(crate) fn preset(name: &str) -> Fields {
    Fields::new().with("preset", Yaml::text(name))
}

/// How bad a severity of Prometheus alerts is: as of OpenSLO's conditions (`slo.md` 1.2).
pub(crate) fn severity(word: &str) -> Severity {
    match word.to_ascii_lowercase().as_str() {
        "page" | "critical" | "sev1" | "p1" => Severity::Page,
        _ => Severity::Ticket,
    }
}
