//! Somebody who lives in the daemon's process.

use std::pin::Pin;

use super::Started;
use crate::aggregator::{Aggregator, Snapshot};

/// Fills the books before they open, and shows each snapshot to whoever counts on with it.
pub type Past = Box<dyn FnOnce(&mut Aggregator, &mut dyn FnMut(&Snapshot)) + Send>;

/// The time that a guest spends here.
pub type Living = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Somebody who lives in the daemon's process: the demo's platform.
pub struct Guest {
    /// What it does before the daemon takes requests.
    pub past: Past,
    /// What it promises, where nothing is configured: documents by name.
    pub promises: Vec<(String, String)>,
    /// What it does while the daemon runs; the daemon stops when it is done.
    pub live: Box<dyn FnOnce(&Started) -> Living + Send>,
}
