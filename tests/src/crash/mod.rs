//! A daemon that is killed while clients send to it: what was acknowledged must be counted, nothing twice
//! (`ingest.md` 10, P1 and P4).
//!
//! In reading order: what is sent ([`traffic`]), who sends it and notes what was acknowledged ([`sender`]), what the daemon
//! says against that ([`books`]), the cycles of start, traffic and kill ([`run`]); file systems of a test's own ([`mount`])
//! and disks whose power is cut ([`cuts`]).

pub mod traffic;
pub mod sender;
pub mod books;
pub mod run;
pub mod mount;
pub mod cuts;

pub use run::{Outcome, Plan, run};
