//! The books of what was received, by tenant and signal.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::list::Named;
use crate::aggregator::snapshot::Books;

/// The law that the books obey, as the API prints it.
pub(crate) const LAW: &str = "received = accepted + duplicates + rejected";

/// The books of one tenant and signal since the daemon began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct BookItem {
    /// The tenant that the items claim, or `_unknown`; `_overflow` for those beyond the maximum.
    #[schema(example = "acme")]
    pub(crate) tenant: String,
    /// `traces` (items are spans) or `metrics` (items are data points).
    #[schema(example = "traces")]
    pub(crate) signal: &'static str,
    /// Items of requests that were answered with success.
    #[schema(example = 120_345)]
    pub(crate) received: u64,
    /// Items that count.
    #[schema(example = 120_000)]
    pub(crate) accepted: u64,
    /// Items that were counted before.
    #[schema(example = 300)]
    pub(crate) duplicates: u64,
    /// Refused items.
    #[schema(example = 45)]
    pub(crate) rejected: u64,
    /// Refused items by reason.
    #[schema(example = json!({"too_late": 45}))]
    pub(crate) rejected_by_reason: BTreeMap<&'static str, u64>,
    /// The law of these books.
    #[schema(example = "received = accepted + duplicates + rejected")]
    pub(crate) law: &'static str,
    /// Whether they obey it; false is a bug of ours.
    #[schema(example = true)]
    pub(crate) balanced: bool,
}

impl From<&Books> for BookItem {
    fn from(books: &Books) -> Self {
        let rejected: u64 = books.rejected.iter().map(|(_, count)| count).sum();
        Self {
            tenant: books.tenant.to_string(),
            signal: books.signal.name(),
            received: books.received,
            accepted: books.accepted,
            duplicates: books.duplicates,
            rejected,
            rejected_by_reason: books.rejected.iter().map(|(reason, count)| (reason.name(), *count)).collect(),
            law: LAW,
            balanced: books.received == books.accepted + books.duplicates + rejected,
        }
    }
}

impl Named for BookItem {
    fn names(&self) -> [&str; 4] {
        [&self.tenant, self.signal, "", ""]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Signal;
    use crate::observation::report::Reason;

    #[test]
    fn books_show_their_law_and_whether_they_obey_it() {
        let mut books = Books {
            tenant: "acme".into(),
            signal: Signal::Traces,
            received: 10,
            accepted: 6,
            duplicates: 1,
            rejected: vec![(Reason::TooLate.into(), 2), (Reason::InvalidId.into(), 1)],
        };
        let item = BookItem::from(&books);
        assert_eq!((item.rejected, item.balanced), (3, true));
        assert_eq!(item.rejected_by_reason, BTreeMap::from([("invalid_id", 1), ("too_late", 2)]));
        books.accepted = 5;
        assert!(!BookItem::from(&books).balanced);
    }
}
