//! Parts of coverage on their way to SLOs: held back until what they are compared with has been told, since a slot whose
//! traces have not settled, or whose requests no metric has counted yet, would look like a gap (`sli.md` 2.1).

use std::collections::BTreeMap;

use bailiwick_slo::course::record::Tally;
use bailiwick_slo::coverage::{Id, Source};
use bailiwick_slo::time::{SECOND_NS, Slot};

use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{ModuleId, Part, Parts};
use bailiwick_slo::saved;

/// What is held for so long is dropped: nothing will ever tell what it could be compared with.
const HELD_NS_MAX: u64 = 7_200 * SECOND_NS;

/// The figures that are made of counts which add up slot by slot; the others are states of a moment.
pub(super) const FIGURES: [Id; 6] = [Id::Tc, Id::C2, Id::C3, Id::C3t, Id::C4e, Id::C8];

/// Counts of a slot.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    parts: Parts,
    requests: [u64; Source::ALL.len()],
}

saved!(struct Counts { parts, requests });

/// What is held back.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Figures that SLOs ask for.
    wanted: Vec<Id>,
    /// By figure and tenant x module.
    slots: BTreeMap<(Id, ModuleId), BTreeMap<Slot, Counts>>,
    /// Revisions that were taken: of the parts, and of the metrics.
    taken: (u64, u64),
}

saved!(struct Held { wanted, slots, taken });

/// A change that is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) slot: Slot,
    pub(super) module: ModuleId,
    pub(super) figure: Id,
    pub(super) tally: Tally,
}

impl Held {
    /// Figures that SLOs ask for from now on.
    pub(super) fn want(&mut self, wanted: Vec<Id>) {
        self.slots.retain(|(figure, _), _| wanted.contains(figure));
        self.wanted = wanted;
    }

    /// Takes what joined in, and tells what is ripe. `settle_ns`: how long a trace may be judged after it ended.
    pub(super) fn take(&mut self, snapshot: &Snapshot, settle_ns: u64) -> Vec<Told> {
        if self.wanted.is_empty() {
            return Vec::new();
        }
        let revisions = (snapshot.revisions().parts, snapshot.streams().modules_revision());
        let before = std::mem::replace(&mut self.taken, revisions);
        if before.0 != revisions.0 {
            for (slot, module, parts) in snapshot.parts_joined() {
                for figure in self.wanted.clone() {
                    let known = self.at(figure, module, slot);
                    known.parts.0.iter_mut().zip(parts.0).for_each(|(sum, part)| *sum = sum.wrapping_add(part));
                }
            }
        }
        if before.1 != revisions.1 && self.wanted.contains(&Id::Tc) {
            for (slot, module, counts) in snapshot.streams().modules_joined() {
                let known = self.at(Id::Tc, module, slot);
                known.requests.iter_mut().zip(counts.requests).for_each(|(sum, part)| *sum = sum.wrapping_add(part));
            }
        }
        self.ripe(snapshot, settle_ns)
    }

    fn at(&mut self, figure: Id, module: ModuleId, slot: Slot) -> &mut Counts {
        self.slots.entry((figure, module)).or_default().entry(slot).or_default()
    }

    fn ripe(&mut self, snapshot: &Snapshot, settle_ns: u64) -> Vec<Told> {
        let judged = Slot::holding(snapshot.data_through_ns.saturating_sub(settle_ns));
        let oldest = Slot::holding(snapshot.data_through_ns.saturating_sub(HELD_NS_MAX));
        let streams = snapshot.streams();
        let mut told = Vec::new();
        for ((figure, module), slots) in &mut self.slots {
            let (since, until, source) = match figure {
                Id::Tc => {
                    let counted = |source: &Source| streams.counted_since(*module, *source).is_some();
                    let Some(source) = Source::ALL.into_iter().find(counted) else {
                        slots.retain(|slot, _| *slot >= oldest);
                        continue;
                    };
                    let since = streams.counted_since(*module, source).map_or(Slot(0), Slot::holding);
                    let until = streams.oldest_last_point(*module, source).map_or(oldest, Slot::holding);
                    (since, until.min(judged), source as usize)
                }
                _ => (Slot(0), judged, 0),
            };
            let rest = slots.split_off(&until);
            for (slot, counts) in std::mem::replace(slots, rest).into_iter().filter(|(slot, _)| *slot >= since) {
                let tally = counts.tally(*figure, source);
                if tally != Tally::default() {
                    told.push(Told { slot, module: *module, figure: *figure, tally });
                }
            }
        }
        self.slots.retain(|_, slots| !slots.is_empty());
        told
    }
}

/// What a figure lacks of its whole by tenant x module, over the slots `from..to` as far as they are ripe.
pub(super) fn bad_of_coverage(
    snapshot: &Snapshot,
    figure: &str,
    (from, to): (Slot, Slot),
    settle_ns: u64,
) -> BTreeMap<ModuleId, u64> {
    let Some(figure) = FIGURES.into_iter().find(|known| known.name() == figure) else { return BTreeMap::new() };
    let judged = Slot::holding(snapshot.data_through_ns.saturating_sub(settle_ns));
    let streams = snapshot.streams();
    let parts = snapshot.parts(from, to.min(judged));
    let bad = parts.into_iter().map(|(module, parts)| {
        let source = Source::ALL.into_iter().find(|source| streams.counted_since(module, *source).is_some());
        let metrics = if figure == Id::Tc { streams.modules(from, to.min(judged)).remove(&module) } else { None };
        let requests = metrics.unwrap_or_default().requests;
        let tally = Counts { parts, requests }.tally(figure, source.map_or(0, |source| source as usize));
        (module, u64::try_from(tally.all - tally.some).unwrap_or(0))
    });
    bad.collect()
}

impl Counts {
    fn tally(&self, figure: Id, source: usize) -> Tally {
        let sum = |parts: &[Part]| parts.iter().fold(0_u64, |sum, part| sum.wrapping_add(self.parts.get(*part)));
        const NAMED: [Part; 3] = [Part::NamedLocal, Part::NamedRemote, Part::NamedUnknown];
        const PRESENT: [Part; 3] = [Part::PresentLocal, Part::PresentRemote, Part::PresentUnknown];
        let (some, all) = match figure {
            Id::Tc => (sum(&[Part::LinkedEntries]), self.requests[source]),
            Id::C2 => (sum(&[Part::LinkedEntries]), sum(&[Part::SettledEntries])),
            Id::C3 => (sum(&PRESENT), sum(&NAMED)),
            Id::C3t => (sum(&[Part::ConnectedTraces]), sum(&[Part::Traces])),
            Id::C4e => (sum(&[Part::MetEdges]), sum(&[Part::Edges])),
            Id::C8 => (sum(&[Part::CoveredTime]), sum(&[Part::EntryTime])),
            Id::C1 | Id::C1r | Id::C4 | Id::C5 | Id::C6 | Id::C7 => (0, 0),
        };
        Tally { all: all.cast_signed(), some: some.cast_signed() }
    }
}
