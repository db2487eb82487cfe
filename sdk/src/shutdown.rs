//! The end of telemetry: a flush with a deadline, on threads of its own, so that it ends in time in any runtime and
//! without one. It never blocks an executor and never waits longer than its deadline.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::delivery::Ledger;

/// What became of the spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShutdownReport {
    /// Spans that the server took since the start.
    pub flushed: u64,
    /// Spans that were lost: the queue was full, the server refused or was away, or the deadline came first.
    pub dropped: u64,
    /// Whether the deadline came before the flush was over.
    pub timed_out: bool,
}

/// A shutdown under way. It goes on whether or not anybody waits: await it, or [`Shutdown::wait`] for it.
#[derive(Debug)]
#[must_use = "dropping it does not wait for the flush"]
pub struct Shutdown(Arc<Desk>);

/// Where the report is put down and picked up.
#[derive(Debug, Default)]
struct Desk {
    slot: Mutex<(Option<ShutdownReport>, Option<Waker>)>,
    filled: Condvar,
}

impl Desk {
    fn fill(&self, report: ShutdownReport) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.0 = Some(report);
        let waker = slot.1.take();
        drop(slot);
        self.filled.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Shutdown {
    /// A shutdown that is over.
    pub(crate) fn over(report: ShutdownReport) -> Self {
        let desk = Desk::default();
        desk.fill(report);
        Self(Arc::new(desk))
    }

    pub(crate) fn start(provider: SdkTracerProvider, ledger: Arc<Ledger>, deadline: Duration) -> Self {
        let desk = Arc::new(Desk::default());
        let (desk_of_thread, ledger_of_thread) = (desk.clone(), ledger.clone());
        let watch = move || {
            let ended_in_time = flush(provider, deadline);
            desk_of_thread.fill(report(&ledger_of_thread, !ended_in_time));
        };
        if std::thread::Builder::new().name("bailiwick-shutdown".to_owned()).spawn(watch).is_err() {
            // A process that cannot have another thread is beyond a flush, but not beyond an answer.
            return Self::over(report(&ledger, true));
        }
        Self(desk)
    }

    /// Blocks this thread until the report is there: no longer than the deadline of the shutdown.
    #[must_use]
    pub fn wait(self) -> ShutdownReport {
        let mut slot = self.0.slot.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(report) = slot.0 {
                return report;
            }
            slot = self.0.filled.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Future for Shutdown {
    type Output = ShutdownReport;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ShutdownReport> {
        let mut slot = self.0.slot.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.0 {
            Some(report) => Poll::Ready(report),
            None => {
                slot.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// True when it was over before the deadline. The provider's own timeout bounds its wait for the batch thread, but not
/// the thread's end; so a second thread does the work and this one watches the time.
fn flush(provider: SdkTracerProvider, deadline: Duration) -> bool {
    let (done, over) = sync_channel(1);
    let work = move || {
        let result = provider.shutdown_with_timeout(deadline);
        // Nobody listens any more when the deadline came first.
        let _late = done.send(result.is_ok());
    };
    match std::thread::Builder::new().name("bailiwick-flush".to_owned()).spawn(work) {
        Ok(_handle) => over.recv_timeout(deadline) == Ok(true),
        Err(_) => false,
    }
}

fn report(ledger: &Ledger, timed_out: bool) -> ShutdownReport {
    // Read first: a span delivered between the two reads must not make the difference negative.
    let flushed = ledger.delivered();
    ShutdownReport { flushed, dropped: ledger.ended().saturating_sub(flushed), timed_out }
}
