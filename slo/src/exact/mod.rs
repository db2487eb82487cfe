//! Exact numbers: decimals as they are written in a document, and fractions in lowest terms. No float is ever part of a
//! verdict (`slo.md` 2.1).

mod decimal;
mod fraction;
mod quotient;

pub use decimal::{BadDecimal, Decimal};
pub use fraction::Fraction;
pub use quotient::Quotient;
