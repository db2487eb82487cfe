//! What is found in journals that were cut, flipped, mixed up, or opened by a process that died.

use std::collections::BTreeMap;

use super::super::disk::simulated::{Dice, Fault, SimulatedDisk};
use super::super::repeats::Repeats;
use super::super::segment::format::{self, Kind};
use super::super::segment::samples::{BEGIN_NS, Sample};
use super::super::{FileJournal, Record};
use super::*;
use crate::observation::budget::Charge;
use bailiwick_slo::course::control::Control;

const STORE: [u8; 16] = [7; 16];
const FIRST: &str = "00000000000000000001.seg";
const SECOND: &str = "00000000000000000006.seg";
const MINUTE_NS: u64 = 60_000_000_000;

fn at(minute: u64) -> u64 {
    BEGIN_NS + minute * MINUTE_NS
}

/// Records 1 to 10: each kind, in two files.
fn record(seq: u64) -> Record {
    let sample = Sample { at_ns: at(seq), ..Sample::of(seq) };
    match seq {
        3 | 7 => Record::Tick { now_ns: at(seq) },
        4 => Record::Control(Arc::new(Control::Define(vec![("shop.yaml".to_owned(), "kind: SLO".to_owned())]))),
        8 => Record::Repeat {
            original: 2,
            batch: Sample { at_ns: at(8), ..Sample::of(2) }.batch(),
            charge: Charge::none(),
        },
        _ => sample.record(),
    }
}

fn payload_of(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    payload::write(record, &mut bytes);
    bytes
}

/// A file with these records; record `n` knows `durable_seq(n)` on the disk.
fn segment(seqs: std::ops::RangeInclusive<u64>, durable_seq: impl Fn(u64) -> u64) -> Vec<u8> {
    let header = SegmentHeader::new(STORE, *seqs.start(), BEGIN_NS);
    let mut bytes = header.to_bytes().to_vec();
    for seq in seqs {
        let record = record(seq);
        let head = (payload::kind_of(&record), seq, durable_seq(seq));
        format::append(&mut bytes, header.salt, head, |out| payload::write(&record, out));
    }
    // What was made ready and is not written yet.
    bytes.resize(bytes.len() + 128, 0);
    bytes
}

type Files = BTreeMap<&'static str, Vec<u8>>;

/// Records 1 to 5 and 6 to 10; each knew all before it on the disk.
fn synced() -> Files {
    BTreeMap::from([(FIRST, segment(1..=5, |seq| seq - 1)), (SECOND, segment(6..=10, |seq| seq - 1))])
}

/// The same, and nobody knew of any sync.
fn unsynced() -> Files {
    BTreeMap::from([(FIRST, segment(1..=5, |_| 0)), (SECOND, segment(6..=10, |_| 0))])
}

fn disk_of(files: &Files) -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    for (name, bytes) in files {
        disk.put(&Path::new("/journal").join(name), bytes.clone());
    }
    disk
}

fn opening(disk: &SimulatedDisk, applied_seq: u64) -> Opening {
    Opening {
        directory: "/journal".into(),
        quarantine: "/quarantine".into(),
        store_id: STORE,
        applied_seq,
        repeats: Vec::new(),
        late_accept_ns: MINUTE_NS,
        disk: Arc::new(disk.clone()),
    }
}

/// What an opening came to.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    seqs: Vec<u64>,
    next_seq: u64,
    torn: u64,
    damaged: Vec<Damaged>,
    quarantine: Vec<String>,
}

/// Opens and replays; each record must be the one that was written under its number.
fn look(disk: &SimulatedDisk, applied_seq: u64) -> Result<Seen, OpenError> {
    let mut opened = open(opening(disk, applied_seq))?;
    let mut seqs = Vec::new();
    opened.replay(|Sequenced { seq, record: found }| {
        assert_eq!(payload_of(&found), payload_of(&record(seq)), "record {seq} is another one");
        seqs.push(seq);
        true
    })?;
    assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
    let quarantine = disk.files("/quarantine".as_ref()).into_keys().collect();
    Ok(Seen { seqs, next_seq: opened.next_seq, torn: opened.torn, damaged: opened.damaged, quarantine })
}

fn sound(files: &Files) -> Seen {
    look(&disk_of(files), 0).expect("it opens")
}

fn with(mut files: Files, name: &'static str, change: impl FnOnce(&mut Vec<u8>)) -> Files {
    change(files.get_mut(name).expect("it is there"));
    files
}

/// Where each record of a file begins, and where the last ends.
fn places(segment: &[u8]) -> Vec<usize> {
    let mut places = vec![SEGMENT_HEADER_BYTES];
    while let Some(header) = RecordHeader::read(&segment[*places.last().expect("one")..]) {
        places.push(places.last().expect("one") + header.record_bytes());
    }
    places
}

#[test]
fn a_sound_journal_is_read_from_the_checkpoint_on() {
    for (files, applied) in
        [(synced(), 0), (synced(), 4), (synced(), 7), (unsynced(), 5), (synced(), 10), (synced(), 50)]
    {
        let seen = look(&disk_of(&files), applied).expect("it opens");
        assert_eq!(seen.seqs, (applied + 1..=10).collect::<Vec<_>>());
        assert_eq!(seen.next_seq, applied.max(10) + 1);
        assert_eq!((seen.torn, seen.damaged, seen.quarantine), (0, vec![], vec![]));
    }
    let empty = sound(&Files::new());
    assert_eq!((empty.seqs, empty.next_seq), (vec![], 1));
}

#[test]
fn every_cut_of_the_last_file_leaves_the_whole_records_before_it() {
    for files in [synced(), unsynced()] {
        let ends = places(&files[SECOND]);
        for length in SEGMENT_HEADER_BYTES..files[SECOND].len() {
            let seen = sound(&with(files.clone(), SECOND, |bytes| bytes.truncate(length)));
            let whole = ends.iter().filter(|end| **end <= length).count() as u64 - 1;
            assert_eq!(seen.seqs, (1..=5 + whole).collect::<Vec<_>>(), "cut at {length}");
            assert_eq!(seen.damaged, [], "cut at {length}: nobody knew of more");
            let is_torn = ends.iter().all(|end| *end != length) && length < ends[5];
            // Of a header that is cut itself nothing says that a record was begun.
            assert!(seen.torn <= u64::from(is_torn), "cut at {length}");
        }
    }
}

#[test]
fn every_cut_of_the_first_file_is_damage_since_a_second_was_begun() {
    let ends = places(&synced()[FIRST]);
    for (length, files) in
        (SEGMENT_HEADER_BYTES..ends[5]).flat_map(|length| [synced(), unsynced()].map(|files| (length, files)))
    {
        let whole = ends.iter().filter(|end| **end <= length).count() as u64 - 1;
        let seen = sound(&with(files, FIRST, |bytes: &mut Vec<u8>| bytes.truncate(length)));
        assert_eq!(seen.seqs, (1..=whole).chain(6..=10).collect::<Vec<_>>(), "cut at {length}");
        assert_eq!((seen.damaged.len(), seen.damaged[0].seqs), (1, (whole + 1, 5)), "cut at {length}");
        assert!(seen.quarantine.contains(&FIRST.to_owned()), "cut at {length}");
    }
}

#[test]
fn what_a_file_lost_that_was_whole_when_an_empty_one_was_begun_is_told() {
    let ends = places(&synced()[FIRST]);
    let mut files = with(unsynced(), FIRST, |bytes| bytes.truncate(ends[3]));
    files.insert(SECOND, SegmentHeader::new(STORE, 6, BEGIN_NS).to_bytes().to_vec());
    let seen = sound(&files);
    assert_eq!((seen.seqs, seen.next_seq), ((1..=3).collect(), 6), "no number is given twice");
    let told = Damaged { from_ns: at(2), to_ns: u64::MAX, seqs: (4, 5), segment: FIRST.to_owned() };
    assert_eq!(seen.damaged, [told]);
}

#[test]
fn a_record_that_is_cut_goes_on_proving_what_it_knew() {
    // Record 3 is lost and was promised, as only record 9 knows; 8 is lost and was not, so that 9 is cut.
    let mut bytes = segment(1..=10, |seq| if seq == 9 { 7 } else { 0 });
    let places = places(&bytes);
    [3, 8].iter().for_each(|seq: &usize| bytes[places[seq - 1] + 33] ^= 1);
    let files = BTreeMap::from([(FIRST, bytes)]);
    for fault in [None, Some(Fault::Broken), Some(Fault::PowerLoss)] {
        for calls in 0..40 {
            let disk = disk_of(&files);
            if let Some(fault) = fault {
                disk.fail(calls, fault);
            }
            let _ = look(&disk, 0);
            let disk = disk.as_it_is();
            disk.power_cut(calls);
            let again = look(&disk, 0).expect("it opens");
            assert_eq!((again.seqs, again.next_seq), (vec![1, 2, 4, 5, 6, 7], 8), "{fault:?} at call {calls}");
            assert_eq!(again.damaged.len(), 1, "{fault:?} at call {calls}");
        }
    }
}

#[test]
fn every_flipped_bit_costs_the_record_that_it_is_in_and_no_other() {
    for (is_synced, files) in [(true, synced()), (false, unsynced())] {
        for name in [FIRST, SECOND] {
            let places = places(&files[name]);
            for bit in 0..8 * places[5] {
                flip(&files, (name, bit, is_synced), &places);
            }
        }
    }
}

fn flip(files: &Files, (name, bit, is_synced): (&'static str, usize, bool), places: &[usize]) {
    let seen = sound(&with(files.clone(), name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)));
    let all: Vec<u64> = (1..=10).collect();
    let place = places.iter().rposition(|begin| *begin <= bit / 8);
    let what = format!("bit {bit} of {name}");
    let Some(place) = place else {
        // What the header said follows from the name and the rest of it.
        assert_eq!((seen.seqs, seen.damaged), (all, vec![]), "{what}");
        return;
    };
    let hit = place as u64 + if name == FIRST { 1 } else { 6 };
    if seen.seqs == all {
        let header = RecordHeader::read(&files[name][places[place]..]).expect("a record begins there");
        assert!(
            bit / 8 >= places[place] + format::RECORD_HEADER_BYTES + header.length as usize,
            "{what}: only padding may change"
        );
    } else if (is_synced || name == FIRST) && hit < 10 {
        assert_eq!(seen.seqs, all.iter().copied().filter(|seq| *seq != hit).collect::<Vec<_>>(), "{what}");
        let time = |seq: u64| (seq != 4).then(|| at(seq));
        let before = (1..hit).rev().find_map(time).map_or(0, |time| time - MINUTE_NS);
        let after = (hit + 1..=10).find_map(time).expect("the last has one") + MINUTE_NS;
        let told = seen.damaged.iter().map(|damaged| (damaged.seqs, damaged.from_ns, damaged.to_ns));
        assert_eq!(told.collect::<Vec<_>>(), [((hit, hit), before, after)], "{what}");
        assert!(seen.quarantine.contains(&name.to_owned()), "{what}");
    } else {
        assert_eq!((seen.seqs, seen.next_seq), ((1..hit).collect(), hit), "{what}");
        assert_eq!((seen.damaged, seen.quarantine), (vec![], vec![]), "{what}");
    }
}

#[test]
fn a_copy_in_quarantine_is_the_file_before_it_was_mended() {
    let damaged = with(synced(), FIRST, |bytes| bytes[SEGMENT_HEADER_BYTES + 40] ^= 1);
    let disk = disk_of(&damaged);
    look(&disk, 0).expect("it opens");
    assert_eq!(disk.files("/quarantine".as_ref()).get(FIRST), Some(&damaged[FIRST]));
}

#[test]
fn a_foreign_file_and_a_newer_one_are_refused_by_name_and_nothing_is_changed() {
    let mut header = SegmentHeader::new(STORE, 6, BEGIN_NS);
    header.store_id = [8; 16];
    let foreign = with(synced(), SECOND, |bytes| bytes[..64].copy_from_slice(&header.to_bytes()));
    let newer = with(synced(), SECOND, |bytes| {
        bytes[4] = 2;
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    });
    for (files, why) in [(foreign, "belongs to another data directory"), (newer, "has version 2")] {
        // Even when something else would be mended.
        let files = with(files, FIRST, |bytes| bytes.truncate(200));
        let disk = disk_of(&files);
        let told = look(&disk, 0).expect_err("it is refused").to_string();
        assert!(told.contains(SECOND) && told.contains(why), "{told}");
        assert!(disk.files("/journal".as_ref()).into_values().eq(files.into_values()));
    }
}

#[test]
fn a_batch_of_a_newer_version_is_refused_by_name() {
    let header = SegmentHeader::new(STORE, 1, BEGIN_NS);
    let mut batch = Sample::of(1).batch().bytes().to_vec();
    batch[4] = 9;
    let mut bytes = header.to_bytes().to_vec();
    format::append(&mut bytes, header.salt, (Kind::Batch, 1, 0), |out| out.extend_from_slice(&batch));
    let told = look(&disk_of(&BTreeMap::from([(FIRST, bytes)])), 0).expect_err("it is refused").to_string();
    assert!(told.contains(FIRST) && told.contains("version 9"), "{told}");
}

#[test]
fn a_record_that_is_whole_and_senseless_is_told_with_its_time_and_set_aside() {
    let header = SegmentHeader::new(STORE, 1, BEGIN_NS);
    let mut batch = Sample { at_ns: at(1), ..Sample::of(1) }.batch().bytes().to_vec();
    batch.truncate(batch.len() - 8);
    let mut bytes = header.to_bytes().to_vec();
    format::append(&mut bytes, header.salt, (Kind::Batch, 1, 0), |out| out.extend_from_slice(&batch));
    format::append(&mut bytes, header.salt, (Kind::Batch, 2, 1), |out| out.extend_from_slice(&payload_of(&record(2))));
    let seen = sound(&BTreeMap::from([(FIRST, bytes)]));
    assert_eq!((seen.seqs, seen.next_seq), (vec![2], 3));
    let told = Damaged { from_ns: at(0), to_ns: at(2), seqs: (1, 1), segment: FIRST.to_owned() };
    assert_eq!((seen.damaged, seen.quarantine), (vec![told], vec![FIRST.to_owned()]));
}

#[test]
fn files_under_other_names_are_read_in_the_order_of_their_records() {
    let files = synced();
    let swapped = BTreeMap::from([(FIRST, files[SECOND].clone()), (SECOND, files[FIRST].clone())]);
    assert_eq!(sound(&swapped), sound(&files));
    let doubled = BTreeMap::from([
        (FIRST, files[FIRST].clone()),
        ("copy.seg", files[FIRST].clone()),
        (SECOND, files[SECOND].clone()),
    ]);
    assert_eq!(sound(&doubled), sound(&files));
}

#[test]
fn a_missing_file_is_damage_since_a_later_one_was_begun() {
    let without = |mut files: Files, name| {
        files.remove(name);
        sound(&files)
    };
    for files in [synced(), unsynced()] {
        let seen = without(files, FIRST);
        assert_eq!((seen.seqs, seen.damaged[0].seqs), ((6..=10).collect(), (1, 5)));
    }
    let seen = without(synced(), SECOND);
    assert_eq!((seen.seqs, seen.next_seq, seen.damaged), ((1..=5).collect(), 6, vec![]));
}

#[test]
fn a_file_without_a_header_is_set_aside_and_told() {
    let mut dice = Dice(1);
    let random: Vec<u8> = (0..4_096).map(|_| dice.roll() as u8).collect();
    for bytes in [Vec::new(), vec![0; 4_096], vec![0xff; 4_096], random] {
        let last = with(synced(), SECOND, |file| file.clone_from(&bytes));
        let seen = sound(&last);
        assert_eq!((seen.seqs, seen.next_seq), ((1..=5).collect(), 6));
        assert_eq!((seen.damaged[0].seqs.0, seen.damaged[0].from_ns), (6, at(4)));
        assert_eq!(seen.quarantine, [SECOND]);
        let first = with(synced(), FIRST, |file| file.clone_from(&bytes));
        let seen = sound(&first);
        assert_eq!((seen.seqs, seen.damaged.len(), seen.damaged[0].seqs), ((6..=10).collect(), 1, (1, 5)));
        assert!(seen.quarantine.contains(&FIRST.to_owned()));
        // Under a name that no journal gives nothing of ours is in it.
        let mut other = synced();
        other.insert("notes.seg", bytes.clone());
        let seen = sound(&other);
        assert_eq!((seen.seqs.len(), seen.damaged, seen.quarantine), (10, vec![], vec!["notes.seg".to_owned()]));
    }
}

#[test]
fn lengths_and_numbers_that_no_journal_has_are_no_records() {
    let salt = SegmentHeader::new(STORE, 6, BEGIN_NS).salt;
    for seq in [u64::MAX, 1 << 63, 1 << 40] {
        let seen = sound(&with(synced(), SECOND, |bytes| {
            let end = places(bytes)[5];
            bytes.truncate(end);
            format::append(bytes, salt, (Kind::Tick, seq, seq - 1), |out| out.extend_from_slice(&[0; 8]));
        }));
        assert_eq!((seen.seqs.len(), seen.next_seq), (10, 11), "{seq}");
    }
    for length in [u32::MAX, 1 << 31, 1 << 20] {
        let seen = sound(&with(synced(), SECOND, |bytes| {
            let at = places(bytes)[2] + 4;
            bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        }));
        assert_eq!(seen.seqs, [1, 2, 3, 4, 5, 6, 7, 9, 10], "{length}");
    }
    for first_seq in [u64::MAX, 1 << 63] {
        let mut files = synced();
        let header = SegmentHeader::new(STORE, first_seq, BEGIN_NS);
        let mut bytes = header.to_bytes().to_vec();
        format::append(&mut bytes, header.salt, (Kind::Tick, first_seq, 0), |out| out.extend_from_slice(&[0; 8]));
        files.insert("99999999999999999999.seg", bytes);
        assert_eq!(sound(&files).next_seq, 11, "{first_seq}");
    }
}

#[test]
fn opening_twice_gives_the_same() {
    let middle = |files| with(files, FIRST, |bytes: &mut Vec<u8>| bytes[SEGMENT_HEADER_BYTES + 240] ^= 1);
    let end = |files| with(files, SECOND, |bytes: &mut Vec<u8>| bytes[places(&synced()[SECOND])[3] + 40] ^= 1);
    for files in [synced(), middle(synced()), middle(unsynced()), end(synced()), end(unsynced())] {
        let disk = disk_of(&files);
        let first = look(&disk, 0).expect("it opens");
        for _ in 0..2 {
            let again = look(&disk, 0).expect("it opens");
            assert_eq!(again, Seen { torn: 0, ..first.clone() });
        }
    }
}

#[test]
fn a_start_that_dies_at_any_call_leaves_what_the_next_one_finds_whole() {
    let flipped = |files, name, at: usize| with(files, name, move |bytes: &mut Vec<u8>| bytes[at] ^= 1);
    let first = places(&synced()[FIRST])[2] + 40;
    let second = places(&synced()[SECOND])[3] + 40;
    let both = flipped(flipped(synced(), FIRST, first), SECOND, second);
    let mut spare = unsynced();
    spare.insert("7-1.spare", vec![1; 512]);
    for files in [both, flipped(unsynced(), FIRST, first), flipped(unsynced(), SECOND, second), spare] {
        let whole = sound(&files);
        for fault in [Fault::Broken, Fault::PowerLoss] {
            let mut calls = 0;
            loop {
                let disk = disk_of(&files);
                disk.fail(calls, fault);
                let seen = look(&disk, 0);
                if disk.failed().is_none() {
                    assert_eq!(seen.expect("no call failed"), whole);
                    break;
                }
                assert!(matches!(seen, Err(OpenError::Io { .. })), "call {calls}");
                for seed in 0..8 {
                    let disk = disk.as_it_is();
                    disk.power_cut(seed);
                    let again = look(&disk, 0).expect("it opens");
                    let what = format!("call {calls}, seed {seed}");
                    assert_eq!((again.seqs, again.next_seq), (whole.seqs.clone(), whole.next_seq), "{what}");
                    assert_eq!(again.damaged, whole.damaged, "{what}");
                }
                calls += 1;
            }
            assert!(calls > 8);
        }
    }
}

/// Version 1 as it was first written: whoever changes the layout makes a version 2, and goes on reading this one.
#[test]
fn the_committed_segment_of_version_1_is_written_and_read_as_ever() {
    let written = &synced()[FIRST];
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/journal/version-1.seg");
    if std::env::var_os("BAILIWICK_WRITE_FIXTURES").is_some() {
        std::fs::write(path, written).expect("the source folder can be written");
    }
    let committed = std::fs::read(path).expect("it is committed");
    assert!(committed == *written, "today's code writes another segment");
    let seen = sound(&BTreeMap::from([(FIRST, committed)]));
    assert_eq!((seen.seqs, seen.next_seq, seen.damaged), ((1..=5).collect(), 6, vec![]));
}

#[test]
fn a_checkpoint_that_is_written_while_it_replays_knows_what_may_come_again() {
    let mut opened = open(opening(&disk_of(&synced()), 0)).expect("it opens");
    let progress = FileJournal::progress(&opened);
    let known = || Repeats::load(&progress.repeats(6)).len();
    assert_eq!(known(), 0);
    opened.replay(|Sequenced { seq, .. }| seq < 6).expect("a disk");
    // Of the records up to there 1, 2, 5 and 6 are requests.
    assert_eq!(known(), 4);
}
