//! Which traces are judged when not all of them fit (`sli.md` 2.3): a sample by the trace's own randomness, so that all
//! spans of a trace share its fate, halved for whoever uses most and doubled again when there is room.

use bailiwick_slo::saved;

use crate::aggregator::tenants::TenantId;

/// Bits of randomness.
const BITS: u32 = 56;
/// Below half of the budget for this long, samples double.
const CALM_NS: u64 = 300_000_000_000;

/// The samples of all tenants.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Sample {
    /// By tenant: how often its sample was halved.
    halved: Vec<u8>,
    calm_since_ns: Option<u64>,
}
saved!(struct Sample { halved, calm_since_ns });

impl Sample {
    /// Randomness of a trace without `rv`: the low 56 bits of its id (W3C Trace Context level 2).
    pub(in crate::aggregator) fn randomness(trace_id: &[u8; 16]) -> u64 {
        let mut low = [0; 8];
        low.copy_from_slice(&trace_id[8..]);
        u64::from_be_bytes(low) & ((1 << BITS) - 1)
    }

    fn times(&self, tenant: TenantId) -> u32 {
        self.halved.get(tenant as usize).copied().unwrap_or(0).into()
    }

    /// Whether traces of this randomness are judged.
    #[inline]
    pub(in crate::aggregator) fn holds(&self, tenant: TenantId, randomness: u64) -> bool {
        let times = self.times(tenant);
        times == 0 || randomness >= (1 << BITS) - (1 << (BITS - times))
    }

    /// What a judged trace of this tenant stands for.
    #[inline]
    pub(in crate::aggregator) fn weight(&self, tenant: TenantId) -> u64 {
        1 << self.times(tenant)
    }

    /// Share of traces that are judged, of the tenant that is judged least, in millionths.
    pub(in crate::aggregator) fn evaluated_ppm(&self) -> u32 {
        let most = self.halved.iter().max().copied().unwrap_or(0);
        1_000_000_u32.checked_shr(most.into()).unwrap_or(0)
    }

    /// Halves a tenant's sample; not when next to nothing is left of it.
    pub(in crate::aggregator) fn halve(&mut self, tenant: TenantId) -> bool {
        let place = tenant as usize;
        if self.halved.len() <= place {
            self.halved.resize(place + 1, 0);
        }
        self.calm_since_ns = None;
        let halved = &mut self.halved[place];
        let is_possible = *halved < 30;
        *halved += u8::from(is_possible);
        is_possible
    }

    /// At a tick: doubles all samples after five minutes with half of the budget free.
    pub(in crate::aggregator) fn relax(&mut self, now_ns: u64, is_calm: bool) {
        if !is_calm || self.halved.iter().all(|times| *times == 0) {
            self.calm_since_ns = None;
            return;
        }
        let since = *self.calm_since_ns.get_or_insert(now_ns);
        if now_ns.saturating_sub(since) >= CALM_NS {
            self.halved.iter_mut().for_each(|times| *times = times.saturating_sub(1));
            self.calm_since_ns = Some(now_ns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_halved_sample_holds_the_upper_half_of_randomness() {
        let mut sample = Sample::default();
        assert!(sample.holds(1, 0));
        assert!(sample.halve(1) && sample.halve(1));
        let quarter = 3 << 54;
        assert!(!sample.holds(1, quarter - 1) && sample.holds(1, quarter) && sample.holds(0, 0));
        assert_eq!((sample.weight(1), sample.weight(0)), (4, 1));
        let mut id = [0xff; 16];
        id[9] = 0x40;
        assert!(!sample.holds(1, Sample::randomness(&id)) && sample.holds(1, Sample::randomness(&[0xff; 16])));
    }

    #[test]
    fn a_sample_doubles_after_five_calm_minutes() {
        let mut sample = Sample::default();
        sample.halve(0);
        sample.halve(0);
        let minute = 60_000_000_000;
        sample.relax(0, true);
        sample.relax(4 * minute, true);
        sample.relax(5 * minute, false);
        sample.relax(6 * minute, true);
        sample.relax(10 * minute, true);
        assert_eq!(sample.weight(0), 4);
        sample.relax(11 * minute, true);
        assert_eq!(sample.weight(0), 2);
        sample.relax(15 * minute, true);
        assert_eq!(sample.weight(0), 2);
        sample.relax(16 * minute, true);
        assert_eq!(sample.weight(0), 1);
    }
}
