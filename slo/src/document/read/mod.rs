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
pub(crate) use indicator::{keys as indicator_keys, read_ours};
pub(super) use known::check as check_keys;
pub(crate) use known::{check_ours, unknown};
pub(crate) use object::{ANNOTATION, Kind, Object, Version, read as read_objects};
pub(super) use object::{ANNOTATION_PATH, check_data_source};
pub(super) use objective::{Objective, adjustment, read as read_objectives, read_period};
pub(crate) use objective::{target_of_percent, target_of_ratio};
pub(super) use set::Scope;
pub(crate) use set::Set;
pub(crate) use value::{decimal, flag, list, mapping, nearest, required, shortened, text, whole, wrong};
