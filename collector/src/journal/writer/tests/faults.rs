//! Every call to the disk failing in turn, and a disk that is full for a while.

use super::super::super::disk::simulated::Fault;
use super::*;

/// What a process came to.
struct Outcome {
    /// Requests that were acknowledged, with their records.
    acknowledged: Vec<(u64, u64)>,
    refused: Vec<AppendError>,
    is_broken: bool,
    /// The checkpoint.
    applied_seq: u64,
}

/// Records over several segments, with checkpoints that let go of some; at last some more.
fn script(process: &mut Process) -> Outcome {
    let mut outcome = Outcome { acknowledged: Vec::new(), refused: Vec::new(), is_broken: false, applied_seq: 0 };
    for id in 0..24 {
        match process.append(Sample { text: 200, ..Sample::of(id) }.record()) {
            Ok(Acknowledged { seq, .. }) => outcome.acknowledged.push((seq, id)),
            Err(error) => outcome.refused.push(error),
        }
        if id % 6 == 5 {
            outcome.applied_seq = outcome.acknowledged.last().map_or(0, |(seq, _)| seq.saturating_sub(2));
            process.kept.retire(outcome.applied_seq);
        }
    }
    outcome.is_broken = process.kept.refuses() == Some(AppendError::Broken);
    outcome
}

/// What the script comes to when this call fails, and what failed; nothing: it makes fewer calls.
fn with_fault(call: u64, fault: Fault) -> Option<(SimulatedDisk, Outcome, &'static str)> {
    let disk = SimulatedDisk::default();
    let mut process = Process::first(&disk);
    disk.fail(call, fault);
    let outcome = script(&mut process);
    let failed = disk.failed()?;
    disk.mend();
    Some((disk, outcome, failed))
}

/// What was acknowledged and not retired is there after a power cut, and nothing that was refused.
fn holds(disk: &SimulatedDisk, outcome: &Outcome, what: &str) {
    let promised: Vec<_> = outcome.acknowledged.iter().filter(|(seq, _)| *seq > outcome.applied_seq).copied().collect();
    for seed in 0..6 {
        let disk = disk.as_it_is();
        disk.power_cut(seed);
        let found = replayed(&disk, outcome.applied_seq);
        assert_eq!(found.get(..promised.len()), Some(&promised[..]), "{what}: {found:?}");
        let rest = &found[promised.len()..];
        // A record whose sync failed may be there all the same.
        assert!(rest.is_empty() || rest.len() == 1 && outcome.is_broken, "{what}: {rest:?}");
    }
}

#[test]
fn after_any_error_of_the_disk_nothing_more_is_acknowledged() {
    let mut calls = 0;
    while let Some((disk, outcome, what)) = with_fault(calls, Fault::Broken) {
        let what = format!("call {calls}, {what}");
        assert!(outcome.is_broken, "{what}");
        assert!(outcome.refused.iter().all(|error| *error == AppendError::Broken), "{what}: {:?}", outcome.refused);
        // An error between two groups comes after the answers of the first.
        let answered = outcome.acknowledged.len();
        assert_eq!(outcome.acknowledged, (0..answered as u64).map(|id| (id + 1, id)).collect::<Vec<_>>(), "{what}");
        assert_eq!(outcome.refused.len() + answered, 24, "{what}");
        holds(&disk, &outcome, &what);
        calls += 1;
    }
    assert!(calls > 60, "the script makes {calls} calls");
}

#[test]
fn interrupted_and_short_writes_go_on() {
    for fault in [Fault::Interrupted, Fault::Short] {
        let mut calls = 0;
        while let Some((disk, outcome, what)) = with_fault(calls, fault) {
            let what = format!("call {calls}, {what}");
            assert!(!outcome.is_broken && outcome.refused.is_empty(), "{what}");
            holds(&disk, &outcome, &what);
            calls += 1;
        }
        assert!(calls > 60, "the script makes {calls} calls");
    }
}

#[test]
fn no_room_refuses_one_record_and_the_next_is_taken() {
    let mut calls = 0;
    while let Some((disk, outcome, what)) = with_fault(calls, Fault::NoRoom) {
        let site = what;
        let what = format!("call {calls}, {what}");
        if outcome.is_broken {
            // What is on the disk after these is not known.
            assert!(["sync", "sync_directory", "rename", "remove", "open", "free_bytes"].contains(&site), "{what}");
        } else {
            assert!(outcome.refused.len() <= 1, "{what}: {:?}", outcome.refused);
            assert!(outcome.refused.iter().all(|error| *error == AppendError::DiskFull), "{what}");
            assert_eq!(outcome.acknowledged.len() + outcome.refused.len(), 24, "{what}");
        }
        holds(&disk, &outcome, &what);
        calls += 1;
    }
    assert!(calls > 60, "the script makes {calls} calls");
}

#[test]
fn a_full_disk_is_told_before_the_body_and_taken_up_again_after_a_second() {
    let disk = SimulatedDisk::default();
    let mut process = Process::first(&disk);
    assert!(process.append(Sample::of(0).record()).is_ok());
    disk.set_capacity(Some(disk.used()));
    let long = || Sample { text: 4_000, ..Sample::of(1) }.record();
    assert_eq!(process.append(long()), Err(AppendError::DiskFull));
    assert_eq!(process.kept.refuses(), Some(AppendError::DiskFull));
    assert!(process.append(Record::Tick { now_ns: 1 }).is_ok(), "the clock goes on while there is prepared room");
    disk.set_capacity(None);
    process.clock.set(BEGIN_NS + 1_000_000_000);
    assert!(process.append(Record::Tick { now_ns: 2 }).is_ok());
    assert_eq!(process.kept.refuses(), None);
    assert!(process.append(long()).is_ok());
    assert_eq!(replayed(&disk, 0), [(1, 0), (4, 1)]);
}

#[test]
fn least_free_bytes_and_most_journal_bytes_refuse_while_they_hold() {
    let disk = SimulatedDisk::default();
    let opened = open::open(opening(&disk, 0, Vec::new())).expect("a new journal opens");
    let (min_free_bytes, bytes_max) = (ByteSize(10_000), ByteSize(3_000));
    let mut process = Process::of(opened, Settings { min_free_bytes, bytes_max, ..settings(Level::Fsync, 2_048) });
    let tick = |process: &mut Process, second: u64| {
        process.clock.set(BEGIN_NS + second * 1_000_000_000);
        assert!(process.append(Record::Tick { now_ns: second }).is_ok());
        process.kept.refuses()
    };
    disk.set_capacity(Some(13_000));
    assert_eq!(tick(&mut process, 1), None);
    disk.set_capacity(Some(11_000));
    assert_eq!(tick(&mut process, 2), Some(AppendError::DiskFull));
    disk.set_capacity(None);
    assert_eq!(tick(&mut process, 3), None);
    for id in 0..6 {
        assert!(process.append(Sample { text: 200, ..Sample::of(id) }.record()).is_ok());
    }
    assert_eq!(tick(&mut process, 4), Some(AppendError::Full));
    process.kept.retire(9);
    tick(&mut process, 5);
    assert_eq!(tick(&mut process, 6), None);
}

#[test]
fn a_reused_file_shows_nothing_of_what_it_held() {
    let disk = SimulatedDisk::default();
    let mut process = Process::first(&disk);
    for id in 0..48 {
        let Acknowledged { seq, .. } = process.append(Sample { text: 100, ..Sample::of(id) }.record()).expect("room");
        process.kept.retire(seq - 1);
    }
    let files = disk.files("/journal".as_ref());
    assert!(files.len() <= 3, "files are used again: {:?}", files.keys());
    assert_eq!(replayed(&disk, 47), [(48, 47)]);
    // A start that knows of no checkpoint tells the beginning as lost, and takes nothing of what a file held before.
    let opened = open::open(opening(&disk, 0, Vec::new())).expect("it opens");
    let lowest = opened.damaged[0].seqs.1 + 1;
    assert_eq!(opened.damaged.len(), 1);
    assert!(lowest > 30, "{lowest}");
    let held = |bytes: &Vec<u8>| bytes.windows(100).filter(|text| *text == [b'x'; 100]).count() as u64;
    let held = files.values().map(held).sum::<u64>();
    assert!(held > 49 - lowest, "old contents are there: {held} batches in all, {lowest} is the first record");
}

#[test]
fn records_that_were_refused_for_want_of_room_are_not_found_behind_the_next() {
    let disk = SimulatedDisk::default();
    let mut process = Process::first(&disk);
    assert!(process.append(Sample::of(0).record()).is_ok());
    let answers: Vec<_> = (1..5).map(|id| process.submit(Sample::of(id).record())).collect();
    disk.fail(0, Fault::NoRoom);
    assert!(process.work());
    for mut answer in answers {
        assert_eq!(answer.try_recv(), Ok(Err(AppendError::DiskFull)));
    }
    assert_eq!(replayed(&disk, 0), [(1, 0)], "half of the group was whole");
    let mut process = Process::first(&disk);
    assert!(process.append(Sample::of(2).record()).is_ok());
    assert_eq!(replayed(&disk, 0), [(1, 0), (2, 2)]);
}

#[test]
fn a_file_into_which_nothing_could_be_written_gives_its_name_away() {
    let disk = SimulatedDisk::default();
    let mut process = Process::first(&disk);
    // Create, allocate, header, sync, rename, sync of names; then the group.
    disk.fail(6, Fault::NoRoom);
    assert_eq!(process.append(Sample::of(0).record()), Err(AppendError::DiskFull));
    assert_eq!(disk.failed(), Some("write"));
    assert!(process.append(Sample { text: 4_000, ..Sample::of(1) }.record()).is_ok());
    process.kept.retire(0);
    assert!(process.append(Record::Tick { now_ns: 1 }).is_ok());
    assert_eq!(replayed(&disk, 0), [(1, 1)], "the file in use is none that may go");
}
