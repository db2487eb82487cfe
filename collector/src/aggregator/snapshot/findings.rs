//! What snapshots say about tenants that met where they should not (`sli.md` 3).

use std::sync::Arc;

use bailiwick_slo::saved;
use bailiwick_slo::saved::{Saved, load_known};
use bailiwick_slo::wire::{Read, Reader, Writer};

/// A leak rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Rule {
    /// L1: child and parent have different explicit tenants.
    Edge = 1,
    /// L2: several explicit tenants in a trace, no L1.
    Trace = 2,
    /// L3: claims of one span differ.
    Conflict = 3,
    /// L4: the touched data belong to another tenant.
    Data = 4,
    /// L5: an entry without tenant where one is required.
    Missing = 5,
    /// L6: A, B, A down one chain of ancestors.
    Flip = 6,
    /// L7: one identity under two credentials.
    Identity = 7,
    /// L8: tenant baggage to a peer outside the inventory.
    Egress = 8,
}
saved!(enum Rule { 1 => Edge, 2 => Trace, 3 => Conflict, 4 => Data, 5 => Missing, 6 => Flip, 7 => Identity, 8 => Egress });

impl Rule {
    /// The published name, the value of the label `rule`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge => "L1",
            Self::Trace => "L2",
            Self::Conflict => "L3",
            Self::Data => "L4",
            Self::Missing => "L5",
            Self::Flip => "L6",
            Self::Identity => "L7",
            Self::Egress => "L8",
        }
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Certainty {
    /// One rule speaks for it.
    Suspect,
    /// Two rules do, one of them by a verified token or by the data touched.
    Confirmed,
}
saved!(enum Certainty { 0 => Suspect, 1 => Confirmed });

impl Certainty {
    /// The published name, the value of the label `verdict`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suspect => "suspect",
            Self::Confirmed => "confirmed",
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look.
    Low,
    /// Worth repairing.
    Medium,
    /// Worth waking somebody.
    High,
}
saved!(enum Severity { 0 => Low, 1 => Medium, 2 => High });

impl Severity {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// One thing found, with how often it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable while it is kept: a number from 1.
    pub id: u64,
    /// Rules that fired on the span, in order.
    pub rules: Vec<Rule>,
    /// How sure it is.
    pub certainty: Certainty,
    /// The worst of its rules.
    pub severity: Severity,
    /// Module of the span's parent; empty: none or not known.
    pub parent_module: Arc<str>,
    /// Module of the span.
    pub child_module: Arc<str>,
    /// Operation of the span.
    pub operation: Arc<str>,
    /// The tenant that should have been there; empty: none.
    pub expected: Arc<str>,
    /// The tenant that was there; empty: none.
    pub observed: Arc<str>,
    /// What it was seen by: field (`span`, `resource`, `token`, `data`, `parent`, ...) and the tenant that it says.
    pub evidence: Vec<(&'static str, Arc<str>)>,
    /// The latest traces, at most three.
    pub trace_ids: Vec<[u8; 16]>,
    /// Nanoseconds since the Unix epoch.
    pub first_seen_ns: u64,
    /// Nanoseconds since the Unix epoch.
    pub last_seen_ns: u64,
    /// How often.
    pub count: u64,
}

/// What evidence is called.
const EVIDENCE: [&str; 8] = ["token", "auth", "span", "resource", "header", "baggage", "data", "parent"];

impl Saved for Finding {
    fn save(&self, to: &mut Writer) {
        self.id.save(to);
        self.rules.save(to);
        self.certainty.save(to);
        self.severity.save(to);
        [&self.parent_module, &self.child_module, &self.operation, &self.expected, &self.observed]
            .into_iter()
            .for_each(|text| text.save(to));
        to.list(&self.evidence, |to, (name, text)| {
            to.text(name);
            text.save(to);
        });
        self.trace_ids.save(to);
        [self.first_seen_ns, self.last_seen_ns, self.count].save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let (id, rules, certainty, severity) = Saved::load(from)?;
        let [parent_module, child_module, operation, expected, observed] = Saved::load(from)?;
        let evidence = from.list(|from| Ok((load_known(&EVIDENCE, from)?, Saved::load(from)?)))?;
        let trace_ids = Saved::load(from)?;
        let [first_seen_ns, last_seen_ns, count] = Saved::load(from)?;
        Ok(Self {
            id,
            rules,
            certainty,
            severity,
            parent_module,
            child_module,
            operation,
            expected,
            observed,
            evidence,
            trace_ids,
            first_seen_ns,
            last_seen_ns,
            count,
        })
    }
}

/// What a pattern of data came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternFigures {
    /// As it was written.
    pub pattern: Arc<str>,
    /// Spans that it read a tenant from.
    pub seen: u64,
    /// Those of another tenant than the span's.
    pub fired: u64,
    /// It only looks.
    pub dry_run: bool,
    /// It fired on more than 1 % of 1 000 spans or more, and is taken for wrong.
    pub disabled: bool,
}
saved!(struct PatternFigures { pattern, seen, fired, dry_run, disabled });

/// How many findings there were since the daemon began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingCount {
    /// Rule.
    pub rule: Rule,
    /// How sure.
    pub certainty: Certainty,
    /// Module of the span.
    pub module: Arc<str>,
    /// How many spans.
    pub count: u64,
}
saved!(struct FindingCount { rule, certainty, module, count });
