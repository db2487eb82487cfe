//! What SLOs read from streams: the counts of each tap by tenant x module and slot (`slo.md` 1.4).
//!
//! It knows no SLO. A point whose kind of data is not what its tap reads counts nothing there, and is counted as such.

use bailiwick_slo::exact::Decimal;
use bailiwick_slo::saved;
use bailiwick_slo::spec::{BETA_SCALE, Compared};
use bailiwick_slo::taps::{Reads, TapNumber, Taps};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::intake::Arrival;
use super::kept::is_histogram;
use super::sequence::{Applied, Outcome};
use super::spread::spread;
use crate::aggregator::counts::tiers::Tiers;
use crate::aggregator::memory::chunked::Chunked;
use crate::aggregator::snapshot::{Limit, ModuleId};
use crate::observation::batch::row::{Point, point_flag};

/// Pairs of a tap and a tenant x module that are counted: as many as `slo.instances_max` makes instances. With a few
/// counts in every slot of 65 minutes a pair takes about 3 KiB.
const TAPPED_MAX: u32 = 10_000;

/// Counts of a pair by slot, as [`TapCounts::from_fields`] reads them.
pub(super) const TAPPED_FIELDS: usize = 3;

/// A ratio of 1 in the units that ratios are summed in.
const ONE: f64 = 10_u64.pow(BETA_SCALE as u32) as f64;

/// Number of a pair of a tap and a tenant x module: its place in the directory. Never reused within a run.
pub type TappedId = u32;

/// Whose points a tap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TappedName {
    /// The tap.
    pub tap: TapNumber,
    /// Tenant x module of the points.
    pub module: ModuleId,
}
saved!(struct TappedName { tap, module });

/// What a tap counted for one tenant x module over a slot or window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TapCounts {
    /// The increase; points that satisfy the condition; values in buckets wholly at or below the threshold; or the sum
    /// of ratios in units of 10^-8.
    pub part: u64,
    /// Points, or values in buckets; of an increase 0.
    pub of: u64,
    /// Of `of`, values in the bucket that holds the threshold between its bounds: at least `part` and at most
    /// `part + unknown` values are at or below it.
    pub unknown: u64,
}

/// What became of points that taps read, since the daemon began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TapCounters {
    /// Readings by taps that were not known here.
    pub unknown: u64,
    /// Points of another kind of data than the tap reads, such as a gauge where an increase is asked for.
    pub unfit: u64,
    /// Increases of histograms that no bucket tells of: the bounds changed, they were not kept yet, or there are none.
    pub without_buckets: u64,
    /// Ratios below 0 or above 1, taken as 0 and 1.
    pub out_of_range: u64,
    /// Readings for pairs beyond the maximum.
    pub refused: u64,
}
saved!(struct TapCounters { unknown, unfit, without_buckets, out_of_range, refused });

/// What a tap reads, ready to be compared with what comes on the wire.
#[derive(Debug, Clone, Copy)]
enum Reading {
    Increase,
    Points(Compared, f64),
    Buckets(f64),
    Level,
}
saved!(enum Reading { 0 => Increase, 1 => Points(op, value), 2 => Buckets(bound), 3 => Level });

/// The counts.
#[derive(Debug, Default)]
pub(super) struct TapBooks {
    /// By number of the tap.
    readings: Vec<Reading>,
    numbers: HashMap<TappedName, TappedId, RandomState>,
    pub(super) names: Chunked<TappedName>,
    pub(super) counts: Tiers<TAPPED_FIELDS>,
    pub(super) counters: TapCounters,
}
saved!(struct TapBooks { readings, numbers, names, counts, counters });

impl TapCounts {
    pub(super) const fn from_fields([part, of, unknown]: [u64; TAPPED_FIELDS]) -> Self {
        Self { part, of, unknown }
    }
}

/// The double that the text of a decimal means: bounds and values come as doubles, 0.1 as the one nearest to it.
fn double(decimal: Decimal) -> f64 {
    decimal.to_string().parse().unwrap_or(f64::NAN)
}

impl Reading {
    fn of(reads: Reads) -> Self {
        match reads {
            Reads::Increase => Self::Increase,
            Reads::Points { op, value } => Self::Points(op, double(value)),
            Reads::Buckets { threshold } => Self::Buckets(double(threshold)),
            // Whether it tells of good or bad is for those who read the sum.
            Reads::Level { is_failure: _ } => Self::Level,
        }
    }

    const fn fits(self, point: &Point) -> bool {
        let grows = point.data == 2 && point.flags & point_flag::MONOTONIC != 0;
        match self {
            Self::Increase => grows || is_histogram(point),
            Self::Buckets(_) => is_histogram(point),
            Self::Points(..) | Self::Level => !grows && !is_histogram(point),
        }
    }
}

fn holds(op: Compared, value: f64, than: f64) -> bool {
    match op {
        Compared::Lt => value < than,
        Compared::Lte => value <= than,
        Compared::Gt => value > than,
        Compared::Gte => value >= than,
    }
}

impl TapBooks {
    /// Goes by these taps from now on. Those that were known have their numbers still.
    pub(super) fn set(&mut self, taps: &Taps) {
        self.readings = taps.all().iter().map(|tap| Reading::of(tap.reads)).collect();
    }

    /// Whether one of these taps reads buckets.
    pub(super) fn want_buckets(&self, taps: &[TapNumber]) -> bool {
        taps.iter().any(|tap| matches!(self.readings.get(usize::from(*tap)), Some(Reading::Buckets(_))))
    }

    /// Books what a point that was not dropped came to.
    pub(super) fn book(&mut self, arrival: &Arrival<'_>, outcome: &Outcome) {
        for tap in arrival.taps {
            let Some(reading) = self.readings.get(usize::from(*tap)).copied() else {
                self.counters.unknown += 1;
                continue;
            };
            if !reading.fits(arrival.point) {
                self.counters.unfit += 1;
                continue;
            }
            let Some(number) = self.number(TappedName { tap: *tap, module: arrival.owner.module }) else { continue };
            match outcome {
                Outcome::Applied(applied) => self.book_increase(number, reading, applied),
                Outcome::Level(value) => self.book_level(number, reading, (*value, arrival.point.time_ns)),
                Outcome::Baseline | Outcome::NoData | Outcome::Dropped(_) => {}
            }
        }
    }

    fn book_increase(&mut self, number: TappedId, reading: Reading, applied: &Applied) {
        let increase = &applied.increase;
        match reading {
            Reading::Increase => self.spread(number, applied.over, [(increase.count, [1, 0, 0])]),
            Reading::Buckets(threshold) => match &increase.buckets {
                Some(buckets) => {
                    let (below, inside) = buckets.at_most(threshold);
                    let above = increase.count.saturating_sub(below).saturating_sub(inside);
                    // Disjoint parts, so that no slot has more below the threshold than in all.
                    let parts = [(below, [1, 1, 0]), (inside, [0, 1, 1]), (above, [0, 1, 0])];
                    self.spread(number, applied.over, parts);
                }
                None => self.counters.without_buckets += u64::from(increase.count > 0),
            },
            Reading::Points(..) | Reading::Level => {}
        }
    }

    fn book_level(&mut self, number: TappedId, reading: Reading, (value, at_ns): (f64, u64)) {
        match reading {
            Reading::Points(op, than) => {
                self.counts.add(at_ns, number, &[u64::from(holds(op, value, than)), 1, 0]);
            }
            Reading::Level => {
                self.counters.out_of_range += u64::from(!(0.0..=1.0).contains(&value));
                self.counts.add(at_ns, number, &[(value.clamp(0.0, 1.0) * ONE).round() as u64, 1, 0]);
            }
            Reading::Increase | Reading::Buckets(_) => {}
        }
    }

    /// Adds each total to the fields that are 1, slot by slot of its stretch.
    fn spread<const P: usize>(&mut self, number: TappedId, over: (u64, u64), parts: [(u64, [u64; TAPPED_FIELDS]); P]) {
        for (total, fields) in parts {
            for (at_ns, part) in spread(total, over) {
                self.counts.add(at_ns, number, &fields.map(|field| field * part));
            }
        }
    }

    fn number(&mut self, name: TappedName) -> Option<TappedId> {
        if let Some(number) = self.numbers.get(&name) {
            return Some(*number);
        }
        let number = self.names.len() as TappedId;
        if number >= TAPPED_MAX {
            self.counters.refused += 1;
            return None;
        }
        self.names.push(name);
        self.numbers.insert(name, number);
        Some(number)
    }

    /// Pairs, their maximum, and readings of those that found no place.
    pub(super) fn limit(&self) -> Limit {
        let used = self.names.len() as u64;
        Limit { name: "metrics.tapped_max", used, max: TAPPED_MAX.into(), refused: self.counters.refused }
    }
}
