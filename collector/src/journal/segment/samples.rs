//! Records for tests of this room: small batches that say which request they are.

use crate::journal::Record;
use crate::observation::batch::{Batch, Builder, Head, Meta};
use crate::observation::budget::Charge;
use crate::observation::report::Reason;

/// When samples begin, Unix nanoseconds.
pub(in crate::journal) const BEGIN_NS: u64 = 1_700_000_000_000_000_000;

/// What a sample is made of.
#[derive(Debug, Clone, Copy)]
pub(in crate::journal) struct Sample<'a> {
    /// Which request it is.
    pub id: u64,
    pub principal: &'a str,
    pub at_ns: u64,
    /// Bytes of a text in it, so that it has some length.
    pub text: usize,
    /// Items that were refused.
    pub rejected: u32,
}

impl Sample<'_> {
    pub(in crate::journal) const fn of(id: u64) -> Self {
        Sample { id, principal: "192.0.2.7", at_ns: BEGIN_NS, text: 0, rejected: 0 }
    }

    pub(in crate::journal) fn batch(&self) -> Batch {
        let mut builder = Builder::new(16, 1 << 20);
        builder.string("x".repeat(self.text).as_bytes()).expect("there is room");
        if self.rejected > 0 {
            builder.reject(0, Reason::TooLate, (0, self.rejected));
        }
        let head = Head {
            signal: 1,
            observed_at_ns: self.at_ns,
            body_hash: u128::from(self.id),
            body_bytes: 100,
            received: self.rejected,
            ..Head::default()
        };
        builder.finish(&head, &Meta { principal: self.principal, ..Meta::default() })
    }

    pub(in crate::journal) fn record(&self) -> Record {
        Record::Batch { batch: self.batch(), charge: Charge::none() }
    }
}

/// Which request a batch is.
pub(in crate::journal) fn id_of(batch: &Batch) -> u64 {
    let hash = batch.view().body_hash();
    u64::try_from(u128::from_le_bytes(hash)).expect("samples have small numbers")
}
