//! Which requests are known to have come before, and for how long.

use super::super::segment::samples::{BEGIN_NS, Sample};
use super::*;
use crate::observation::budget::Charge;

const SECOND_NS: u64 = 1_000_000_000;

fn at(second: u64) -> u64 {
    BEGIN_NS + second * SECOND_NS
}

fn note(repeats: &mut Repeats, sample: Sample<'_>, seq: u64) {
    repeats.note(&sample.record(), seq);
}

fn found(repeats: &mut Repeats, sample: Sample<'_>) -> Option<u64> {
    repeats.find(&sample.batch().view()).map(|first| first.seq)
}

#[test]
fn a_request_is_known_for_ten_minutes_and_no_longer() {
    let mut repeats = Repeats::default();
    note(&mut repeats, Sample::of(1), 5);
    assert_eq!(found(&mut repeats, Sample { at_ns: at(600) - 1, ..Sample::of(1) }), Some(5));
    assert_eq!(found(&mut repeats, Sample { at_ns: at(600), ..Sample::of(1) }), None);
    assert_eq!((repeats.len(), repeats.counts.clone()), (0, vec![0]), "it is not kept either");
}

#[test]
fn the_same_bytes_of_another_principal_signal_or_length_are_another_request() {
    let mut repeats = Repeats::default();
    note(&mut repeats, Sample::of(1), 5);
    assert_eq!(found(&mut repeats, Sample { principal: "192.0.2.8", ..Sample::of(1) }), None);
    assert_eq!(found(&mut repeats, Sample::of(2)), None);
    let known = *repeats.known.keys().next().expect("one is known");
    for other in [Key { signal: 2, ..known }, Key { body_bytes: 101, ..known }] {
        assert_eq!(repeats.known.get(&other), None);
    }
    assert_eq!(found(&mut repeats, Sample::of(1)), Some(5));
}

#[test]
fn what_was_refused_is_answered_again() {
    let mut repeats = Repeats::default();
    let sample = Sample { rejected: 7, ..Sample::of(1) };
    note(&mut repeats, sample, 5);
    assert_eq!(repeats.find(&sample.batch().view()), Some(First { seq: 5, rejected: 7 }));
}

#[test]
fn what_was_not_appended_after_all_is_not_known() {
    let mut repeats = Repeats::default();
    for id in 1..=4 {
        note(&mut repeats, Sample::of(id), 10 + id);
    }
    repeats.withdraw(13);
    let known: Vec<_> = (1..=4).map(|id| found(&mut repeats, Sample::of(id))).collect();
    assert_eq!(known, [Some(11), Some(12), None, None]);
    assert_eq!(repeats.counts, [2]);
    note(&mut repeats, Sample::of(3), 13);
    assert_eq!(found(&mut repeats, Sample::of(3)), Some(13));
}

#[test]
fn what_is_saved_through_a_record_is_loaded_and_later_records_complete_it() {
    let mut live = Repeats::default();
    let samples = |id: u64| Sample { principal: ["a", "b", "c"][id as usize % 3], at_ns: at(id), ..Sample::of(id) };
    for id in 1..=20 {
        note(&mut live, samples(id), id);
    }
    for through in 0..=20 {
        let saved = live.save(through);
        let mut loaded = Repeats::load(&saved);
        assert_eq!(loaded.len() as u64, through);
        assert_eq!(loaded.save(through), saved, "the same bytes again");
        for id in 1..=20 {
            assert_eq!(found(&mut loaded, samples(id)), (id <= through).then_some(id));
        }
        for id in through + 1..=20 {
            note(&mut loaded, samples(id), id);
        }
        assert_eq!(loaded.counts.iter().sum::<u32>(), 20);
        assert!((1..=20).all(|id| found(&mut loaded, samples(id)) == Some(id)));
    }
}

#[test]
fn bytes_that_were_not_saved_are_nothing() {
    let mut live = Repeats::default();
    note(&mut live, Sample::of(1), 1);
    let saved = live.save(1);
    for length in 0..saved.len() {
        assert_eq!(Repeats::load(&saved[..length]).len(), 0, "cut at {length}");
    }
    for at in 0..8 * saved.len() {
        let mut flipped = saved.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        assert!(Repeats::load(&flipped).len() <= 1);
    }
}

#[test]
fn a_clock_that_leapt_and_came_back_does_not_keep_what_is_old() {
    let mut repeats = Repeats::default();
    note(&mut repeats, Sample { at_ns: at(86_400 * 365), ..Sample::of(1) }, 1);
    note(&mut repeats, Sample { at_ns: at(0), ..Sample::of(2) }, 2);
    assert_eq!(found(&mut repeats, Sample { at_ns: at(700), ..Sample::of(2) }), None);
    assert_eq!(repeats.len(), 0);
}

#[test]
fn a_clock_that_goes_back_a_little_changes_nothing_of_what_replay_knows() {
    let mut repeats = Repeats::default();
    note(&mut repeats, Sample { at_ns: at(50), ..Sample::of(1) }, 1);
    // The process saw a repeat of another at 700 s and forgot the first; then it came again under an earlier clock.
    let batch = Sample { at_ns: at(700), ..Sample::of(9) }.batch();
    repeats.note(&Record::Repeat { original: 0, batch, charge: Charge::none() }, 2);
    note(&mut repeats, Sample { at_ns: at(600), ..Sample::of(1) }, 3);
    let saved = repeats.save(3);
    assert_eq!(found(&mut Repeats::load(&saved), Sample { at_ns: at(601), ..Sample::of(1) }), Some(3));
}

#[test]
fn the_same_request_noted_twice_is_known_by_its_last_record() {
    let mut repeats = Repeats::default();
    note(&mut repeats, Sample::of(1), 1);
    note(&mut repeats, Sample { at_ns: at(300), ..Sample::of(1) }, 2);
    assert_eq!(repeats.counts, [1]);
    let saved = repeats.save(2);
    assert_eq!(found(&mut Repeats::load(&saved), Sample { at_ns: at(700), ..Sample::of(1) }), Some(2));
    assert_eq!(found(&mut repeats, Sample { at_ns: at(700), ..Sample::of(1) }), Some(2));
    assert_eq!(found(&mut repeats, Sample { at_ns: at(900), ..Sample::of(1) }), None);
    assert_eq!(repeats.counts, [0]);
}

#[test]
fn one_principal_fills_its_own_share_and_nobody_elses() {
    let mut repeats = Repeats::default();
    let key = |principal: u32, id: u64| {
        let body_hash = u128::from(id).to_le_bytes();
        Key { principal, signal: 1, body_hash, body_bytes: 100 }
    };
    repeats.counts = vec![0; 12];
    for id in 0..u64::from(PRINCIPAL_MAX) + 10 {
        repeats.put(BEGIN_NS, key(0, id), First { seq: id, rejected: 0 });
    }
    assert_eq!(repeats.counts[0], PRINCIPAL_MAX);
    let is_known = |id: u32| repeats.known.contains_key(&key(0, id.into()));
    assert!(!is_known(9) && is_known(10) && is_known(PRINCIPAL_MAX + 9), "its own oldest go");
    repeats.put(BEGIN_NS, key(1, 1), First { seq: 1_000_000, rejected: 0 });
    assert!(repeats.known.contains_key(&key(1, 1)), "another has room");
    for principal in 2..12 {
        for id in 0..u64::from(PRINCIPAL_MAX) {
            repeats.put(BEGIN_NS, key(principal, id), First { seq: 2_000_000 + id, rejected: 0 });
        }
    }
    assert_eq!(repeats.len(), ALL_MAX);
    assert_eq!(repeats.counts.iter().sum::<u32>() as usize, ALL_MAX);
    assert!(!repeats.known.contains_key(&key(0, 0)) && repeats.known.contains_key(&key(11, 0)), "the oldest go");
}

#[test]
fn principals_beyond_those_that_are_known_by_name_share_one() {
    let principals = (0..PRINCIPALS_MAX as u32).map(|number| (Arc::from(number.to_string()), number)).collect();
    let mut repeats = Repeats { principals, ..Repeats::default() };
    repeats.counts = vec![0; PRINCIPALS_MAX];
    for (seq, principal) in (1..).zip(["alpha", "beta", "7"]) {
        note(&mut repeats, Sample { principal, ..Sample::of(seq) }, seq);
        assert_eq!(found(&mut repeats, Sample { principal, ..Sample::of(seq) }), Some(seq));
    }
    assert_eq!(repeats.principals.len(), PRINCIPALS_MAX + 1);
    assert_eq!((repeats.counts[7], repeats.counts[PRINCIPALS_MAX]), (1, 2));
}
