//! Random SLOs: all that the page lets one write and that no finding of severity error refuses.

use bailiwick_slo::engine::windows::Grid;
use bailiwick_slo::exact::{Decimal, Fraction};
use bailiwick_slo::spec::{
    Calendar, CalendarUnit, Draft, EmptySlice, Expect, Globs, GroupBy, Method, Op, Period, Rate, Selector, Severity,
    Sli, Slo, Target, Terms, TierDraft, TierSource, TimeSpan, Weighting,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::civil;
use crate::prng::Random;
use crate::traffic::Wild;

/// An SLO and the time in which it lives.
#[derive(Debug, Clone)]
pub(crate) struct Promise {
    pub(crate) slo: Slo,
    pub(crate) grid: Grid,
    /// The first tick, and how many there are.
    pub(crate) first: u64,
    pub(crate) ticks: u64,
}

impl Promise {
    /// A tick that slices begin at: all calendar windows are whole slices long.
    pub(crate) fn origin(&self) -> u64 {
        match &self.slo.draft.terms.period {
            Period::Rolling(_) => 0,
            Period::Calendar(calendar) => {
                let until = i64::try_from(self.first * self.grid.tick_s).expect("not so late");
                let begin = civil::holding(&civil::edges(calendar, until), until).0;
                u64::try_from(begin).expect("after 1970") / self.grid.tick_s
            }
        }
    }
}

/// How long a stream and its windows are.
struct Size {
    grid: Grid,
    /// Possible rolling periods, seconds.
    periods: &'static [u64],
    ticks: (u64, u64),
}

const HOUR: u64 = 3_600;

/// Moments at which calendars do something odd, with their zones: clocks jump by an hour or by half of one, offsets are
/// no whole hours, months and years end.
const ODD: [(&str, &str, &str); 12] = [
    ("America/New_York", "2026-03-08T07:00:00Z", "2026-03-01T00:00:00"),
    ("America/New_York", "2026-11-01T06:00:00Z", "2026-10-31T01:30:00"),
    ("America/New_York", "2026-03-08T07:30:00Z", "2026-03-07T02:30:00"),
    ("Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-01T02:30:00"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-20T02:00:00"),
    ("Europe/Berlin", "2026-02-28T23:00:00Z", "2025-12-31T00:00:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z", "2026-04-01T01:45:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z", "2026-10-02T02:15:00"),
    ("Asia/Kathmandu", "2026-01-31T18:15:00Z", "2026-01-31T00:00:00"),
    ("Pacific/Apia", "2026-06-30T11:00:00Z", "2026-06-29T12:00:00"),
    ("Asia/Kolkata", "2026-12-31T18:30:00Z", "2026-10-01T00:00:00"),
    ("UTC", "2028-02-29T00:00:00Z", "2028-01-31T00:00:00"),
];

/// A random SLO.
pub(crate) fn promise(random: &mut Random, wild: Wild) -> Promise {
    let size = size(random);
    let (mut first, mut ticks) = (random.between(175_000_000, 176_000_000), random.between(size.ticks.0, size.ticks.1));
    first = first * 10 / size.grid.tick_s;
    let mut period = Period::Rolling(TimeSpan(random.pick(size.periods)));
    if random.per_mille(250) {
        let (calendar, moment) = calendar(random);
        let odd = moment / size.grid.tick_s;
        first = odd - random.below(ticks);
        period = Period::Calendar(calendar);
    }
    // Now and then it begins on a whole hour.
    if random.per_mille(200) {
        first -= first % (HOUR / size.grid.tick_s);
    }
    if random.per_mille(20) {
        ticks = random.between(1, 20);
    }
    let method = method(random, &period, wild);
    let slo = slo(random, (period, method), size.grid);
    Promise { slo, grid: size.grid, first, ticks }
}

fn size(random: &mut Random) -> Size {
    let coarse = |random: &mut Random| {
        let (tick_s, cell_ticks) = random.pick(&[(20, 3), (30, 2), (60, 1)]);
        Grid { tick_s, cell_ticks }
    };
    match random.below(1_000) {
        0..=9 => Size { grid: Grid::LIVE, periods: &[12 * HOUR, 24 * HOUR], ticks: (5_000, 11_000) },
        10..=19 => Size { grid: coarse(random), periods: &[24 * HOUR, 48 * HOUR], ticks: (2_000, 6_000) },
        20..=199 => Size { grid: Grid::LIVE, periods: &[2 * HOUR, 3 * HOUR, 6 * HOUR, 4_260], ticks: (800, 2_500) },
        200..=299 => Size { grid: coarse(random), periods: &[HOUR, 3 * HOUR, 6 * HOUR], ticks: (200, 900) },
        _ => Size { grid: Grid::LIVE, periods: &[HOUR, HOUR, 3_660, 5_400, 2 * HOUR], ticks: (200, 1_100) },
    }
}

/// A calendar, and the odd moment near which the stream is to run.
fn calendar(random: &mut Random) -> (Calendar, u64) {
    let (zone, moment, start) = random.pick(&ODD);
    let moment = moment.parse::<Timestamp>().expect("a moment").as_second();
    let units = [
        (CalendarUnit::Hour, 6),
        (CalendarUnit::Day, 2),
        (CalendarUnit::Week, 1),
        (CalendarUnit::Month, 2),
        (CalendarUnit::Quarter, 1),
        (CalendarUnit::Year, 1),
    ];
    let (unit, count_max) = random.pick(&units);
    let count = u32::try_from(random.between(1, count_max)).expect("few");
    // Far enough back that every stream lies after its begin.
    let years = if random.per_mille(300) { 3 } else { 1 };
    let start: jiff::civil::DateTime = start.parse().expect("a civil time");
    let start = start.with().year(start.year() - years).day(start.day().min(28)).build().expect("a date");
    let start = if random.per_mille(400) { start.with().month(1).day(31).build().expect("a date") } else { start };
    let zone = TimeZone::get(zone).expect("a zone");
    (Calendar { start, count, unit, zone }, u64::try_from(moment).expect("after 1970"))
}

fn method(random: &mut Random, period: &Period, wild: Wild) -> Method {
    // Seven minutes go into no hour and no day.
    let (lengths, kinds): (Vec<u64>, _) = match wild {
        Wild::CutSlices => (vec![420], 60..=99),
        _ => (vec![60, 120, 180, 300, 600, 900, 1_800], 0..=99),
    };
    let whole = |slice: &u64| wild == Wild::CutSlices || period.nominal_seconds().is_multiple_of(*slice);
    let lengths: Vec<u64> = lengths.into_iter().filter(whole).collect();
    let slice = TimeSpan(random.pick(&lengths));
    match random.between(*kinds.start(), *kinds.end()) {
        0..=59 => Method::Occurrences,
        60..=79 => {
            let target = random.pick(&["1", "0.9", "0.95", "0.5", "0.001"]);
            Method::Timeslices { slice, target: decimal(target) }
        }
        _ => Method::RatioTimeslices { slice },
    }
}

fn slo(random: &mut Random, (period, method): (Period, Method), grid: Grid) -> Slo {
    let written = match random.below(8) {
        0 => format!("0.{:08}", random.below(100_000_000)),
        1 => format!("0.{:03}", random.below(1_000)),
        _ => random.pick(&["0", "0.5", "0.75", "0.9", "0.95", "0.99", "0.999", "0.9999"]).to_owned(),
    };
    let target = Target::of(decimal(&written)).expect("a target");
    let tiers: Vec<TierDraft> = (0..random.below(5)).map(|_| tier(random, &period, (target, grid))).collect();
    let mut terms = Terms::usual(target, period);
    terms.ttl = TimeSpan(400 * 86_400);
    terms.activate_events = random.pick(&[1, 1, 1, 50]);
    // The first ones are tails of a few events: one bad of one where f beta is 1/100, two of two where it is 1/2, ..
    terms.low_traffic.alpha = decimal(random.pick(&["0.01", "0.25", "0.001", "0.307"]));
    terms.low_traffic.apply_below = random.pick(&[30, 30, 30, 5, 0]);
    terms.low_traffic.weighting = random.pick(&[Weighting::Rate, Weighting::Rate, Weighting::Volume]);
    terms.no_data.expect = random.pick(&[Expect::Auto, Expect::Auto, Expect::Traffic, Expect::Nothing]);
    terms.no_data.after = TimeSpan(random.pick(&[60, 120, 300]));
    terms.no_data.floor = decimal(random.pick(&["0.9", "0.9", "0.5", "0", "1", "0.99", "0.333"]));
    terms.no_data.empty_slice = random.pick(&[EmptySlice::Skip, EmptySlice::Good, EmptySlice::Bad]);
    Slo {
        id: "random".to_owned(),
        display_name: String::new(),
        description: String::new(),
        service: "rag_hub".to_owned(),
        labels: Default::default(),
        selector: Selector {
            tenant: Globs::of_tenants(["*"]),
            module: Globs::new(["*"]),
            operation: Globs::new(["*"]),
            group_by: GroupBy { tenant: true, module: true },
        },
        sli: Sli::Availability,
        method,
        draft: Draft { terms, tiers: TierSource::List(tiers) },
        overrides: Vec::new(),
        instances_max: 10,
        owner: None,
        revision: "00000000".to_owned(),
    }
}

/// A tier that the lint lets pass: `S < L <= P`, whole ticks up to an hour and whole minutes above, `f beta` below 1.
fn tier(random: &mut Random, period: &Period, (target, grid): (Target, Grid)) -> TierDraft {
    let period_s = period.nominal_seconds();
    let longest = period_s.min(12 * HOUR);
    let long = match random.below(5) {
        0 => longest,
        1 => HOUR,
        2 => random.pick(&[300, 600, 1_800]),
        3 => random.between(2, HOUR / grid.tick_s) * grid.tick_s,
        _ if longest > HOUR => random.between(61, longest / 60) * 60,
        _ => random.between(2, 90) * 60 / grid.tick_s * grid.tick_s,
    };
    let long = long.clamp(2 * grid.tick_s, longest);
    let short = random.per_mille(800).then(|| {
        let short = if random.per_mille(500) { long / 12 } else { random.between(1, long) };
        let unit = if short > HOUR { 60 } else { grid.tick_s };
        TimeSpan((short / unit * unit).clamp(grid.tick_s, long - grid.tick_s))
    });
    // Where L is just over an hour, S may have lost its whole minutes to the bound above.
    let short = short.map(|short| if short.0 > HOUR { TimeSpan(short.0 / 60 * 60) } else { short });
    let threshold = random.pick(&[(1, 100), (1, 20), (1, 10), (1, 5), (1, 4), (1, 2), (9, 10), (144, 10_000), (1, 3)]);
    let factor = Fraction::new(threshold.0, threshold.1).over(target.beta_fraction()).expect("beta is above 0");
    let share = Fraction::new(random.between(1, 50), 100);
    // f beta = c beta P / L < 1.
    let reachable = u128::from(share.numerator()) * u128::from(target.beta()) * u128::from(period_s)
        < u128::from(share.denominator()) * 100_000_000 * u128::from(long);
    let rate = if reachable && random.per_mille(300) { Rate::Consume(share) } else { Rate::Factor(factor) };
    TierDraft {
        severity: random.pick(&[Severity::Page, Severity::Ticket]),
        long: TimeSpan(long),
        short,
        rate,
        op: random.pick(&[Op::Gt, Op::Gte]),
        hold: TimeSpan(random.pick(&[0, 0, 0, 10, 15, 60, 300])),
    }
}

/// A decimal from its text.
pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}
