//! HTTP as this listener speaks it: questions read strictly, problems told alike, answers cached and guarded.

pub(crate) mod accept;
pub(crate) mod asked;
pub(crate) mod cursor;
pub(crate) mod problem;
pub(crate) mod body;

pub(crate) mod answer;
pub(crate) mod guard;
pub(crate) mod observe;
