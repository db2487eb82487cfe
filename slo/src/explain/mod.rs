//! What a definition means, in words and numbers, before anything is counted. Pure: a definition and a few values that
//! somebody asks about in, a plain [`Explanation`] out, which others print or turn into JSON.
//!
//! In reading order: what an explanation is made of ([`sheet`]), figures as people read them (`words`), how long what
//! takes under constant traffic ([`forms`]), the three budgeting methods side by side ([`methods`]), what is asked
//! ([`asked`]), what a definition says (`definition`, `silence`), which override set what (`origins`), and all of it
//! together ([`explain`]).

pub mod sheet;
mod words;
pub mod forms;
pub mod methods;
pub mod asked;
mod good;
mod definition;
mod silence;
mod origins;
mod whole;

pub use asked::{Asked, BadAsk, Pace};
pub use definition::every;
pub use forms::{Allowance, Fires, TierForms, TooFine};
pub use methods::{Figures, Slice, side_by_side};
pub use sheet::{Explanation, Number, Row, Section, Value, Written};
pub use whole::explain;

#[cfg(test)]
mod tests;
