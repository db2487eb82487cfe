//! What a settled trace says about coverage (`sli.md` 2): which chains reach a root, which parents came, who broke it.
//!
//! Each span bears marks of what was counted about it, so that a trace that settles anew takes back exactly that and
//! nothing is ever counted twice.

use bailiwick_slo::conventions::EntryType;

use super::judge::{Found, Ruling};
use super::kin::{Kin, MISSING, ROOT};
use super::pool::NameId;
use super::span::{Origin, Side, Span, flag};
use crate::aggregator::snapshot::{Gap, PARTS, Part, Parts, Verdict};
use crate::aggregator::tenants::TenantId;

/// What was counted about a span, as bits of [`Span::marks`].
pub(in crate::aggregator) mod mark {
    /// An entry of a settled trace.
    pub(in crate::aggregator) const SETTLED: u32 = 1;
    /// Its ancestors reach a root or a boundary.
    pub(in crate::aggregator) const LINKED: u32 = 1 << 1;
    /// It names a parent: its origin, two bits from here: 1 local, 2 remote, 3 unknown.
    pub(in crate::aggregator) const NAMED_AT: u32 = 2;
    /// That parent is here.
    pub(in crate::aggregator) const PRESENT: u32 = 1 << 4;
    /// It speaks for its trace in its tenant x module.
    pub(in crate::aggregator) const SPEAKS: u32 = 1 << 5;
    /// Its trace is connected.
    pub(in crate::aggregator) const CONNECTED: u32 = 1 << 6;
    /// Its trace has several roots.
    pub(in crate::aggregator) const MULTI_ROOT: u32 = 1 << 7;
    /// Its parent is missing; which kind of gap that is, its origin says.
    pub(in crate::aggregator) const ORPHAN: u32 = 1 << 8;
    /// It was entered over the wire without a SERVER span.
    pub(in crate::aggregator) const SERVER_MISSING: u32 = 1 << 9;
    /// A calling span without parent.
    pub(in crate::aggregator) const CLIENT_ROOT: u32 = 1 << 10;
    /// A calling span whose parent is in another module.
    pub(in crate::aggregator) const CLIENT_ALONE: u32 = 1 << 11;
    /// A call that should meet its other side.
    pub(in crate::aggregator) const EDGE: u32 = 1 << 12;
    /// It did.
    pub(in crate::aggregator) const MET: u32 = 1 << 13;
    /// What it called is in the inventory and shows nothing.
    pub(in crate::aggregator) const PEER_SILENT: u32 = 1 << 14;
    /// All that is taken back and counted anew.
    pub(in crate::aggregator) const REVISED: u32 = (1 << 15) - 1;
    /// Marks that stand for a gap in the span's own module.
    pub(in crate::aggregator) const GAPS: u32 = ORPHAN | SERVER_MISSING | CLIENT_ROOT | CLIENT_ALONE;
    /// Its time was counted (once).
    pub(in crate::aggregator) const TIMED: u32 = 1 << 15;
    /// Its call was counted in the service graph (once).
    pub(in crate::aggregator) const CALLED: u32 = 1 << 16;
    /// Leak rules have compared it (once).
    pub(in crate::aggregator) const COMPARED: u32 = 1 << 17;
    /// Its own claims have been compared (once).
    pub(in crate::aggregator) const NOTED: u32 = 1 << 18;
    /// Its message was consumed in another trace.
    pub(in crate::aggregator) const LINK_MET: u32 = 1 << 19;
}

/// Entries shorter than this say nothing about what covers their time.
const TIMED_NS_MIN: u64 = 10_000_000;

/// Buffers of [`read`].
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Scratch {
    /// By place: a serving span is its child.
    answered: Vec<bool>,
    entries: Vec<u32>,
    spoken: Vec<(TenantId, NameId)>,
}

/// What a settled trace was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) struct Shape {
    pub(in crate::aggregator) verdict: Verdict,
    is_multi_root: bool,
}

/// Finds the marks of all spans, by place. `met` says which calling spans met their other side elsewhere, `is_known`
/// whether a peer is in the inventory.
pub(in crate::aggregator) fn read(
    (spans, kin, found): (&[Span], &Kin, &[Found]),
    met: &[bool],
    is_known: impl Fn(NameId) -> bool,
    (marks, scratch): (&mut Vec<u32>, &mut Scratch),
) -> Shape {
    marks.clear();
    marks.resize(spans.len(), 0);
    let answered = &mut scratch.answered;
    answered.clear();
    answered.resize(spans.len(), false);
    for place in &kin.order {
        if spans[*place as usize].side() == Side::Serving
            && let Some(parent) = kin.parent(*place)
        {
            answered[parent as usize] = true;
        }
    }
    let mut shape = Orphans::default();
    for place in &kin.order {
        let at = *place as usize;
        let case = Case { span: &spans[at], kin, found, place: *place };
        let is_linked = match kin.parents[at] {
            _ if case.span.is(flag::BOUNDARY) => true,
            ROOT => true,
            MISSING => false,
            parent => marks[parent as usize] & mark::LINKED != 0,
        };
        let is_boundary = kin.parents[at] == MISSING && case.span.is(flag::BOUNDARY);
        shape.roots += u32::from(kin.parents[at] == ROOT || is_boundary);
        shape.orphans += u32::from(kin.parents[at] == MISSING && !case.span.is(flag::BOUNDARY));
        marks[at] = case.marks(is_linked) | case.call(answered[at] || met[at], &is_known);
    }
    let shape = shape.shape();
    speak((spans, kin, found), shape, (marks, scratch));
    // LINKED served as memory for all spans; only entries are counted by it.
    for (mark, span) in marks.iter_mut().zip(spans) {
        if *mark & mark::SETTLED == 0 {
            *mark &= !mark::LINKED;
        }
        if span.is(flag::UNSAMPLED) {
            *mark &= mark::SPEAKS | mark::CONNECTED | mark::MULTI_ROOT;
        }
    }
    shape
}

#[derive(Debug, Default)]
struct Orphans {
    roots: u32,
    orphans: u32,
}

impl Orphans {
    fn shape(&self) -> Shape {
        let is_connected = self.roots > 0 && self.orphans == 0;
        let verdict = if is_connected { Verdict::Connected } else { Verdict::Broken };
        Shape { verdict, is_multi_root: is_connected && self.roots > 1 }
    }
}

struct Case<'c> {
    span: &'c Span,
    kin: &'c Kin,
    found: &'c [Found],
    place: u32,
}

impl Case<'_> {
    fn found(&self) -> &Found {
        &self.found[self.place as usize]
    }

    fn marks(&self, is_linked: bool) -> u32 {
        let mut marks = if is_linked { mark::LINKED } else { 0 };
        if matches!(self.found().ruling, Ruling::Entry(_)) {
            marks |= mark::SETTLED;
        }
        if self.span.parent != 0 {
            let origin = match self.span.origin() {
                Origin::Local => 1,
                Origin::Remote => 2,
                Origin::Unknown => 3,
            };
            marks |= origin << mark::NAMED_AT;
            let is_present = self.kin.parent(self.place).is_some();
            let is_orphan = !is_present && !self.span.is(flag::BOUNDARY);
            marks |= if is_present { mark::PRESENT } else { 0 } | if is_orphan { mark::ORPHAN } else { 0 };
        }
        marks
    }

    /// Marks of what the span calls, or is called as.
    fn call(&self, is_met: bool, is_known: &impl Fn(NameId) -> bool) -> u32 {
        let met = |is_met: bool| mark::EDGE | if is_met { mark::MET } else { 0 };
        let parent = self.kin.parent(self.place);
        match (self.span.side(), self.found().ruling) {
            (Side::Inside, Ruling::Entry(EntryType::ModuleCall)) => {
                let is_remote = self.span.origin() == Origin::Remote;
                met(parent.is_some()) | if is_remote { mark::SERVER_MISSING } else { 0 }
            }
            (Side::Calling, _) => {
                let alone = match parent {
                    _ if self.kin.parents[self.place as usize] == ROOT => mark::CLIENT_ROOT,
                    Some(parent) if self.found[parent as usize].module != self.found().module => mark::CLIENT_ALONE,
                    _ => 0,
                };
                let silent = if is_met { 0 } else { mark::PEER_SILENT };
                alone | if is_known(self.span.peer) { met(is_met) | silent } else { 0 }
            }
            _ => 0,
        }
    }
}

/// Lets the first entry of each tenant x module speak for the trace.
fn speak((spans, kin, found): (&[Span], &Kin, &[Found]), shape: Shape, (marks, scratch): (&mut [u32], &mut Scratch)) {
    let Scratch { entries, spoken, .. } = scratch;
    entries.clear();
    entries.extend(kin.order.iter().copied().filter(|place| marks[*place as usize] & mark::SETTLED != 0));
    entries.sort_unstable_by_key(|place| (spans[*place as usize].start_ns, spans[*place as usize].id));
    spoken.clear();
    for place in entries {
        let at = *place as usize;
        let who = (found[at].tenant, found[at].module);
        if !spoken.contains(&who) {
            spoken.push(who);
            marks[at] |= mark::SPEAKS;
            marks[at] |= if shape.verdict == Verdict::Connected { mark::CONNECTED } else { 0 };
            marks[at] |= if shape.is_multi_root { mark::MULTI_ROOT } else { 0 };
        }
    }
}

/// What marks count for, in the span's own tenant x module; `drawn` requests were booked for it.
pub(in crate::aggregator) fn counts(marks: u32, drawn: u32) -> Parts {
    let mut parts = [0; PARTS];
    let mut add = |part: usize, count: u64| parts[part] += count;
    let is = |bit: u32| u64::from(marks & bit != 0);
    if marks & mark::SETTLED != 0 {
        add(Part::SettledEntries as usize, drawn.into());
        add(Part::LinkedEntries as usize, is(mark::LINKED) * u64::from(drawn));
    }
    let named = (marks >> mark::NAMED_AT & 3) as usize;
    if named > 0 {
        add(Part::NamedLocal as usize + named - 1, 1);
        add(Part::PresentLocal as usize + named - 1, is(mark::PRESENT));
        add(Part::Gaps as usize + Gap::ParentMissingLocal as usize + named - 1, is(mark::ORPHAN));
    }
    add(Part::Traces as usize, is(mark::SPEAKS));
    add(Part::ConnectedTraces as usize, is(mark::CONNECTED));
    add(Part::MultiRootTraces as usize, is(mark::MULTI_ROOT));
    add(Part::Edges as usize, is(mark::EDGE));
    add(Part::MetEdges as usize, is(mark::MET));
    add(Part::Gaps as usize + Gap::ServerMissing as usize, is(mark::SERVER_MISSING));
    add(Part::Gaps as usize + Gap::ClientRoot as usize, is(mark::CLIENT_ROOT));
    add(Part::Gaps as usize + Gap::ClientWithoutLocalEntry as usize, is(mark::CLIENT_ALONE));
    Parts(parts)
}

/// The gaps that marks stand for, in the span's own module.
pub(in crate::aggregator) fn gaps(marks: u32) -> impl Iterator<Item = Gap> {
    let parts = counts(marks, 0);
    Gap::ALL.into_iter().filter(move |gap| parts.gap(*gap) > 0)
}

/// Of each entry of 10 ms and more in a connected trace: its place, its time and how much of it its children cover, in
/// microseconds.
pub(in crate::aggregator) fn times(spans: &[Span], kin: &Kin, marks: &[u32]) -> Vec<(u32, u64, u64)> {
    let is_timed = |place: u32| {
        let span = &spans[place as usize];
        marks[place as usize] & mark::SETTLED != 0 && !span.is(flag::ANOMALY) && span.duration_ns() >= TIMED_NS_MIN
    };
    let mut children: Vec<(u32, u64, u64)> = Vec::new();
    for place in &kin.order {
        if let Some(parent) = kin.parent(*place).filter(|parent| is_timed(*parent)) {
            let (child, above) = (&spans[*place as usize], &spans[parent as usize]);
            let (start, end) = (child.start_ns.max(above.start_ns), child.end_ns.min(above.end_ns));
            if start < end {
                children.push((parent, start, end));
            }
        }
    }
    children.sort_unstable();
    let of = |place: u32| {
        let from = children.partition_point(|(parent, ..)| *parent < place);
        let mine = children[from..].iter().take_while(|(parent, ..)| *parent == place);
        let (covered, _) = mine.fold((0, 0), |(covered, until), (_, start, end)| {
            let new_from = until.max(*start);
            (covered + end.saturating_sub(new_from), until.max(*end))
        });
        (place, spans[place as usize].duration_ns() / 1_000, covered / 1_000)
    };
    kin.order.iter().copied().filter(|place| is_timed(*place)).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covered_time_is_the_union_of_children_inside_the_entry() {
        const MS: u64 = 1_000_000;
        let span = |id, parent, (start, end): (u64, u64)| Span {
            id,
            parent,
            start_ns: start * MS,
            end_ns: end * MS,
            flags: 2,
            ..Span::EMPTY
        };
        // Children cover [10, 30), [20, 50) and, cut at the entry's end, [90, 100): 50 of 100 ms.
        let spans = [
            span(1, 0, (0, 100)),
            span(2, 1, (10, 30)),
            span(3, 1, (20, 50)),
            span(4, 1, (90, 140)),
            span(5, 2, (60, 70)),
        ];
        let mut kin = Kin::default();
        kin.read(&spans);
        let marks = [mark::SETTLED, 0, 0, 0, 0];
        assert_eq!(times(&spans, &kin, &marks), [(0, 100_000, 50_000)]);
    }

    #[test]
    fn marks_count_what_they_stand_for() {
        let parts = counts(mark::SETTLED | 2 << mark::NAMED_AT | mark::ORPHAN, 4);
        assert_eq!((parts.get(Part::SettledEntries), parts.get(Part::LinkedEntries)), (4, 0));
        assert_eq!((parts.get(Part::NamedRemote), parts.get(Part::PresentRemote)), (1, 0));
        assert_eq!((parts.gap(Gap::ParentMissingRemote), parts.gap(Gap::ParentMissingLocal)), (1, 0));
        let parts = counts(mark::SETTLED | mark::LINKED | 1 << mark::NAMED_AT | mark::PRESENT | mark::SPEAKS, 3);
        assert_eq!((parts.get(Part::LinkedEntries), parts.get(Part::PresentLocal), parts.get(Part::Traces)), (3, 1, 1));
        assert_eq!(parts.0.iter().sum::<u64>(), 3 + 3 + 1 + 1 + 1);
    }
}
