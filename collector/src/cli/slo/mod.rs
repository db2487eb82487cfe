//! `slo`: definitions judged, shown and tried by stories. Everything here works on files, without a daemon.

mod findings;
mod lint;
mod show;
mod test;

pub(super) use findings::{Found, human};
pub(super) use lint::lint;
pub(super) use show::show;
pub(super) use test::test;
