//! The level `none` without a disk: records are numbered by one thread, handed to the aggregator in that order, and
//! acknowledged after the hand-over. What was acknowledged is in the aggregator's inbox, and a shutdown drains it.

use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::{AppendError, Appended, Journal, Record, Sequenced};

/// Records that wait for the journal thread; the in-flight budget bounds their bytes.
const QUEUE_RECORDS_MAX: usize = 1_024;

struct Submission {
    record: Record,
    acknowledge: oneshot::Sender<u64>,
}

/// The handle that the receiver holds. Dropping the last one ends the thread, which drains first.
#[derive(Debug, Clone)]
pub struct MemoryJournal {
    queue: mpsc::Sender<Submission>,
}

/// Starts the journal thread in front of an aggregator's inbox.
///
/// # Errors
/// When the operating system gives no thread.
pub fn start(inbox: SyncSender<Sequenced>) -> std::io::Result<(MemoryJournal, JoinHandle<()>)> {
    let (queue, submissions) = mpsc::channel(QUEUE_RECORDS_MAX);
    let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || run(submissions, &inbox))?;
    Ok((MemoryJournal { queue }, thread))
}

fn run(mut submissions: mpsc::Receiver<Submission>, inbox: &SyncSender<Sequenced>) {
    let mut seq = 0;
    while let Some(Submission { record, acknowledge }) = submissions.blocking_recv() {
        // A full inbox blocks here: the queue fills, then the budget, and clients are told to come back.
        if inbox.send(Sequenced { seq: seq + 1, record }).is_err() {
            return;
        }
        seq += 1;
        // A client that left meanwhile is counted all the same: its record is in.
        let _ = acknowledge.send(seq);
    }
}

impl Journal for MemoryJournal {
    fn append(&self, record: Record) -> Appended<'_> {
        Box::pin(async move {
            let (acknowledge, acknowledged) = oneshot::channel();
            self.queue.send(Submission { record, acknowledge }).await.map_err(|_| AppendError::Closed)?;
            acknowledged.await.map_err(|_| AppendError::Closed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn records_arrive_in_the_order_of_their_numbers() {
        let (inbox, records) = std::sync::mpsc::sync_channel(8);
        let (journal, thread) = start(inbox).expect("a thread");
        for now_ns in 1..=3 {
            assert_eq!(journal.append(Record::Tick { now_ns }).await, Ok(now_ns));
        }
        drop(journal);
        thread.join().expect("the thread ends when its handles are gone");
        let seqs: Vec<u64> = records.iter().map(|record| record.seq).collect();
        assert_eq!(seqs, [1, 2, 3]);
    }

    #[tokio::test]
    async fn nothing_is_acknowledged_without_an_aggregator() {
        let (inbox, records) = std::sync::mpsc::sync_channel(8);
        let (journal, _thread) = start(inbox).expect("a thread");
        drop(records);
        assert_eq!(journal.append(Record::Tick { now_ns: 1 }).await, Err(AppendError::Closed));
    }
}
