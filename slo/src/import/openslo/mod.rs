//! OpenSLO in any version. What an SLO refers to is written into it, so that it stands by itself, and what two versions
//! spell differently is spelled as in v1: an SLO means the same before and after.

mod read;
mod slo;
mod metric;
mod alerts;

pub(super) use read::read;
