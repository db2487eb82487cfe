//! What outlives the process, besides the journal: the data directory and the store in it. This room alone writes the
//! store; the others hand it rows, and what belongs together is one batch.
//!
//! In reading order: the directory and who may use it ([`directory`]), the store ([`store`]), how the state of the rooms
//! before lies in it ([`checkpoint`]), and the thread that writes ([`worker`]).

mod settings;
pub mod directory;
pub mod store;
pub mod checkpoint;
pub mod worker;

pub use checkpoint::Checkpoint;
pub use directory::{DataDir, Directory, DirectoryError};
pub use settings::Settings;
pub use store::{Row, Space, Store, StoreError};
