//! Batches that were made once, with traces that are new each time: a repeated span would be recognised as one.

use bailiwick_collector::observation::batch::Batch;
use bailiwick_collector::observation::batch::layout::{HEADER_BYTES, ROW_BYTES, Section, aligned};

/// Gives traces ids that no other span has, spread over all bits as random ids are.
#[derive(Debug, Default)]
pub struct Fresh(u64);

impl Fresh {
    /// The batch with each span in a trace of its own.
    ///
    /// # Panics
    /// Never: only ids change, and a sound batch stays sound.
    #[must_use]
    pub fn traces(&mut self, batch: &Batch) -> Batch {
        let mut bytes = batch.bytes().to_vec();
        let view = batch.view();
        let rows = |section: Section| aligned(view.count(section) * ROW_BYTES[section as usize]);
        let first = HEADER_BYTES + rows(Section::Contexts) + rows(Section::Evidence);
        for span in 0..view.count(Section::Spans) {
            self.0 += 1;
            let id = u128::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            bytes[first + span * ROW_BYTES[Section::Spans as usize]..][..16].copy_from_slice(&id.to_be_bytes());
        }
        Batch::check(bytes).expect("only ids were changed")
    }
}
