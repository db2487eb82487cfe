//! `slo` and `rules`: definitions judged, shown, explained, taken over, tried by stories and written for Prometheus work on
//! files, without a daemon; what is listed, suggested and tried on records asks one.

mod findings;
mod lint;
mod show;
mod sources;
mod test;
mod explain;
mod import;
mod backtest;
mod list;
mod rules;

pub(super) use backtest::backtest;
pub(super) use explain::explain;
pub(super) use findings::{Found, github, human, problems_json};
pub(super) use import::import;
pub(super) use lint::lint;
pub(super) use list::{list, suggest};
pub(super) use rules::{export as export_rules, export_as};
pub(super) use show::show;
pub(super) use test::test;
