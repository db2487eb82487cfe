//! Single values, of whatever key.

mod duration;
mod scalar;

pub(crate) use duration::{Length, Unit};
pub(crate) use scalar::{
    any_length, decimal, flag, is_number, list, mapping, nanoseconds, nearest, percent, required, shortened, span,
    text, texts, whole, word, wrong,
};
