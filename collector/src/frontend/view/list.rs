//! Lists: filtered, sorted, cut into pages. A page begins after the last row of the one before, by rank and names, so
//! that rows which come and go meanwhile neither repeat nor hide others.

use bailiwick_slo::time::Window;
use serde::Serialize;
use utoipa::ToSchema;

use crate::frontend::format;
use crate::frontend::http::answer::Page;
use crate::frontend::http::cursor::{self, Position};
use crate::frontend::scope::Scope;

/// A row that has names: tenant, module, operation, type, or others that make it unique.
pub(crate) trait Named {
    /// The names, in the order of sorting.
    fn names(&self) -> [&str; 4];
}

/// Which rows are asked for. Absent fields leave nothing out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Filter {
    /// Whose.
    pub(crate) scope: Scope,
    /// The module, exactly.
    pub(crate) module: Option<String>,
    /// The operation, exactly.
    pub(crate) operation: Option<String>,
    /// The entry type, exactly.
    pub(crate) entry: Option<String>,
    /// A part of any name, in any case, in lower case here.
    pub(crate) part: Option<String>,
}

impl Filter {
    /// Whether it keeps a row.
    pub(crate) fn keeps(&self, row: &impl Named) -> bool {
        let names = row.names();
        self.scope.holds(names[0])
            && self.module.as_deref().is_none_or(|module| module == names[1])
            && self.operation.as_deref().is_none_or(|operation| operation == names[2])
            && self.entry.as_deref().is_none_or(|entry| entry == names[3])
            && self.part.as_deref().is_none_or(|part| names.iter().any(|name| name.to_lowercase().contains(part)))
    }
}

/// Where a page begins and how long it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The last row of the page before.
    pub(crate) after: Option<Position>,
    /// Most rows of the page.
    pub(crate) limit: usize,
    /// The list that cursors belong to.
    pub(crate) fingerprint: u64,
}

/// The rows of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rows<T> {
    /// The rows.
    pub(crate) rows: Vec<T>,
    /// The cursor of the next page, when there is one.
    pub(crate) next_cursor: Option<String>,
    /// Rows of all pages.
    pub(crate) total: usize,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The document's kind and version.
    #[schema(example = "bailiwick.series/v1")]
    pub(crate) schema: &'static str,
    /// The window that counts are about, where they are about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "5m")]
    pub(crate) window: Option<&'static str>,
    /// End of the last closed slot: windows end here. Null before there is one.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    pub(crate) data_through: Option<String>,
    /// The rows of this page.
    pub(crate) items: Vec<T>,
    /// To be given as `cursor` for the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
    /// Rows of all pages.
    #[schema(example = 1)]
    pub(crate) total: usize,
}

impl<T> Rows<T> {
    /// The same page, with something else for each row.
    pub(crate) fn map<U>(self, show: impl FnMut(T) -> U) -> Rows<U> {
        Rows { rows: self.rows.into_iter().map(show).collect(), next_cursor: self.next_cursor, total: self.total }
    }
}

impl<T> List<T> {
    /// These rows of a snapshot of which all slots before `data_through_ns` are closed.
    pub(crate) fn new(schema: &'static str, window: Option<Window>, data_through_ns: u64, rows: Rows<T>) -> Self {
        Self {
            schema,
            window: window.map(Window::name),
            data_through: format::instant(data_through_ns),
            items: rows.rows,
            next_cursor: rows.next_cursor,
            total: rows.total,
        }
    }
}

impl<T> From<List<T>> for Page<List<T>> {
    fn from(body: List<T>) -> Self {
        Self { next_cursor: body.next_cursor.clone(), body }
    }
}

/// Sorts by rank, then by names, and cuts a page out.
pub(crate) fn page<T: Named>(rows: Vec<T>, rank: impl Fn(&T) -> u64, cut: &Cut) -> Rows<T> {
    let total = rows.len();
    let mut ranked: Vec<(u64, T)> = rows.into_iter().map(|row| (rank(&row), row)).collect();
    ranked.sort_unstable_by(|(a_rank, a), (b_rank, b)| a_rank.cmp(b_rank).then_with(|| a.names().cmp(&b.names())));
    let begin = cut.after.as_ref().map_or(0, |after| {
        let names: Vec<&str> = after.names.iter().map(String::as_str).collect();
        ranked.partition_point(|(rank, row)| (*rank, &row.names()[..]) <= (after.rank, &names[..]))
    });
    let mut rest = ranked.drain(begin..);
    let page: Vec<(u64, T)> = rest.by_ref().take(cut.limit).collect();
    let more = rest.next().is_some();
    let next_cursor = page.last().filter(|_| more).map(|(rank, row)| {
        let names = row.names().map(str::to_owned).to_vec();
        cursor::encode(&Position { rank: *rank, names }, cut.fingerprint)
    });
    Rows { rows: page.into_iter().map(|(_, row)| row).collect(), next_cursor, total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Thing(&'static str, u64);

    impl Named for Thing {
        fn names(&self) -> [&str; 4] {
            [self.0, "", "", ""]
        }
    }

    fn cut(after: Option<&str>) -> Cut {
        Cut { after: after.map(|text| cursor::decode(text, 9).expect("a cursor of ours")), limit: 2, fingerprint: 9 }
    }

    fn names(rows: &Rows<Thing>) -> Vec<&str> {
        rows.rows.iter().map(|thing| thing.0).collect()
    }

    #[test]
    fn walking_the_pages_meets_every_row_once() {
        let things = || vec![Thing("d", 1), Thing("a", 2), Thing("c", 1), Thing("b", 0), Thing("e", 2)];
        let mut met = Vec::new();
        let mut after = None;
        for _ in 0..3 {
            let page = page(things(), |thing| thing.1, &cut(after.as_deref()));
            assert_eq!(page.total, 5);
            met.extend(page.rows.iter().map(|thing| thing.0));
            after = page.next_cursor;
        }
        assert_eq!(met, ["b", "c", "d", "a", "e"]);
        assert_eq!(after, None);
    }

    #[test]
    fn rows_that_come_and_go_between_pages_disturb_no_other() {
        let first = page(vec![Thing("b", 0), Thing("d", 0), Thing("f", 0)], |_| 0, &cut(None));
        assert_eq!(names(&first), ["b", "d"]);
        // `d`, where the page ended, is gone; `a` and `e` are new.
        let later = vec![Thing("a", 0), Thing("b", 0), Thing("e", 0), Thing("f", 0)];
        let second = page(later, |_| 0, &cut(first.next_cursor.as_deref()));
        assert_eq!(names(&second), ["e", "f"]);
        assert_eq!(second.next_cursor, None);
    }

    #[test]
    fn a_filter_keeps_what_matches_in_full_or_in_part() {
        let filter = |part: Option<&str>, scope| Filter { part: part.map(str::to_owned), scope, ..Filter::default() };
        assert!(filter(Some("cme"), Scope::default()).keeps(&Thing("ACME", 0)));
        assert!(!filter(Some("x"), Scope::default()).keeps(&Thing("ACME", 0)));
        assert!(!filter(None, Scope::only(vec!["acme".to_owned()])).keeps(&Thing("ACME", 0)));
    }
}
