//! From trees to what documents say, object by object. Each part answers what it could read, and adds what is wrong.

mod value;
mod duration;
mod known;
mod object;
mod set;
mod indicator;
mod our_sli;
mod window;
mod tiers;
mod alerts;
mod extension;
mod patch;
mod target;
mod objective;

pub(super) use alerts::{Alerting, check as check_policy, check_condition, check_target, read as read_alerts};
pub(super) use duration::Length;
pub(super) use extension::{Extension, RuleAt, read as read_extension};
pub(super) use indicator::{Indicator, check as check_indicator};
pub(super) use known::check as check_keys;
pub(super) use object::{ANNOTATION_PATH, Kind, Object, Version, check_data_source, read as read_objects};
pub(super) use objective::{Objective, read as read_objectives};
pub(super) use set::Set;
pub(super) use tiers::{TierAt, Tiers, check as check_windows};
pub(super) use value::{shortened, text};
pub(super) use window::{adjustment, read as read_period};
