//! Tiers: how fast a budget may burn over two windows before somebody is told.

use super::TimeSpan;
use crate::exact::Fraction;
use crate::saved;

/// How bad it is. The order is that of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Look at it some day.
    Notice,
    /// Look at it this week.
    Ticket,
    /// Wake somebody up.
    Page,
}

saved!(enum Severity { 0 => Notice, 1 => Ticket, 2 => Page });

impl Severity {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Ticket => "ticket",
            Self::Page => "page",
        }
    }
}

/// How a burn is compared with its factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Over it.
    Gt,
    /// At it or over it.
    Gte,
}

saved!(enum Op { 0 => Gt, 1 => Gte });

impl Op {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gt => "gt",
            Self::Gte => "gte",
        }
    }
}

/// A tier: it fires if the burn of both windows is over the factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tier {
    /// How bad it is.
    pub severity: Severity,
    /// L.
    pub long: TimeSpan,
    /// S; `None`: the long window decides alone.
    pub short: Option<TimeSpan>,
    /// f.
    pub factor: Fraction,
    /// How.
    pub op: Op,
    /// How long it must hold before it fires.
    pub hold: TimeSpan,
}

saved!(struct Tier { severity, long, short, factor, op, hold });

/// A named set of tiers (`slo.md` 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Preset {
    /// The workbook's pairs, scaled to the period.
    #[default]
    Standard,
    /// Pyrra's: windows scale, factors stay.
    Pyrra,
    /// No tiers.
    None,
}

saved!(enum Preset { 0 => Standard, 1 => Pyrra, 2 => None });

impl Tier {
    /// Its name: `page/1h/5m`, or `page/1h` without a short window.
    #[must_use]
    pub fn name(&self) -> String {
        match self.short {
            Some(short) => format!("{}/{}/{short}", self.severity.name(), self.long),
            None => format!("{}/{}", self.severity.name(), self.long),
        }
    }
}
