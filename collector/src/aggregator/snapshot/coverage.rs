//! What snapshots say about coverage (`sli.md` 2): the counts that figures are made of, and the figures.

use super::ModuleId;
use bailiwick_slo::saved;

/// Counts of one tenant x module that coverage is made of. All are additive; of weighted spans the whole requests that
/// were drawn for their entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum Part {
    /// Entries, excluded ones among them, adjusted for sampling (`sum w(E)`).
    Entries = 0,
    /// Entry spans, not adjusted.
    EntrySpans = 1,
    /// What weights of entries are above 1, in units of 2^-16.
    ExtraWeight = 2,
    /// What their squares are above 1, in units of 2^-16.
    ExtraWeightSquares = 3,
    /// Entries in settled traces, adjusted.
    SettledEntries = 4,
    /// Those whose ancestors reach a root or a declared boundary, adjusted.
    LinkedEntries = 5,
    /// Spans that name a local parent.
    NamedLocal = 6,
    /// Spans that name a remote parent.
    NamedRemote = 7,
    /// Spans that name a parent without saying where it is.
    NamedUnknown = 8,
    /// Spans whose local parent is present.
    PresentLocal = 9,
    /// Spans whose remote parent is present.
    PresentRemote = 10,
    /// Spans whose parent of unknown origin is present.
    PresentUnknown = 11,
    /// Settled traces with an entry here.
    Traces = 12,
    /// Those with a root and without an orphan.
    ConnectedTraces = 13,
    /// Connected ones with several roots.
    MultiRootTraces = 14,
    /// CLIENT and PRODUCER spans to inventoried peers, and module calls.
    Edges = 15,
    /// Those that met their SERVER or CONSUMER span, or their caller.
    MetEdges = 16,
    /// Time of entries of 10 ms and more in connected traces, microseconds.
    EntryTime = 17,
    /// The part of it that child spans cover, microseconds.
    CoveredTime = 18,
    /// SERVER and CONSUMER spans inside another request of their module.
    Nested = 19,
    /// Spans that may be requests: their parent never came.
    Uncertain = 20,
    /// INTERNAL spans of traces that the index did not judge.
    Unjudged = 21,
    /// Pairs of explicit tenants compared, and spans with a tenant of data.
    HopsChecked = 22,
    /// Entries whose sampling is known to weigh other than 1.
    Sampled = 23,
    /// Gaps by [`Gap`], from here on.
    Gaps = 24,
}

/// Counts of a tenant x module, by [`Part`].
pub const PARTS: usize = Part::Gaps as usize + Gap::ALL.len();

/// Those counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts(pub [u64; PARTS]);

saved!(struct Parts { 0 });

impl Default for Parts {
    fn default() -> Self {
        Self([0; PARTS])
    }
}

impl Parts {
    /// One count.
    #[must_use]
    pub const fn get(&self, part: Part) -> u64 {
        self.0[part as usize]
    }

    /// One kind of gap.
    #[must_use]
    pub const fn gap(&self, gap: Gap) -> u64 {
        self.0[Part::Gaps as usize + gap as usize]
    }
}

/// Who broke a chain (`sli.md` 2.4), counted at the module that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum Gap {
    /// A parent in the same process never came: loss, or a bug there.
    ParentMissingLocal = 0,
    /// A parent in another process never came: missing upstream, unsampled, or out of view.
    ParentMissingRemote = 1,
    /// A parent of unknown origin never came.
    ParentMissingUnknown = 2,
    /// A module was entered over the wire without a SERVER span.
    ServerMissing = 3,
    /// A CLIENT span without a parent.
    ClientRoot = 4,
    /// A CLIENT span whose parent is in another module.
    ClientWithoutLocalEntry = 5,
    /// An inventoried peer that was called and shows nothing.
    PeerSilent = 6,
}
saved!(enum Gap { 0 => ParentMissingLocal, 1 => ParentMissingRemote, 2 => ParentMissingUnknown, 3 => ServerMissing, 4 => ClientRoot, 5 => ClientWithoutLocalEntry, 6 => PeerSilent });

impl Gap {
    /// Every kind, in the order of its discriminant.
    pub const ALL: [Self; 7] = [
        Self::ParentMissingLocal,
        Self::ParentMissingRemote,
        Self::ParentMissingUnknown,
        Self::ServerMissing,
        Self::ClientRoot,
        Self::ClientWithoutLocalEntry,
        Self::PeerSilent,
    ];

    /// The published name, the value of the label `kind`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ParentMissingLocal => "parent_missing_local",
            Self::ParentMissingRemote => "parent_missing_remote",
            Self::ParentMissingUnknown => "parent_missing_unknown",
            Self::ServerMissing => "server_missing",
            Self::ClientRoot => "client_root",
            Self::ClientWithoutLocalEntry => "client_without_local_entry",
            Self::PeerSilent => "peer_silent",
        }
    }
}

/// A gap with traces that show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapTraces {
    /// Which tenant x module shows it.
    pub module: ModuleId,
    /// What is missing.
    pub gap: Gap,
    /// The latest traces, at most three.
    pub trace_ids: Vec<[u8; 16]>,
}

/// What a settled trace was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Verdict {
    /// It has a root and no orphan.
    Connected = 0,
    /// It has no root, or a span whose parent never came.
    Broken = 1,
}

impl Verdict {
    /// The published name, the value of the label `verdict`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Broken => "broken",
        }
    }
}

/// The traces that settled since the daemon began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settled {
    /// By [`Verdict`], as first judged.
    pub first: [u64; 2],
    /// Judged anew after late spans: from broken to connected, and the other way.
    pub revised: [u64; 2],
    /// In the index now, not settled yet.
    pub live: u64,
    /// Share of traces that the index judges, in millionths.
    pub evaluated_ppm: u32,
}
saved!(struct Settled { first, revised, live, evaluated_ppm });

/// A correction of bookings that late spans led to: `slots = exported - corrections`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction {
    /// Whose.
    pub module: ModuleId,
    /// Why: `nested_late`, `parent_late`, `module_late`.
    pub reason: &'static str,
    /// Requests taken out of their slots.
    pub count: u64,
}
