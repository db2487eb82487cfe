//! Corrections of instances that there are and that come later (`slo.md` 2.9).

use super::*;
use crate::engine::corrections::Standing;
use crate::engine::fleet::Key;
use crate::engine::windows::Effect;

const OUTAGE: Effect = Effect { from: START + 60, to: START + 72, is_good: false };

/// Of acme only.
fn of_acme(effect: Effect) -> impl Fn(&Key) -> Vec<Effect> + Send + Sync + 'static {
    move |key: &Key| if &*key.tenant == "acme" { vec![effect] } else { Vec::new() }
}

fn words(standing: &Standing) -> (String, u64, String) {
    (standing.bad.to_string(), standing.total, standing.remaining.to_string())
}

fn figures(bad: &str, total: u64, remaining: &str) -> (String, u64, String) {
    (bad.to_owned(), total, remaining.to_owned())
}

/// 10,000 events, all of 12 ticks of 100 bad: 1,200, of which 10 are allowed.
fn after_an_outage() -> Run {
    let mut run = Run::new(promise());
    run.quiet(60);
    run.ticks(12, (100, 100), Source::Alive);
    run.quiet(28);
    run
}

#[test]
fn what_a_correction_would_change_is_told_and_nothing_is_changed() {
    let run = after_an_outage();
    let spent = figures("1200", 10_000, "-119");
    // Without the slots: nothing bad of 8,800. As good: nothing bad of 10,000.
    let (before, after) = run.fleet.try_corrections(0, of_acme(OUTAGE));
    assert_eq!((words(&before), words(&after)), (spent.clone(), figures("0", 8_800, "1")));
    let (_, after) = run.fleet.try_corrections(0, of_acme(Effect { is_good: true, ..OUTAGE }));
    assert_eq!(words(&after), figures("0", 10_000, "1"));
    // Half of it: 600 of 9,400.
    let half = Effect { to: START + 66, ..OUTAGE };
    let (before, after) = run.fleet.try_corrections(0, of_acme(half));
    assert_eq!((words(&before), words(&after)), (spent, figures("600", 9_400, "-62.829787234")));
}

#[test]
fn a_correction_holds_for_those_it_means_and_ends_their_incident() {
    let mut run = after_an_outage();
    // None changes nothing, for longer than an incident is held on to (2 min).
    run.fleet.set_corrections(|_| Vec::new());
    assert!(run.quiet(20).iter().all(|(_, kind, _)| !matches!(kind, Kind::Resolved(_))));
    run.fleet.set_corrections(of_acme(OUTAGE));
    assert_eq!(words(&run.fleet.members()[0].instance.standing()), figures("0", 10_800, "1"));
    assert_eq!(run.quiet(20).last().map(|(_, kind, _)| *kind), Some(Kind::Resolved(Reason::Correction)));
}

#[test]
fn instances_that_are_made_later_or_begin_anew_have_the_corrections_that_hold() {
    let mut slo = promise();
    slo.draft.terms.ttl = TimeSpan(7_200);
    let mut run = Run::new(slo.clone());
    // An hour that is to come, from the thousandth tick on.
    let planned = Effect { from: START + 1_000, to: START + 1_360, is_good: false };
    run.fleet.set_corrections(of_acme(planned));
    let total = |run: &Run, place: usize| run.fleet.members()[place].instance.status().period.sums.total;
    // 990 ticks of silence: it rests, and wakes up within the correction with nothing that counts.
    run.ticks(1_000, (0, 0), Source::Silent);
    assert!(run.fleet.members()[0].is_archived);
    run.quiet(2);
    assert_eq!((run.fleet.members()[0].is_archived, total(&run, 0)), (false, 0));
    // Another generation, and a new instance.
    slo.sli = Sli::Latency { threshold_ns: 1, failures_are_slow: false };
    run.fleet.redefine(vec![slo]);
    for (place, tenant) in [(0, "acme"), (1, "globex")] {
        assert_eq!(run.fleet.places_of((tenant, "rag_hub", "GET /a"), run.next), [place]);
        run.fleet.bring(place, run.next, Delta { bad: 0, total: 9, raw_bad: 0, raw_total: 9 });
    }
    run.quiet(1);
    assert_eq!((total(&run, 0), total(&run, 1)), (0, 9));
    assert_eq!(run.state(), State::NoData);
    run.quiet(400);
    // The correction ended with tick 1,360; ticks up to 1,402 have closed.
    assert_eq!(total(&run, 0), 100 * (1_403 - 1_360));
}
