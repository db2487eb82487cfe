//! What operators order, on its way into the journal: the only thing that this room sends. An answer is given when the
//! evaluator has carried the order out, so that whoever asks next finds it done.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bailiwick_slo::course::control::Control;
use tokio::sync::watch;

use super::http::problem::{Code, Problem};
use crate::journal::{AppendError, Journal, Record};

/// How long an order is waited for: orders are carried out with the next tick, one second at most.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// The way of orders. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Orders(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    /// `None`: the daemon is going down.
    journal: Mutex<Option<Arc<dyn Journal>>>,
    /// The number of the record that the evaluator took last.
    evaluated: watch::Receiver<u64>,
}

impl Orders {
    /// Orders go into this journal; `evaluated` tells the number of the record that the evaluator took last.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, evaluated: watch::Receiver<u64>) -> Self {
        Self(Some(Arc::new(Shared { journal: Mutex::new(Some(journal)), evaluated })))
    }

    /// Nobody carries orders out here.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Takes no further orders: the journal ends when the last one lets go of it.
    pub fn close(&self) {
        if let Some(shared) = &self.0 {
            shared.journal.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    /// Why the journal takes nothing now, if it does not.
    pub(crate) fn refuses(&self) -> Option<AppendError> {
        self.0.as_ref()?.journal.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.refuses()
    }

    /// Gives an order and waits until it has been carried out.
    ///
    /// # Errors
    /// `overloaded` when the daemon is going down or nobody evaluates: the order may still be carried out later.
    pub(crate) async fn give(&self, control: Control) -> Result<(), Problem> {
        let gone = || Problem::new(Code::Overloaded, "the daemon is going down; come back when it is up");
        let shared = self.0.as_ref().ok_or_else(gone)?;
        let journal = shared.journal.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let journal = journal.ok_or_else(gone)?;
        let appended = journal.append(Record::Control(Arc::new(control))).await;
        drop(journal);
        let seq = appended.map_err(|error| Problem::new(Code::Overloaded, error.to_string()))?.seq;
        let mut evaluated = shared.evaluated.clone();
        let done = tokio::time::timeout(WAIT_MAX, evaluated.wait_for(|known| *known >= seq));
        match done.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(gone()),
            Err(_) => {
                let detail = "the order was taken and is not carried out yet; look again before you give it once more";
                Err(Problem::new(Code::Overloaded, detail))
            }
        }
    }
}
