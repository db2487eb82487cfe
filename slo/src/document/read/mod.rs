//! From trees to what documents say, object by object. Each part answers what it could read, and adds what is wrong.

mod value;
mod object;
mod set;
mod known;
mod indicator;
mod objective;
mod alerts;
mod extension;

pub(super) use alerts::{Alerting, TierAt, Tiers, check as check_policy, check_condition, check_target};
pub(super) use alerts::{check_windows, read as read_alerts};
pub(super) use extension::{Extension, RuleAt, read as read_extension};
pub(super) use indicator::{Indicator, check as check_indicator};
pub(super) use known::check as check_keys;
pub(super) use object::{ANNOTATION_PATH, Kind, Object, Version, check_data_source, read as read_objects};
pub(super) use objective::{Objective, adjustment, read as read_objectives, read_period};
pub(super) use set::{Scope, Set};
pub(super) use value::{shortened, text};
