//! Published names, spelled once: reserved ids, label and metric names, attribute keys that Bailiwick defines.

/// The tenant of items that claim none.
pub const TENANT_UNKNOWN: &str = "_unknown";
/// The tenant that takes what no tenant slot is left for.
pub const TENANT_OVERFLOW: &str = "_overflow";
/// The tenant of shared infrastructure.
pub const TENANT_SYSTEM: &str = "_system";
/// The module of items that name none.
pub const MODULE_UNKNOWN: &str = "_unknown";
/// The module and operation that take what no series is left for.
pub const OTHER: &str = "_other";
/// The route of an HTTP request whose framework reported none.
pub const UNROUTED: &str = "_unrouted";
/// The HTTP method that is none of the known ones.
pub const METHOD_OTHER: &str = "_OTHER";
/// The operation of a span without a name.
pub const OPERATION_UNKNOWN: &str = "unknown";

/// Prefix of every metric family.
pub const METRIC_PREFIX: &str = "bailiwick_";

/// The entry type of an operation (`sli.md` 1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum EntryType {
    /// A SERVER span.
    Server = 0,
    /// A CONSUMER span.
    Consumer = 1,
    /// An INTERNAL root span.
    Job = 2,
    /// An INTERNAL span that enters another module.
    ModuleCall = 3,
}
crate::saved!(enum EntryType { 0 => Server, 1 => Consumer, 2 => Job, 3 => ModuleCall });

impl EntryType {
    /// Every type in the order of its discriminant.
    pub const ALL: [Self; 4] = [Self::Server, Self::Consumer, Self::Job, Self::ModuleCall];

    /// The published name, the value of the label `type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Consumer => "consumer",
            Self::Job => "job",
            Self::ModuleCall => "module_call",
        }
    }
}
