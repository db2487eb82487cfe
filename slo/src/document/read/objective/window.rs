//! Time windows of budgets, and adjustments of budgets.

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::document::Adjustment;
use crate::document::finding::{Code, Findings, FixAt, Severity};
use crate::document::read::Version;
use crate::document::read::value::{Length, Unit, any_length, flag, mapping, required, shortened, text, whole, word};
use crate::document::tree::{Node, Spot, Value};
use crate::spec::{Calendar, CalendarUnit, Period, TimeSpan};

const HOUR: u64 = 3_600;
/// What holds where nothing usable is written.
const DEFAULT: Period = Period::Rolling(TimeSpan(30 * 86_400));

/// Reads the window of an SLO: there is always one, 30 days where none can be read.
pub(crate) fn read(spec: &Node, version: Version, out: &mut Findings) -> (Period, Spot) {
    let key = if version == Version::V1Alpha { "timeWindows" } else { "timeWindow" };
    let Some(written) = spec.get(key).filter(|node| !matches!(&node.value, Value::List(items) if items.is_empty()))
    else {
        let at = spec.entry(key).map_or(spec.named, |node| node.named);
        out.add(Code::Windows, at, format!("`{key}` is missing: 30 days, rolling"));
        return (DEFAULT, at);
    };
    let window = match &written.value {
        Value::List(items) => {
            if let Some(second) = items.get(1) {
                let raw = out.add_as(Code::Windows, Severity::Error, second.at, "a second time window");
                raw.help("an SLO has one; write another SLO for another window");
            }
            &items[0]
        }
        _ => written,
    };
    let period = mapping(window, out).and_then(|window| self::window(window, version, out));
    (period.unwrap_or(DEFAULT), window.get("duration").unwrap_or(window).at)
}

/// Reads a rolling window of an override: `28d`.
pub(crate) fn rolling(node: &Node, out: &mut Findings) -> Option<Period> {
    let length = any_length(node, out)?;
    period_of(node, length, out).map(Period::Rolling)
}

fn window(node: &Node, version: Version, out: &mut Findings) -> Option<Period> {
    let rolls = node.get("isRolling").map(|node| flag(node, out));
    // What it says of itself is judged even if its length cannot be read.
    let (length, at) = match version {
        Version::V1Alpha => (counted(node, out), node.get("count").unwrap_or(node)),
        _ => match required(node, "duration", out) {
            Some(at) => (any_length(at, out), at),
            None => (None, node),
        },
    };
    let span = length.and_then(|length| period_of(at, length, out));
    let calendar = node.get("calendar");
    match (rolls, calendar) {
        (Some(None), _) => None,
        (Some(Some(true)), Some(calendar)) => {
            out.add(Code::WindowKind, calendar.named, "a rolling window has no `calendar`");
            None
        }
        (Some(Some(true)), None) => span.map(Period::Rolling),
        (_, None) => {
            let raw = out.add(Code::WindowKind, node.named, "neither rolling nor of a calendar");
            raw.help("write `isRolling: true`, or a `calendar` with `startTime` and `timeZone`");
            None
        }
        (_, Some(calendar)) => {
            let (start, zone) = civil(mapping(calendar, out)?, out)?;
            span?;
            let Some((count, unit)) = length.and_then(Length::calendar) else {
                out.add(
                    Code::Duration,
                    at.at,
                    "a calendar window is counted in one unit: `h`, `d`, `w`, `M`, `Q`, `Y`",
                );
                return None;
            };
            Some(Period::Calendar(Calendar { start, count, unit, zone }))
        }
    }
}

/// `v1alpha`: `count` and `unit`.
fn counted(node: &Node, out: &mut Findings) -> Option<Length> {
    const SECOND: u64 = 1_000_000_000;
    let units = [
        ("Second", Unit::Fixed(SECOND)),
        ("Minute", Unit::Fixed(60 * SECOND)),
        ("Hour", Unit::Fixed(HOUR * SECOND)),
        ("Day", Unit::Fixed(24 * HOUR * SECOND)),
        ("Week", Unit::Fixed(168 * HOUR * SECOND)),
        ("Month", Unit::Civil(CalendarUnit::Month)),
        ("Quarter", Unit::Civil(CalendarUnit::Quarter)),
        ("Year", Unit::Civil(CalendarUnit::Year)),
    ];
    let unit = required(node, "unit", out).and_then(|node| word(node, &units, Code::Duration, out));
    let count: u32 = whole(required(node, "count", out)?, out)?;
    let unit = unit?;
    let (one, is_civil) = match unit {
        Unit::Fixed(nanoseconds) => (nanoseconds, false),
        Unit::Civil(unit) => (unit.nominal_seconds() * SECOND, true),
    };
    let nanoseconds = one.checked_mul(u64::from(count))?;
    Some(Length { nanoseconds, single: Some((count, unit)), is_civil })
}

fn period_of(node: &Node, length: Length, out: &mut Findings) -> Option<TimeSpan> {
    let Some(span) = length.span() else {
        out.add(Code::Duration, node.at, "a period is a whole number of seconds");
        return None;
    };
    if span.seconds() >= HOUR {
        return Some(span);
    }
    let raw = out.add(Code::PeriodShort, node.at, format!("a period of {span} is under an hour"));
    if let Some((count, Unit::Fixed(60_000_000_000))) = length.single {
        raw.help("`m` is minutes, `M` is months").fix(FixAt::Here, format!("{count}M"));
    }
    None
}

fn civil(node: &Node, out: &mut Findings) -> Option<(DateTime, TimeZone)> {
    let mut of = |key: &str| {
        let value = node.get(key);
        if value.is_none() {
            out.add(Code::WindowKind, node.named, format!("a calendar needs its `{key}`"));
        }
        value
    };
    let (start_at, zone_at) = (of("startTime"), of("timeZone"));
    let zone = zone_at.and_then(|node| {
        let name = text(node, out)?;
        let zone = TimeZoneDatabase::bundled().get(name).ok();
        if zone.is_none() {
            let raw = out.add(Code::WindowKind, node.at, format!("unknown time zone `{}`", shortened(name)));
            raw.help("write a name of the IANA database, such as `Europe/Berlin` or `UTC`");
        }
        zone
    });
    let start = start_at.and_then(|node| {
        let written = text(node, out)?;
        let is_utc = zone_at.and_then(Node::text).is_some_and(|zone| matches!(zone, "UTC" | "Etc/UTC"));
        let plain = if is_utc { written.trim_end_matches('Z') } else { written };
        let start = plain.parse::<DateTime>().ok();
        if start.is_none() {
            let raw = out.add(Code::WindowKind, node.at, format!("`{}` is no start time", shortened(written)));
            raw.help("write it as `2026-01-01 12:00:00`, in the calendar's own zone");
        }
        start
    });
    Some((start?, zone?))
}

/// Reads a budget adjustment; its times stay as they are written.
pub(crate) fn adjustment(name: &str, spec: &Node, out: &mut Findings) -> Option<Adjustment> {
    let service = required(spec, "service", out).and_then(|node| text(node, out));
    let starts_at = required(spec, "startTime", out).and_then(|node| text(node, out));
    let indicator = spec.get("indicatorRef").or_else(|| spec.get("sliRef")).and_then(|node| text(node, out));
    let ends_at = spec.get("endTime").and_then(|node| text(node, out));
    let lasts = spec.get("duration").and_then(|node| any_length(node, out)).and_then(Length::span);
    match (spec.get("endTime"), spec.get("duration")) {
        (None, None) => {
            out.add(Code::Missing, spec.named, "`endTime` or `duration` is missing");
        }
        (Some(_), Some(duration)) => {
            out.add(Code::Indicator, duration.named, "`endTime` and `duration` exclude each other");
        }
        _ => {}
    }
    Some(Adjustment {
        name: name.to_owned(),
        service: service?.to_owned(),
        indicator: indicator.map(str::to_owned),
        starts_at: starts_at?.to_owned(),
        ends_at: ends_at.map(str::to_owned),
        lasts,
    })
}
