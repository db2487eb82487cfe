//! A course that was restored goes on as if it had never stopped: whatever records come, each event, each figure and each
//! byte that is saved later is the same. `RESTORED_SEED=n` lives one stream alone.

#[path = "restored/definitions.rs"]
mod definitions;
#[path = "differential/prng.rs"]
mod prng;
#[path = "restored/values.rs"]
mod values;
#[path = "restored/world.rs"]
mod world;

use std::collections::BTreeMap;

use bailiwick_slo::course::ledger::{Ledger, Origin};
use bailiwick_slo::course::record::Record;
use bailiwick_slo::course::run::{Course, Definitions};
use bailiwick_slo::engine::fleet::Limits;
use bailiwick_slo::engine::windows::Grid;
use bailiwick_slo::wire::{Read, Reader, Writer};

use prng::Random;
use world::World;

/// Streams of a run, and records of one.
const STREAMS: u64 = 24;
const RECORDS: usize = 600;
/// Seed of the first one; the others follow.
const SEED: u64 = 20_260_328;

/// What came up.
#[derive(Debug, Default)]
struct Tally {
    restores: u64,
    events: BTreeMap<&'static str, u64>,
    causes: BTreeMap<&'static str, u64>,
    states: BTreeMap<&'static str, u64>,
    archived: u64,
    gone: u64,
    wholes: u64,
    shed: u64,
    refused: u64,
    corrected: u64,
}

fn origin(seed: u64) -> Origin {
    let memory_bytes_max = if seed.is_multiple_of(2) { usize::MAX } else { 400_000 };
    Origin { store_id: "store".to_owned(), limits: Limits { instances_max: 30, memory_bytes_max } }
}

fn saved(course: &Course) -> Vec<u8> {
    let mut to = Writer::default();
    course.save(&mut to);
    to.into_bytes()
}

fn restored(bytes: &[u8], origin: &Origin) -> Read<Course> {
    let mut from = Reader::new(bytes);
    let course = Course::restore(Definitions::Recorded, origin, Grid::LIVE, &mut from)?;
    assert!(from.is_done(), "all that was saved is read");
    Ok(course)
}

/// Lives a stream with a course, and with one that is restored again and again.
fn live(seed: u64, tally: &mut Tally) {
    let origin = origin(seed);
    let mut world = World::new(seed);
    let mut course = Course::new(Definitions::Recorded, &origin, Grid::LIVE);
    let mut other = Course::new(Definitions::Recorded, &origin, Grid::LIVE);
    for step in 0..RECORDS {
        let record = world.next(&course);
        let (events, again) = (course.take(&record), other.take(&record));
        assert_eq!(events, again, "seed {seed}, record {step}");
        for (_, event) in &events {
            *tally.events.entry(event.kind.name()).or_default() += 1;
            *tally.causes.entry(event.cause.name()).or_default() += 1;
        }
        let bytes = saved(&course);
        assert!(saved(&other) == bytes, "seed {seed}, record {step}: other bytes");
        if world.random.per_mille(50) {
            other = restored(&bytes, &origin).unwrap_or_else(|error| panic!("seed {seed}, record {step}: {error}"));
            assert!(saved(&other) == bytes, "seed {seed}, record {step}: not what was saved");
            tally.restores += 1;
            compare(&course, &other, tally);
        }
    }
    let refused = course.fleet().refused();
    tally.shed += refused.shed;
    tally.refused += refused.by_number + refused.by_memory;
    tally.corrected += course.controls().corrections.len() as u64;
}

/// Every figure of every instance.
fn compare(course: &Course, other: &Course, tally: &mut Tally) {
    assert_eq!(course.fleet().slos(), other.fleet().slos());
    assert_eq!(course.fleet().instances(), other.fleet().instances());
    assert_eq!(course.fleet().memory_bytes(), other.fleet().memory_bytes());
    assert_eq!(format!("{:?}", course.controls()), format!("{:?}", other.controls()));
    for (one, two) in course.fleet().members().iter().zip(other.fleet().members()) {
        assert_eq!((&one.key, &one.generation, one.is_gone), (&two.key, &two.generation, two.is_gone));
        assert_eq!(one.instance.status(), two.instance.status(), "{:?}", one.key);
        assert_eq!(one.instance.forecast(), two.instance.forecast(), "{:?}", one.key);
        assert_eq!(one.instance.terms(), two.instance.terms(), "{:?}", one.key);
        assert_eq!(one.instance.memory_bytes(), two.instance.memory_bytes(), "{:?}", one.key);
        assert_eq!(one.part_places().collect::<Vec<_>>(), two.part_places().collect::<Vec<_>>());
        *tally.states.entry(one.instance.state().name()).or_default() += 1;
        tally.archived += u64::from(one.is_archived && !one.is_gone);
        tally.gone += u64::from(one.is_gone);
        tally.wholes += u64::from(one.part_places().count() > 0);
    }
}

#[test]
fn a_course_that_was_restored_goes_on_as_if_it_had_never_stopped() {
    let alone = std::env::var("RESTORED_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seeds = alone.map_or(SEED..SEED + STREAMS, |seed: u64| seed..seed + 1);
    let mut tally = Tally::default();
    seeds.for_each(|seed| live(seed, &mut tally));
    println!("{tally:#?}");
    if alone.is_none() {
        // What never came up was not compared.
        let Tally { restores, events, causes, states, archived, gone, wholes, shed, refused, corrected } = tally;
        let numbers = [restores, archived, gone, wholes, shed, refused, corrected];
        assert!(numbers.iter().all(|times| *times > 20), "{numbers:?}");
        assert_eq!((events.len(), causes.len(), states.len()), (7, 4, 9), "{events:?} {causes:?} {states:?}");
    }
}

#[test]
fn a_ledger_that_was_restored_holds_the_same_and_goes_on_so() {
    let (origin, mut world) = (origin(0), World::new(7));
    let mut course = Course::new(Definitions::Recorded, &origin, Grid::LIVE);
    let [mut ledger, mut other] = [150 << 10; 2].map(|max| Ledger::new(origin.clone(), max));
    let bytes_of = |ledger: &Ledger| {
        let mut to = Writer::default();
        ledger.save(&mut to);
        to.into_bytes()
    };
    for step in 0..2_000 {
        let record = world.next(&course);
        course.take(&record);
        ledger.push(&record);
        other.push(&record);
        if step % 97 == 0 {
            let bytes = bytes_of(&ledger);
            assert!(bytes_of(&other) == bytes);
            other = Ledger::restore(origin.clone(), 150 << 10, &mut Reader::new(&bytes)).expect("it was saved");
            assert!(bytes_of(&other) == bytes && other.copy().to_bytes() == ledger.copy().to_bytes());
            assert_eq!((other.memory_bytes(), other.forgotten()), (ledger.memory_bytes(), ledger.forgotten()));
        }
    }
    assert!(ledger.forgotten() > 0, "it was full");
    // With less room than it took it forgets what is too much.
    let less = Ledger::restore(origin, 70 << 10, &mut Reader::new(&bytes_of(&ledger))).expect("it was saved");
    assert!(less.memory_bytes() <= 70 << 10 && less.forgotten() > ledger.forgotten());
}

#[test]
fn limits_are_those_of_today_and_who_is_there_stays() {
    let (origin, mut world) = (origin(0), World::new(11));
    let mut course = Course::new(Definitions::Recorded, &origin, Grid::LIVE);
    for _ in 0..200 {
        let record = world.next(&course);
        course.take(&record);
    }
    let there = course.fleet().instances();
    assert!(there > 3);
    let limits = Limits { instances_max: 1, memory_bytes_max: 1 };
    let mut other = restored(&saved(&course), &Origin { limits, ..origin }).expect("it was saved");
    assert_eq!(other.fleet().instances(), there);
    for _ in 0..600 {
        let record = world.next(&other);
        other.take(&record);
    }
    assert!(other.fleet().refused().by_number > course.fleet().refused().by_number);
}

#[test]
fn definitions_that_are_given_take_the_place_of_those_that_were_saved() {
    let (origin, mut world) = (origin(0), World::new(5));
    let mut course = Course::new(Definitions::Recorded, &origin, Grid::LIVE);
    while course.members().all(|(_, member)| member.instance.open_incident().is_none()) {
        let record = world.next(&course);
        course.take(&record);
    }
    let open = course.members().filter(|(_, member)| member.instance.open_incident().is_some()).count();
    let bytes = saved(&course);
    let restore = |slos: Vec<_>| {
        Course::restore(Definitions::Given(slos), &origin, Grid::LIVE, &mut Reader::new(&bytes)).expect("it was saved")
    };
    let same = course.fleet().slos().iter().map(|slo| (**slo).clone()).collect();
    assert!(saved(&restore(same)) == bytes, "nothing has changed");
    let mut none = restore(Vec::new());
    assert_eq!(none.members().count(), 0);
    let open_tick = course.fleet().members().iter().map(|member| member.instance.next()).max().expect("some");
    let mut take = |open| none.take(&Record { seq: course.seq() + 1, open, ..Record::default() });
    assert!(take(open_tick).is_empty(), "nothing moves, and nobody would hear of it");
    let told = take(open_tick + 1);
    assert_eq!(told.iter().map(|(_, event)| event.kind.name()).collect::<Vec<_>>(), vec!["resolved"; open]);
}

#[test]
fn another_store_or_grid_is_refused() {
    let origin = origin(0);
    let course = Course::new(Definitions::Recorded, &origin, Grid::LIVE);
    let bytes = saved(&course);
    let other = Origin { store_id: "other".to_owned(), ..origin };
    assert!(restored(&bytes, &other).expect_err("another store").to_string().contains("another store"));
    let grid = Grid { tick_s: 60, cell_ticks: 1 };
    let read = Course::restore(Definitions::Recorded, &origin, grid, &mut Reader::new(&bytes));
    assert!(read.expect_err("another grid").to_string().contains("cut in another way"));
}

#[test]
fn damaged_bytes_are_refused_or_read_and_end_nobody() {
    let (origin, mut world, mut random) = (origin(0), World::new(3), Random::new(3));
    let mut course = Course::new(Definitions::Recorded, &origin, Grid::LIVE);
    for _ in 0..300 {
        let record = world.next(&course);
        course.take(&record);
    }
    let bytes = saved(&course);
    let mut ahead = World::new(3);
    let mut again = Course::new(Definitions::Recorded, &origin, Grid::LIVE);
    let mut record = || {
        let record = ahead.next(&again);
        again.take(&record);
        record
    };
    let later: Vec<Record> = (0..305).map(|_| record()).skip(300).collect();
    let refused = |bytes: &[u8]| {
        let mut from = Reader::new(bytes);
        Course::restore(Definitions::Recorded, &origin, Grid::LIVE, &mut from).is_err()
    };
    for _ in 0..300 {
        let length = random.below(bytes.len() as u64) as usize;
        assert!(refused(&bytes[..length]), "{length} of {}", bytes.len());
    }
    let mut found = 0;
    for _ in 0..3_000 {
        let mut damaged = bytes.clone();
        for _ in 0..random.between(1, 3) {
            let at = random.below(bytes.len() as u64) as usize;
            damaged[at] = random.next() as u8;
        }
        let mut from = Reader::new(&damaged);
        let Ok(mut other) = Course::restore(Definitions::Recorded, &origin, Grid::LIVE, &mut from) else {
            found += 1;
            continue;
        };
        // What was read goes on: the same records come, and none of them ends it.
        later.iter().for_each(|record| drop(other.take(record)));
    }
    assert!(found > 300, "{found} of 3,000");
}
