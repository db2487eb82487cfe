//! Silences as they are ordered and told: messages that are not sent for a while.

use bailiwick_slo::course::control::{Matcher, Silence, Silenced};
use bailiwick_slo::engine::incident::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::frontend::format;
use crate::frontend::http::body::{PROSE_MAX, WORD_MAX, by, short, time, wrong};
use crate::frontend::http::problem::Problem;
use crate::frontend::scope::Scope;
use crate::frontend::view::list::Named;

/// Longest silence (`slo.md` 3.2: 90 d).
const LONGEST_S: i64 = 90 * 86_400;
/// Most matchers of one.
const MATCHERS_MAX: usize = 16;
/// Labels that can be matched.
const LABELS: [&str; 4] = ["slo", "tenant", "module", "severity"];

/// A silence as it is ordered.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SilenceOrder {
    /// All of them must match.
    matchers: Vec<SilenceMatcher>,
    /// Its begin; now if absent.
    #[schema(example = "2026-05-04T22:00:00Z")]
    starts_at: Option<String>,
    /// Its end, at most 90 d later.
    #[schema(example = "2026-05-04T23:00:00Z")]
    ends_at: String,
    /// Why.
    #[schema(example = "we are on it")]
    comment: String,
    /// Who orders it.
    #[schema(example = "kim")]
    created_by: Option<String>,
}

/// What a label must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SilenceMatcher {
    /// slo, tenant, module or severity.
    #[schema(example = "tenant")]
    name: String,
    /// A value, or a regular expression (RE2) of the whole value.
    #[schema(example = "acme")]
    value: String,
    /// It is a regular expression.
    #[serde(rename = "isRegex", default)]
    is_regex: bool,
    /// The label is like it; else it is not.
    #[serde(rename = "isEqual", default = "yes")]
    is_equal: bool,
}

const fn yes() -> bool {
    true
}

/// A silence as it is told.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct SilenceItem {
    /// 32 hexadecimal digits.
    #[schema(example = "2c26b46b68ffc68ff99b453c1d304134")]
    pub(crate) id: String,
    /// pending, active or expired.
    #[schema(example = "active")]
    pub(crate) state: &'static str,
    /// All of them must match.
    pub(crate) matchers: Vec<SilenceMatcher>,
    /// Its begin.
    #[schema(example = "2026-05-04T22:00:00.000Z")]
    pub(crate) starts_at: String,
    /// Its end, as it was ordered.
    #[schema(example = "2026-05-04T23:00:00.000Z")]
    pub(crate) ends_at: String,
    /// Why.
    #[schema(example = "we are on it")]
    pub(crate) comment: String,
    /// Who ordered it.
    #[schema(example = "kim")]
    pub(crate) created_by: String,
    /// When.
    #[schema(example = "2026-05-04T21:10:00.000Z")]
    pub(crate) created_at: Option<String>,
    /// Who ended it before its time; null: nobody.
    pub(crate) ended_by: Option<String>,
    /// When.
    pub(crate) ended_at: Option<String>,
}

/// A silence by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SilenceDocument {
    /// The document's kind and version.
    #[schema(example = "bailiwick.silence/v1")]
    pub(crate) schema: &'static str,
    /// The silence.
    #[serde(flatten)]
    pub(crate) item: SilenceItem,
}

/// A row of the list.
pub(crate) struct SilenceRow<'a> {
    pub(crate) kept: &'a Silenced,
    id: String,
    tenant: String,
}

impl<'a> From<&'a Silenced> for SilenceRow<'a> {
    fn from(kept: &'a Silenced) -> Self {
        // A silence of one tenant is that tenant's; others are the operators'.
        let is_one = |matcher: &&Matcher| matcher.name == "tenant" && matcher.is_equal && !matcher.is_regex;
        let tenant = kept.silence.matchers.iter().find(is_one).map(|matcher| matcher.value.clone());
        Self { kept, id: kept.silence.id.to_string(), tenant: tenant.unwrap_or_else(|| "*".to_owned()) }
    }
}

impl Named for SilenceRow<'_> {
    fn names(&self) -> [&str; 4] {
        [&self.tenant, "", "", &self.id]
    }
}

impl SilenceOrder {
    /// Whether it silences this scope's tenants only.
    pub(crate) fn is_within(&self, scope: &Scope) -> bool {
        !scope.is_narrow() || self.matchers.iter().filter_map(SilenceMatcher::tenant).any(|tenant| scope.holds(tenant))
    }

    /// The silence that is meant.
    ///
    /// # Errors
    /// `invalid` with the value that cannot be used.
    pub(crate) fn silence(self, now_ns: u64) -> Result<Silence, Problem> {
        let now_s = i64::try_from(now_ns / 1_000_000_000).unwrap_or(i64::MAX);
        let starts_s = self.starts_at.as_deref().map_or(Ok(now_s), |text| time("starts_at", text))?;
        let ends_s = time("ends_at", &self.ends_at)?;
        if ends_s <= starts_s.max(now_s) {
            return Err(wrong("ends_at", "it must be after starts_at, and in the future"));
        }
        if ends_s - starts_s > LONGEST_S {
            return Err(wrong("ends_at", "a silence lasts 90 days at most"));
        }
        if self.comment.trim().is_empty() {
            return Err(wrong("comment", "say why: those who miss the message will ask"));
        }
        if self.matchers.is_empty() || self.matchers.len() > MATCHERS_MAX {
            return Err(wrong("matchers", format!("there must be 1 to {MATCHERS_MAX} of them")));
        }
        let matchers = self.matchers.into_iter().map(SilenceMatcher::matcher).collect::<Result<Vec<_>, _>>()?;
        let created_by = by("created_by", self.created_by)?;
        let (comment, created_at_ns) = (short("comment", self.comment, PROSE_MAX)?, now_ns);
        let mut silence = Silence { id: Id([0; 16]), matchers, starts_s, ends_s, comment, created_by, created_at_ns };
        silence.id = Id::of(&["silence", &format!("{silence:?}")]);
        Ok(silence)
    }
}

impl SilenceMatcher {
    /// The one tenant that it means; `None`: it is about something else, or may mean others.
    fn tenant(&self) -> Option<&str> {
        (self.name == "tenant" && self.is_equal && !self.is_regex).then_some(&*self.value)
    }

    fn matcher(self) -> Result<Matcher, Problem> {
        let Self { name, value, is_regex, is_equal } = self;
        let value = short("matchers", value, WORD_MAX)?;
        if !LABELS.contains(&name.as_str()) {
            return Err(wrong("matchers", format!("`{name}` is none of {}", LABELS.join(", "))));
        }
        if is_regex && let Err(error) = crate::evaluator::anchored(&value) {
            return Err(wrong("matchers", format!("`{value}` is no regular expression: {error}")));
        }
        Ok(Matcher { name, value, is_regex, is_equal })
    }
}

impl SilenceItem {
    /// A silence as of now, nanoseconds since the Unix epoch.
    pub(crate) fn of(kept: &Silenced, now_ns: u64) -> Self {
        let Silenced { silence, ended } = kept;
        let now_s = i64::try_from(now_ns / 1_000_000_000).unwrap_or(i64::MAX);
        let at = |seconds: i64| format::second(seconds).unwrap_or_default();
        let matcher = |matcher: &Matcher| {
            let Matcher { name, value, is_regex, is_equal } = matcher.clone();
            SilenceMatcher { name, value, is_regex, is_equal }
        };
        Self {
            id: silence.id.to_string(),
            state: match ended {
                None if now_s < silence.starts_s => "pending",
                None if now_s < silence.ends_s => "active",
                _ => "expired",
            },
            matchers: silence.matchers.iter().map(matcher).collect(),
            starts_at: at(silence.starts_s),
            ends_at: at(silence.ends_s),
            comment: silence.comment.clone(),
            created_by: silence.created_by.clone(),
            created_at: format::instant(silence.created_at_ns),
            ended_by: ended.as_ref().map(|done| done.by.clone()),
            ended_at: ended.as_ref().and_then(|done| format::instant(done.at_ns)),
        }
    }
}
