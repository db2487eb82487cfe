//! Who is whose parent among the spans of one trace, repeats left out. Pure; buffers are reused.
//!
//! Ids are a client's word: a span may name itself, or a circle of spans each other. Where a chain would close on
//! itself its parent counts as missing, so that every climb ends.

use super::span::Span;

/// The parent is none: the span is a root.
pub(in crate::aggregator) const ROOT: u32 = u32::MAX;
/// A parent is named and not here.
pub(in crate::aggregator) const MISSING: u32 = u32::MAX - 1;

const SERVER: u32 = 2;
const CLIENT: u32 = 3;

/// The kinship of a trace's spans, by their places in the slice that it was read from.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Kin {
    /// By place: place of the parent, [`ROOT`] or [`MISSING`].
    pub(in crate::aggregator) parents: Vec<u32>,
    /// All places but the repeats', parents before children.
    pub(in crate::aggregator) order: Vec<u32>,
    /// Places of spans that repeat an earlier one's ids, in order.
    pub(in crate::aggregator) repeats: Vec<(u32, u32)>,
    /// Ids with their places, sorted.
    by_id: Vec<(u64, u32)>,
    seen: Vec<u8>,
    climb: Vec<u32>,
}

const REPEATED: u8 = 3;

impl Kin {
    /// Reads the kinship of spans that stand in the order in which they came.
    pub(in crate::aggregator) fn read(&mut self, spans: &[Span]) {
        self.seen.clear();
        self.seen.resize(spans.len(), 0);
        self.by_id.clear();
        self.by_id.extend(spans.iter().map(|span| span.id).zip(0..));
        self.by_id.sort_unstable();
        self.leave_out_repeats(spans);
        self.parents.clear();
        for place in 0..spans.len() as u32 {
            let parent = self.parent_of(spans, place);
            self.parents.push(parent);
        }
        self.sort();
    }

    /// Of spans with one id the first counts; beside it the other of CLIENT and SERVER, which Zipkin lets share an id.
    fn leave_out_repeats(&mut self, spans: &[Span]) {
        self.repeats.clear();
        let Self { by_id, seen, repeats, .. } = self;
        for group in by_id.chunk_by(|one, other| one.0 == other.0).filter(|group| group.len() > 1) {
            let first = group[0].1;
            let kind = |place: u32| spans[place as usize].kind();
            let mut shared = false;
            for (_, place) in &group[1..] {
                let is_pair = matches!((kind(first), kind(*place)), (SERVER, CLIENT) | (CLIENT, SERVER));
                if is_pair && !shared {
                    shared = true;
                } else {
                    seen[*place as usize] = REPEATED;
                    repeats.push((first, *place));
                }
            }
        }
        repeats.sort_unstable_by_key(|(_, place)| *place);
    }

    /// Places with this id that are no repeats.
    fn with_id(&self, id: u64) -> impl Iterator<Item = u32> {
        let from = self.by_id.partition_point(|(known, _)| *known < id);
        let group = self.by_id[from..].iter().take_while(move |(known, _)| *known == id);
        group.map(|(_, place)| *place).filter(|place| self.seen[*place as usize] != REPEATED)
    }

    fn parent_of(&self, spans: &[Span], place: u32) -> u32 {
        let span = &spans[place as usize];
        let kind = |place: &u32| spans[*place as usize].kind();
        if span.kind() == SERVER
            && let Some(client) = self.with_id(span.id).find(|twin| *twin != place && kind(twin) == CLIENT)
        {
            return client;
        }
        if span.parent == 0 {
            return ROOT;
        }
        let mut found = MISSING;
        for parent in self.with_id(span.parent).filter(|parent| *parent != place) {
            // Of a pair that shares an id, children belong to the serving side.
            if found == MISSING || kind(&parent) != CLIENT {
                found = parent;
            }
        }
        found
    }

    /// Puts parents before children, and cuts circles open.
    fn sort(&mut self) {
        const CLIMBING: u8 = 1;
        const PLACED: u8 = 2;
        self.order.clear();
        for place in 0..self.parents.len() as u32 {
            let mut at = place;
            while self.seen[at as usize] == 0 {
                self.seen[at as usize] = CLIMBING;
                self.climb.push(at);
                let parent = self.parents[at as usize];
                if parent >= MISSING {
                    break;
                }
                if self.seen[parent as usize] == CLIMBING {
                    self.parents[at as usize] = MISSING;
                    break;
                }
                at = parent;
            }
            while let Some(above) = self.climb.pop() {
                self.seen[above as usize] = PLACED;
                self.order.push(above);
            }
        }
    }

    /// The parent's place, if it is here.
    #[inline]
    pub(in crate::aggregator) fn parent(&self, place: u32) -> Option<u32> {
        let parent = self.parents[place as usize];
        (parent < MISSING).then_some(parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: u64, parent: u64, kind: u32) -> Span {
        Span { id, parent, flags: kind, ..Span::EMPTY }
    }

    fn read(spans: &[Span]) -> Kin {
        let mut kin = Kin::default();
        kin.read(&[span(1, 0, 1)]);
        kin.read(spans);
        kin
    }

    #[test]
    fn parents_stand_before_children_whatever_the_order_of_arrival() {
        let kin = read(&[span(3, 2, 1), span(2, 1, 1), span(9, 8, 1), span(1, 0, 2)]);
        assert_eq!(kin.parents, [1, 3, MISSING, ROOT]);
        let at = |place: u32| kin.order.iter().position(|known| *known == place);
        assert!(at(3) < at(1) && at(1) < at(0) && at(2).is_some() && kin.order.len() == 4);
    }

    #[test]
    fn circles_end_somewhere() {
        let kin = read(&[span(1, 2, 1), span(2, 3, 1), span(3, 1, 1), span(4, 4, 1), span(5, 3, 1)]);
        assert_eq!(kin.order.len(), 5);
        let missing = kin.parents.iter().filter(|parent| **parent == MISSING).count();
        assert_eq!(missing, 2, "one of the circle, and the one that names itself");
        for mut place in 0..5 {
            let steps = std::iter::from_fn(|| kin.parent(place).inspect(|parent| place = *parent)).take(9).count();
            assert!(steps < 5);
        }
    }

    #[test]
    fn the_first_of_repeats_counts() {
        let kin = read(&[span(1, 0, 2), span(2, 1, 1), span(1, 0, 2), span(2, 1, 3), span(1, 7, 5)]);
        assert_eq!(kin.repeats, [(0, 2), (1, 3), (0, 4)]);
        assert_eq!(kin.order.len(), 2);
    }

    #[test]
    fn client_and_server_may_share_an_id() {
        // The client's parent is 1; the server that it called shares its id, and so does the server's child's parent.
        let spans = [span(1, 0, 2), span(5, 1, 2), span(5, 1, 3), span(6, 5, 1), span(5, 1, 3)];
        let kin = read(&spans);
        assert_eq!(kin.repeats, [(1, 4)]);
        assert_eq!((kin.parent(1), kin.parent(2), kin.parent(3)), (Some(2), Some(0), Some(1)));
    }
}
