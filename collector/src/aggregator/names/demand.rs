//! How many different names a tenant asked for: HyperLogLog with p = 10, a standard error of 1.04 / sqrt(1024) = 3.25 %.
//!
//! Two generations of fifteen minutes: an estimate is of the running one and the one before, so of the last 15 to 30
//! minutes. Names are numbered by XXH3, which is the same in every run: a replay estimates what the run did.

use std::f64::consts::LN_2;

use bailiwick_slo::conventions::EntryType;
use bailiwick_slo::saved;
use bailiwick_slo::time::SECOND_NS;
use twox_hash::XxHash3_64;

/// Length of a generation.
const GENERATION_NS: u64 = 15 * 60 * SECOND_NS;
/// Bits of a number that choose its register.
const PRECISION: u32 = 10;
const REGISTERS: usize = 1 << PRECISION;
/// The bits that are left; a register holds up to one more than their count.
const RANKS: usize = 64 - PRECISION as usize;

/// The number of a name, from its original texts: they are never cut to what has room.
pub(super) fn number_of(module: &str, operation: &str, entry: EntryType) -> u64 {
    let mut bytes = Vec::with_capacity(module.len() + operation.len() + 5);
    // The length in front keeps `a` + `bc` apart from `ab` + `c`.
    bytes.extend_from_slice(&(module.len() as u32).to_le_bytes());
    bytes.extend_from_slice(module.as_bytes());
    bytes.extend_from_slice(operation.as_bytes());
    bytes.push(entry as u8);
    XxHash3_64::oneshot(&bytes)
}

/// The generation that runs at a moment.
pub(super) const fn generation_at(now_ns: u64) -> u64 {
    now_ns / GENERATION_NS
}

/// Most leading zeros, plus one, of the numbers that chose each register. Empty: none yet.
#[derive(Debug, Default, Clone)]
struct Registers(Vec<u8>);
saved!(struct Registers { 0 });

impl Registers {
    /// Whether the number changed anything.
    fn add(&mut self, number: u64) -> bool {
        self.0.resize(REGISTERS, 0);
        let register = &mut self.0[(number >> RANKS) as usize];
        let rank = (number << PRECISION).leading_zeros().min(RANKS as u32) as u8 + 1;
        let is_higher = rank > *register;
        *register = rank.max(*register);
        is_higher
    }

    fn get(&self, place: usize) -> u8 {
        self.0.get(place).copied().unwrap_or_default()
    }
}

/// Names that one tenant asked for.
#[derive(Debug, Default, Clone)]
pub(super) struct Demand {
    running: Registers,
    before: Registers,
    estimate: u64,
    changed: bool,
    was_used: bool,
}
saved!(struct Demand { running, before, estimate, changed, was_used });

impl Demand {
    /// A name was asked for.
    pub(super) fn add(&mut self, number: u64) {
        self.changed |= self.running.add(number);
        self.was_used = true;
    }

    /// Whether there ever was a name.
    pub(super) const fn was_used(&self) -> bool {
        self.was_used
    }

    /// Begins a new generation, after this many.
    pub(super) fn turn(&mut self, passed: u64) {
        self.before = match passed {
            0 => return,
            1 => std::mem::take(&mut self.running),
            _ => Registers::default(),
        };
        self.running = Registers::default();
        self.changed = true;
    }

    /// Different names of both generations.
    pub(super) fn estimate(&mut self) -> u64 {
        if std::mem::take(&mut self.changed) {
            let mut counts = [0; RANKS + 2];
            for place in 0..REGISTERS {
                counts[usize::from(self.running.get(place).max(self.before.get(place)))] += 1;
            }
            self.estimate = estimate(&counts).round() as u64;
        }
        self.estimate
    }
}

/// From how many registers hold each value. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches"
/// (2017), algorithm 6: right for small and large numbers alike, where the first paper's corrections leave a bias of
/// some percent about 2.5 x 1024.
fn estimate(counts: &[u32; RANKS + 2]) -> f64 {
    let registers = REGISTERS as f64;
    let mut sum = registers * tau(1.0 - f64::from(counts[RANKS + 1]) / registers);
    for count in counts[1..=RANKS].iter().rev() {
        sum = 0.5 * (sum + f64::from(*count));
    }
    sum += registers * sigma(f64::from(counts[0]) / registers);
    registers * registers / (2.0 * LN_2 * sum)
}

/// Of the share of registers that nothing chose.
fn sigma(mut share: f64) -> f64 {
    if share >= 1.0 {
        return f64::INFINITY;
    }
    let (mut weight, mut sum) = (1.0, share);
    loop {
        share *= share;
        let before = sum;
        sum += share * weight;
        weight += weight;
        if sum <= before {
            return sum;
        }
    }
}

/// Of the share of registers that are not full.
fn tau(mut share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        return 0.0;
    }
    let (mut weight, mut rest) = (1.0, 1.0 - share);
    loop {
        share = share.sqrt();
        let before = rest;
        weight *= 0.5;
        rest -= (1.0 - share).powi(2) * weight;
        if rest >= before {
            return rest / 3.0;
        }
    }
}

#[cfg(test)]
mod tests;
