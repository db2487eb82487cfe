//! Where two batches differ, for people.

use std::fmt::Debug;

use bailiwick_collector::observation::batch::layout::HEADER_BYTES;
use bailiwick_collector::observation::batch::{Batch, View};

/// A sentence about the first difference of what was written from what is right, with all strings.
#[must_use]
pub fn difference(written: &Batch, right: &Batch) -> String {
    let (w, r) = (written.view(), right.view());
    let found = first("context", w.contexts(), r.contexts())
        .or_else(|| first("evidence", w.evidence(), r.evidence()))
        .or_else(|| first("span", w.spans(), r.spans()))
        .or_else(|| first("point", w.points(), r.points()))
        .or_else(|| first("word", words(w), words(r)))
        .or_else(|| first("extra", w.extras(), r.extras()))
        .or_else(|| first("link", w.links(), r.links()))
        .or_else(|| first("reject", w.rejects(), r.rejects()))
        .or_else(|| first("string", strings(w), strings(r)))
        .or_else(|| first("byte of the header", head(written), head(right)));
    let texts = |view: View<'_>| strings(view).collect::<Vec<_>>();
    format!("{}; strings {:?}, right {:?}", found.unwrap_or("nothing differs".into()), texts(w), texts(r))
}

fn words(view: View<'_>) -> impl Iterator<Item = u64> {
    view.words_of(0, u32::MAX).collect::<Vec<_>>().into_iter()
}

fn strings(view: View<'_>) -> impl Iterator<Item = String> {
    (0..view.string_count() as u32).map(move |index| view.string(index).to_owned())
}

fn head(batch: &Batch) -> impl Iterator<Item = u8> {
    batch.bytes()[..HEADER_BYTES].iter().copied()
}

fn first<T: Debug + PartialEq>(
    what: &str,
    mut written: impl Iterator<Item = T>,
    mut right: impl Iterator<Item = T>,
) -> Option<String> {
    for number in 0.. {
        match (written.next(), right.next()) {
            (None, None) => break,
            (w, r) if w == r => {}
            (w, r) => return Some(format!("{what} {number} is {w:?}, right is {r:?}")),
        }
    }
    None
}
