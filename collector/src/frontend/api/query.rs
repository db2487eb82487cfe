//! The parameters of lists, from text to values. Every fault is a problem that names the parameter.

use bailiwick_slo::conventions::EntryType;
use bailiwick_slo::time::{SLOT_NS, Slot, Window};
use jiff::Timestamp;

use crate::frontend::http::asked::Asked;
use crate::frontend::http::cursor::{self, Position};
use crate::frontend::http::problem::{Code, Problem};
use crate::frontend::view::figure;
use crate::frontend::view::list::{Cut, Filter};
use crate::frontend::view::row::Row;

/// Rows of a page when nothing is said.
const LIMIT_DEFAULT: usize = 100;

/// Most rows of a page.
const LIMIT_MAX: usize = 1_000;

/// Most rows of a page when each has its slots: 390 slots of 300 bytes times 100 rows are 12 MB.
const STEPPED_LIMIT_MAX: usize = 100;

/// How far slots reach back (`sli.md` 4.3): 65 minutes.
const SLOTS_KEPT: u32 = 390;

/// Parameters of lists that are not about requests.
pub(crate) const LIST: &[&str] = &["limit", "cursor", "q"];

/// Parameters of `/v1/ingest`.
pub(crate) const INGEST: &[&str] = &["tenant", "limit", "cursor", "q"];

/// Parameters of `/v1/tenants`.
pub(crate) const TENANTS: &[&str] = &["tenant", "window", "limit", "cursor", "sort", "q"];

/// Parameters of `/v1/modules`.
pub(crate) const MODULES: &[&str] = &["tenant", "module", "window", "limit", "cursor", "sort", "q"];

/// Parameters of `/v1/series`.
pub(crate) const SERIES: &[&str] =
    &["tenant", "module", "operation", "type", "window", "step", "from", "to", "limit", "cursor", "sort", "q"];

/// Parameters of `/v1/coverage` and `/v1/graph`.
pub(crate) const JUDGED: &[&str] = &["tenant", "module", "window", "limit", "cursor", "q"];

/// Parameters of `/v1/findings`.
pub(crate) const FINDINGS: &[&str] = &["tenant", "module", "operation", "limit", "cursor", "q"];

/// Parameters of `/v1/slos`.
pub(crate) const SLOS: &[&str] = &["tenant", "module", "slo", "limit", "cursor", "q"];

/// Parameters of `/v1/incidents`.
pub(crate) const INCIDENTS: &[&str] = &["tenant", "module", "slo", "state", "level", "limit", "cursor", "q"];

/// What rows are sorted by. Names break ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sort {
    key: Key,
    descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Name,
    Requests,
    Failures,
    SuccessRatio,
    LastSeen,
}

const KEYS: [(&str, Key); 5] = [
    ("name", Key::Name),
    ("requests", Key::Requests),
    ("failures", Key::Failures),
    ("success_ratio", Key::SuccessRatio),
    ("last_seen_at", Key::LastSeen),
];

impl Sort {
    /// The row's place, ascending. Rows without a ratio come last either way: there is nothing to compare.
    pub(crate) fn rank(self, row: &Row) -> u64 {
        let outcomes = &row.counts.outcomes;
        let rank = match self.key {
            Key::Name => 0,
            Key::Requests => outcomes.total(),
            Key::Failures => outcomes.bad(),
            Key::LastSeen => row.last_seen_ns,
            Key::SuccessRatio => {
                let ratio = figure::success(outcomes);
                if ratio.denominator == 0 {
                    return u64::MAX;
                }
                let billionths = u128::from(ratio.numerator) * 1_000_000_000 / u128::from(ratio.denominator);
                u64::try_from(billionths).unwrap_or(u64::MAX)
            }
        };
        if self.descending { u64::MAX - 1 - rank.min(u64::MAX - 1) } else { rank }
    }

    fn read(asked: &Asked) -> Result<Self, Problem> {
        let text = asked.get("sort").unwrap_or("name");
        let (descending, word) = match text.strip_prefix('-') {
            Some(word) => (true, word),
            None => (false, text),
        };
        match KEYS.iter().find(|(name, _)| *name == word) {
            // Names are text: they have no rank that could be turned round.
            Some((_, Key::Name)) if descending => {
                Err(Problem::parameter(Code::BadRequest, "sort", "names are sorted upwards only"))
            }
            Some((_, key)) => Ok(Self { key: *key, descending }),
            None => Err(Problem::parameter(
                Code::BadRequest,
                "sort",
                "it is one of name, requests, failures, success_ratio, last_seen_at; `-` before it turns it round",
            )),
        }
    }
}

/// A question for a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListQuery {
    /// Which rows.
    pub(crate) filter: Filter,
    /// Counted over.
    pub(crate) window: Window,
    /// In which order.
    pub(crate) sort: Sort,
    /// Which page.
    pub(crate) cut: Cut,
    /// Whether slots are asked for, and which if it was said.
    pub(crate) slots: Option<Stretch>,
}

/// A stretch of slots; without bounds it is the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Stretch {
    from: Option<Slot>,
    to: Option<Slot>,
}

impl ListQuery {
    /// Reads the parameters of a list that knows these.
    ///
    /// # Errors
    /// The problem with the first parameter that is at fault.
    pub(crate) fn read(asked: &Asked, known: &[&str]) -> Result<Self, Problem> {
        asked.only(known)?;
        let text = |name: &str| asked.get(name).map(str::to_owned);
        let window = window(asked)?;
        let slots = stretch(asked, window)?;
        let filter = Filter {
            scope: asked.scope(),
            module: text("module"),
            operation: text("operation"),
            entry: entry(asked)?,
            part: asked.get("q").map(str::to_lowercase),
        };
        let fingerprint = fingerprint(asked);
        let limit = limit(asked, if slots.is_some() { STEPPED_LIMIT_MAX } else { LIMIT_MAX })?;
        let cut = Cut { after: after(asked, fingerprint)?, limit, fingerprint };
        Ok(Self { filter, window, sort: Sort::read(asked)?, cut, slots })
    }
}

impl ListQuery {
    /// Like [`Self::read`], of figures that windows below five minutes say nothing about.
    ///
    /// # Errors
    /// The problem with the first parameter that is at fault.
    pub(crate) fn of_judged(asked: &Asked) -> Result<Self, Problem> {
        let query = Self::read(asked, JUDGED)?;
        if query.window == Window::Minute {
            return Err(Problem::parameter(Code::BadRequest, "window", "it is one of 5m, 1h, 1d"));
        }
        Ok(query)
    }
}

impl Stretch {
    /// The slots `from..to`, of those closed by `data_through`.
    pub(crate) fn slots(self, window: Window, data_through_ns: u64) -> (Slot, Slot) {
        let closed = Slot::holding(data_through_ns);
        let to = self.to.map_or(closed, |to| to.min(closed));
        let oldest = Slot(closed.0.saturating_sub(SLOTS_KEPT));
        let from = self.from.unwrap_or(Slot(to.0.saturating_sub(window.slots())));
        (from.max(oldest).min(to), to)
    }
}

fn window(asked: &Asked) -> Result<Window, Problem> {
    match asked.get("window") {
        None => Ok(Window::FiveMinutes),
        Some(text) => {
            text.parse().map_err(|_| Problem::parameter(Code::BadRequest, "window", "it is one of 1m, 5m, 1h, 1d"))
        }
    }
}

fn entry(asked: &Asked) -> Result<Option<String>, Problem> {
    word(asked, "type", &EntryType::ALL.map(EntryType::name))
}

/// The value of a parameter that knows these only.
///
/// # Errors
/// `bad_request` for another one.
pub(crate) fn word(asked: &Asked, name: &str, known: &[&str]) -> Result<Option<String>, Problem> {
    match asked.get(name) {
        Some(text) if !known.contains(&text) => {
            Err(Problem::parameter(Code::BadRequest, name, format!("it is one of {}", known.join(", "))))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

fn stretch(asked: &Asked, window: Window) -> Result<Option<Stretch>, Problem> {
    let (from, to) = (moment(asked, "from")?, moment(asked, "to")?);
    let Some(step) = asked.get("step") else {
        if from.is_some() || to.is_some() {
            let detail = "it goes with `step=10s`; without it counts are those of `window`";
            return Err(Problem::parameter(Code::BadRequest, if from.is_some() { "from" } else { "to" }, detail));
        }
        return Ok(None);
    };
    if step != "10s" {
        return Err(Problem::parameter(Code::BadRequest, "step", "it is 10s"));
    }
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Problem::parameter(Code::BadRequest, "from", "it must be before `to`"));
    }
    if window == Window::Day && from.is_none() {
        return Err(Problem::parameter(Code::Invalid, "window", "slots of 10s are kept for 65 minutes"));
    }
    // A slot belongs to the stretch when it begins in it.
    let begins = |ns: u64| Slot(u32::try_from(ns.div_ceil(SLOT_NS)).unwrap_or(u32::MAX));
    Ok(Some(Stretch { from: from.map(begins), to: to.map(begins) }))
}

/// A time as RFC 3339 or unix seconds, in nanoseconds.
fn moment(asked: &Asked, name: &str) -> Result<Option<u64>, Problem> {
    let Some(text) = asked.get(name) else { return Ok(None) };
    let from_seconds = || text.parse::<u64>().ok()?.checked_mul(1_000_000_000);
    let from_rfc_3339 = || u64::try_from(text.parse::<Timestamp>().ok()?.as_nanosecond()).ok();
    let ns = from_seconds().or_else(from_rfc_3339);
    ns.map(Some).ok_or_else(|| {
        Problem::parameter(Code::BadRequest, name, "write it as 2026-05-04T10:00:00Z or as unix seconds")
    })
}

fn limit(asked: &Asked, max: usize) -> Result<usize, Problem> {
    let Some(text) = asked.get("limit") else { return Ok(LIMIT_DEFAULT) };
    match text.parse::<usize>() {
        Ok(0) | Err(_) => Err(Problem::parameter(Code::BadRequest, "limit", "it is a number of rows, from 1 up")),
        Ok(limit) if limit > max => {
            Err(Problem::parameter(Code::LimitExceeded, "limit", format!("{max} rows are the most of this page")))
        }
        Ok(limit) => Ok(limit),
    }
}

/// What makes this list another one: all but how much of it is asked for.
fn fingerprint(asked: &Asked) -> u64 {
    let shaping =
        ["tenant", "module", "operation", "type", "slo", "state", "level", "window", "step", "from", "to", "sort", "q"];
    let values = shaping.map(|name| asked.get(name).unwrap_or_default());
    let scope = asked.header("x-scope-orgid").unwrap_or_default();
    cursor::fingerprint([asked.path.as_str(), scope].into_iter().chain(values))
}

fn after(asked: &Asked, fingerprint: u64) -> Result<Option<Position>, Problem> {
    let Some(text) = asked.get("cursor") else { return Ok(None) };
    cursor::decode(text, fingerprint).map(Some).ok_or_else(|| {
        Problem::parameter(
            Code::BadCursor,
            "cursor",
            "it comes from `next_cursor` of the same list with the same filters",
        )
    })
}

#[cfg(test)]
mod tests;
