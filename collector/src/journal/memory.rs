//! The level `none` without a disk: a record gets its number and its place in the aggregator's inbox in one step, and is
//! acknowledged then. What was acknowledged is in the inbox, and a shutdown drains it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::{Acknowledged, AppendError, Appended, Journal, Record, Sequenced};

/// The journal's handle. The inbox closes when the last one is dropped.
///
/// No thread of its own stands between: on a busy core each hand-over costs as much as the walk of fifty spans.
#[derive(Debug, Clone)]
pub struct MemoryJournal {
    inbox: mpsc::Sender<Sequenced>,
    last_seq: Arc<Mutex<u64>>,
}

impl MemoryJournal {
    /// A journal in front of an aggregator's inbox.
    #[must_use]
    pub fn new(inbox: mpsc::Sender<Sequenced>) -> Self {
        Self { inbox, last_seq: Arc::default() }
    }
}

impl Journal for MemoryJournal {
    fn append(&self, record: Record) -> Appended<'_> {
        Box::pin(async move {
            // A full inbox makes appenders wait: then the budget fills, and clients are told to come back.
            let place = self.inbox.reserve().await.map_err(|_| AppendError::Closed)?;
            // Numbers and places under one lock: the order of the inbox is that of the numbers.
            let mut last_seq = self.last_seq.lock().unwrap_or_else(PoisonError::into_inner);
            *last_seq += 1;
            place.send(Sequenced { seq: *last_seq, record });
            Ok(Acknowledged { seq: *last_seq, repeated: None })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn records_arrive_in_the_order_of_their_numbers() {
        let (inbox, mut records) = mpsc::channel(8);
        let journal = MemoryJournal::new(inbox);
        let appenders = (0..8).map(|_| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for now_ns in 0..100 {
                    journal.append(Record::Tick { now_ns }).await.expect("somebody reads");
                }
            })
        });
        let appenders: Vec<_> = appenders.collect();
        drop(journal);
        let mut seqs = Vec::new();
        while let Some(Sequenced { seq, .. }) = records.recv().await {
            seqs.push(seq);
        }
        assert_eq!(seqs, (1..=800).collect::<Vec<u64>>());
        for appender in appenders {
            appender.await.expect("no panic");
        }
    }

    #[tokio::test]
    async fn nothing_is_acknowledged_without_an_aggregator() {
        let (inbox, records) = mpsc::channel(8);
        let journal = MemoryJournal::new(inbox);
        drop(records);
        assert_eq!(journal.append(Record::Tick { now_ns: 1 }).await, Err(AppendError::Closed));
    }
}
