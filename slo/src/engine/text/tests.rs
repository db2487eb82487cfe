//! Sentences of incidents, with their numbers worked out by hand.

use std::collections::BTreeMap;

use super::super::fleet::{Fleet, Limits};
use super::super::sums::{Delta, Source};
use super::super::tiers::Gates;
use super::super::windows::Grid;
use super::*;
use crate::spec::{
    Component, Draft, Globs, GroupBy, Method, Op, Rate, Selector, Severity, Target, TierDraft, TierSource,
    WhenUnmeasured,
};

/// 2023-11-14T22:13:20Z.
const FIRST: u64 = 170_000_000;

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

fn tier(severity: Severity, (long, short): (u64, u64), factor: Fraction) -> TierDraft {
    let (long, short, rate) = (TimeSpan(long), Some(TimeSpan(short)), Rate::Factor(factor));
    TierDraft { severity, long, short, rate, op: Op::Gt, hold: TimeSpan(0) }
}

/// Without repeats, which would say everything again.
fn terms() -> Terms {
    let target = Target::of(decimal("0.999")).expect("a target");
    let mut terms = Terms::usual(target, Period::Rolling(TimeSpan(30 * 86_400)));
    terms.alerts.repeat_every = TimeSpan(0);
    terms
}

/// 99.9 % over 30 d; page 1h/5m 14.4, ticket 1d/2h 3.
fn slo(method: Method, terms: Terms) -> Slo {
    let all = || Globs::new(["*"]);
    let page = tier(Severity::Page, (3_600, 300), Fraction::new(144, 10));
    let ticket = tier(Severity::Ticket, (86_400, 7_200), Fraction::new(3, 1));
    Slo {
        id: "avail".to_owned(),
        display_name: String::new(),
        description: String::new(),
        service: "rag_hub".to_owned(),
        labels: BTreeMap::new(),
        selector: Selector {
            tenant: all(),
            module: all(),
            operation: all(),
            group_by: GroupBy { tenant: true, module: true },
        },
        sli: Sli::Availability,
        method,
        draft: Draft { terms, tiers: TierSource::List(vec![page, ticket]) },
        overrides: Vec::new(),
        instances_max: 1,
        owner: None,
        revision: "0badcafe".to_owned(),
    }
}

/// acme / rag_hub, tick after tick.
struct Story {
    fleet: Fleet,
    tick: u64,
    by: Vec<(&'static str, Vec<Part>)>,
}

impl Story {
    fn of(slo: Slo) -> Self {
        Self::of_all(vec![slo])
    }

    fn of_all(slos: Vec<Slo>) -> Self {
        let limits = Limits { instances_max: 2, memory_bytes_max: usize::MAX };
        let mut fleet = Fleet::new(slos, Grid::LIVE, "store", limits);
        fleet.places_of(("acme", "rag_hub", "POST /rag/query"), FIRST);
        let part = |value: &str, bad, share| Part { value: value.to_owned(), bad, share };
        let operations = vec![part("POST /rag/query", 35, 814), part("GET /rag", 8, 186)];
        Self { fleet, tick: FIRST, by: vec![("tenant", vec![part("acme", 43, 1_000)]), ("operation", operations)] }
    }

    fn usual() -> Self {
        Self::of(slo(Method::Occurrences, terms()))
    }

    /// A tick with `bad` of `total` requests, then quiet ones, `ticks` of them in all.
    fn then(mut self, (bad, total): (i64, i64), ticks: u64, source: Source) -> Self {
        if total > 0 {
            self.fleet.bring(0, self.tick, Delta { bad, total, raw_bad: bad, raw_total: total });
        }
        for _ in 0..ticks {
            self.fleet.close(self.tick, |_, _| source);
            self.tick += 1;
        }
        self
    }

    fn text(&self) -> String {
        self.text_of(0)
    }

    fn text_of(&self, place: usize) -> String {
        let member = &self.fleet.members()[place];
        let status = member.instance.status();
        Told {
            key: &member.key,
            slo: &member.slo,
            terms: member.instance.terms(),
            incident: member.instance.incidents.current.as_ref().expect("an incident"),
            status: &status,
            by: &self.by,
            now: self.tick,
        }
        .text()
    }
}

const FAILING: &str = "acme / rag_hub is failing its availability promise: 43 of 1,400 requests failed in the last 1 h \
    (3.07 %); 0.1 % is allowed.";
const MOST_FROM: &str = "Most from POST /rag/query (81.4 %).";

/// 111,800 good requests, a bit more than six hours later (they end at whole minutes) 43 of 1,400 that failed: 43 of the 113.2 that may.
fn failing() -> Story {
    Story::usual().then((0, 111_800), 2_170, Source::Alive).then((43, 1_400), 1, Source::Alive)
}

#[test]
fn a_page_says_who_fails_how_badly_how_long_the_budget_lasts_and_where_it_comes_from() {
    // 1 - 43/113.2 = 0.620141..; x 30 d / 30.714285714 = 52,335 s = 14.5 h.
    let budget = "At this rate the 30 d budget ends in 14 h; 62.01 % of it is left.";
    assert_eq!(failing().text(), format!("{FAILING} {budget} {MOST_FROM}"));
}

#[test]
fn a_composite_speaks_of_its_parts() {
    let component = |slo: &str| Component {
        slo: slo.to_owned(),
        module: None,
        weight: Decimal::ONE,
        when_unmeasured: WhenUnmeasured::Freeze,
    };
    let part = slo(Method::Occurrences, terms());
    let whole = Slo { id: "shop".to_owned(), sli: Sli::Composite(vec![component("avail")]), ..part.clone() };
    let story = Story::of_all(vec![part, whole]);
    let text = story.then((0, 111_800), 2_170, Source::Alive).then((43, 1_400), 1, Source::Alive).text_of(1);
    // The numbers of its only part, whose weight is 1.
    let lead = "acme / rag_hub is failing its shop promise: its parts together were 3.07 % bad in the last 1 h; 0.1 % \
        is allowed. At this rate the 30 d budget ends in 14 h; 62.01 % of it is left.";
    assert!(text.starts_with(lead), "{text}");
}

#[test]
fn a_spent_budget_says_by_how_much() {
    // 43 of 1.4.
    let spent = "The 30 d budget is spent: 3,071.43 % of it is gone.";
    let story = Story::usual().then((43, 1_400), 1, Source::Alive);
    assert_eq!(story.text(), format!("{FAILING} {spent} {MOST_FROM}"));
}

#[test]
fn what_cannot_be_told_is_held_and_the_reason_is_said() {
    let held = "the alert is held, not resolved.";
    for (source, ticks, said) in [
        (Source::Silent, 30, "No data in the last 5 min"),
        // 2,171 ticks after 22:13:20.
        (Source::Dead, 30, "No data since 04:15 UTC"),
        (Source::Alive, 30, "No requests in the last 5 min"),
    ] {
        let text = failing().then((0, 0), ticks, source).text();
        assert!(text.contains(&format!(" {said}; {held}")), "{source:?}: {text}");
        assert!(text.starts_with(FAILING), "{text}");
    }
    // Of an hour 30 minutes are a gap: the long window says nothing, the short one has data again.
    let text = failing().then((0, 0), 180, Source::Dead).then((5, 100), 1, Source::Alive).text();
    assert!(
        text.contains("was failing its availability promise when data stopped. Too much data is missing in the last")
    );
}

#[test]
fn a_calm_before_the_resolve_says_what_it_waits_for() {
    // 43 of 1,400 in an hour without a bad one in five minutes: the page is over; 43 of 113,200 is no ticket.
    let text = failing().then((0, 0), 29, Source::Alive).then((0, 900), 1, Source::Alive).text();
    let lead = "acme / rag_hub keeps its availability promise again: 43 of 2,300 requests failed in the last 1 h \
        (1.87 %); 0.1 % is allowed. It is resolved once that lasts 2 min.";
    assert!(text.starts_with(lead), "{text}");
}

#[test]
fn a_resolve_says_when_after_how_long_and_why() {
    let text = failing().then((0, 0), 29, Source::Alive).then((0, 900), 13, Source::Alive).text();
    // The page began 2,171 ticks after 22:13:20 and was clear 30 ticks later.
    assert_eq!(
        text,
        "acme / rag_hub keeps its availability promise again. Resolved at 04:20 UTC after 5 min: recovered. \
         62.31 % of the 30 d budget is left. Most from POST /rag/query (81.4 %)."
    );
}

#[test]
fn missing_data_alone_and_a_step_of_the_policy_are_incidents_too() {
    let gone = Story::usual().then((0, 100), 1, Source::Alive).then((0, 0), 61, Source::Dead).text();
    let lead = "acme / rag_hub sends nothing that its availability promise could be told by.";
    assert!(gone.starts_with(&format!("{lead} No data since 22:13 UTC. 100 % of the 30 d budget is left.")), "{gone}");
    let step = |below: &str| PolicyStep {
        name: "freeze".to_owned(),
        below: decimal(below),
        severity: Severity::Ticket,
        message: "Freeze releases".to_owned(),
    };
    for (below, bad, said) in [
        ("0.5", 51, "has less than 50 % of the 30 d budget of availability left (freeze: Freeze releases)."),
        ("0", 101, "has spent all of the 30 d budget of availability (freeze: Freeze releases)."),
        ("-0.5", 151, "has spent 50 % more than all of the 30 d budget of availability (freeze: Freeze releases)."),
    ] {
        let slo = slo(Method::Occurrences, Terms { policy: vec![step(below)], ..terms() });
        let text = Story::of(slo).then((bad, 100_000), 1, Source::Alive).text();
        assert!(text.starts_with(&format!("acme / rag_hub {said}")), "{text}");
    }
}

#[test]
fn slices_are_called_slices() {
    let slice = TimeSpan(60);
    for (method, said) in [
        (
            Method::Timeslices { slice, target: decimal("0.95") },
            ": 1 of 2 slices were bad in the last 1 h (50 %); 0.1 % is allowed.",
        ),
        (
            Method::RatioTimeslices { slice },
            ": on average over 2 slices in the last 1 h, 5 % of requests failed; 0.1 % is allowed.",
        ),
    ] {
        // Ticks 4 to 9 after the first are a whole minute.
        let story = Story::of(slo(method, terms())).then((0, 10), 6, Source::Alive).then((1, 10), 6, Source::Alive);
        let text = story.text();
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn who_is_summed_over_is_told_by_the_widest_source() {
    let mut all = slo(Method::Occurrences, terms());
    all.selector.group_by.tenant = false;
    let mut story = Story::of(all).then((43, 1_400), 1, Source::Alive);
    assert!(story.text().starts_with("all tenants / rag_hub is failing"));
    assert!(story.text().ends_with("All from acme."));
    let part = |value: &str, share| Part { value: value.to_owned(), bad: share, share };
    story.by = vec![("operation", vec![part("a", 400), part("b", 300), part("c", 300)])];
    assert!(story.text().ends_with("The largest part from a (40 %)."));
}

#[test]
fn too_few_events_are_said_to_be_too_few() {
    let status = failing().fleet.members()[0].instance.status();
    let mut tier = status.tiers[1].clone();
    for (p_value, (bad, total), said) in [
        (Some(0.012), (2, 12), "2 failures in 12 are too few to tell (p = 0.012)."),
        (Some(0.25), (1, 1_200), "1 failure in 1,200 is too few to tell (p = 0.250)."),
        (None, (2, 12), "2 failures in 12 are too small a part of the budget for a ticket."),
    ] {
        tier.gates = Some(Gates { p_value, holds_back: true, is_chance: p_value.is_some() });
        (tier.long.sums.raw_bad, tier.long.sums.raw_total) = (bad, total);
        assert_eq!(too_few(&Sli::Availability, &tier).as_deref(), Some(said));
    }
    tier.gates = Some(Gates { p_value: Some(0.001), holds_back: false, is_chance: false });
    assert_eq!(too_few(&Sli::Availability, &tier), None);
}
