//! The fuzz targets without a fuzzer: corpus, generated requests, damaged ones, for `BAILIWICK_FUZZ_SECONDS` each.
//!
//! A finding is printed with the bytes that cause it; they belong in `tests/fuzz/corpus/` once it is fixed.
#![deny(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bailiwick_tests::fuzz::{Dice, fuzz_json, fuzz_metrics, fuzz_traces, generate, json, json_equals_protobuf, mutate};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

/// Scenario: generated, reordered, repeated and damaged trace requests, and the corpus.
/// Guarantee: the daemon accepts and refuses as prost does but for the intended differences, and writes the very batch
/// that the slow reference writes.
#[test]
fn the_walk_agrees_with_prost_and_its_batch_with_the_reference() {
    run("traces", generate::traces, fuzz_traces);
}

/// Scenario: generated and damaged metric requests, and the corpus.
/// Guarantee: every point of what prost accepts is judged as the slow reference judges it.
#[test]
fn points_are_judged_as_the_reference_judges_them() {
    run("metrics", generate::metrics, fuzz_metrics);
}

/// Scenario: printed, damaged JSON, and the corpus.
/// Guarantee: nothing panics, and what is accepted is canonical protobuf.
#[test]
fn json_is_refused_or_becomes_canonical_protobuf() {
    let printed = |seed| {
        let sent =
            ExportTraceServiceRequest::decode(&generate::traces(seed)[..]).expect("generated requests are sound");
        json(&sent, seed)
    };
    run("json", printed, fuzz_json);
}

/// Scenario: generated trace requests, as protobuf and as JSON.
/// Guarantee: both come to the same rows and strings.
#[test]
fn a_request_is_the_same_as_json_and_as_protobuf() {
    let mut session = Session::new("json equals protobuf");
    let mut compared = 0_u64;
    while session.goes_on() {
        let seed = session.seed();
        let sent =
            ExportTraceServiceRequest::decode(&generate::traces(seed)[..]).expect("generated requests are sound");
        let text = json(&sent, seed);
        let mut equal = false;
        session.execute(&text, |text| equal = json_equals_protobuf(&sent.encode_to_vec(), text));
        compared += u64::from(equal);
    }
    session.close();
    assert!(compared > 0, "nothing was compared");
}

fn run(target: &str, generate: impl Fn(u64) -> Vec<u8>, fuzz: impl Fn(&[u8])) {
    let mut session = Session::new(target);
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "the corpus of {target} is not empty");
    for input in &corpus {
        session.execute(input, &fuzz);
    }
    while session.goes_on() {
        let mut dice = Dice::new(session.seed());
        let sound = generate(dice.bits());
        session.execute(&sound, &fuzz);
        let mut damaged = if dice.once_in(3) { dice.one_of(&corpus).clone() } else { sound };
        for _ in 0..4 {
            let other = dice.one_of(&corpus).clone();
            mutate(&mut damaged, &other, &mut dice);
            damaged.truncate(64 << 10);
            session.execute(&damaged, &fuzz);
        }
    }
    session.close();
}

/// A bounded time of executions.
struct Session {
    target: String,
    seeds: Dice,
    first_seed: u64,
    until: Instant,
    executions: u64,
}

impl Session {
    fn new(target: &str) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
        let seconds = number("BAILIWICK_FUZZ_SECONDS").unwrap_or(10);
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as u64);
        let first_seed = number("BAILIWICK_FUZZ_SEED").unwrap_or_else(clock);
        let until = Instant::now() + Duration::from_secs(seconds);
        Self { target: target.to_owned(), seeds: Dice::new(first_seed), first_seed, until, executions: 0 }
    }

    fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    fn seed(&mut self) -> u64 {
        self.seeds.bits()
    }

    fn execute(&mut self, input: &[u8], fuzz: impl FnOnce(&[u8])) {
        self.executions += 1;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| fuzz(input))) {
            let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
            println!("{}: BAILIWICK_FUZZ_SEED={} found {hex}", self.target, self.first_seed);
            resume_unwind(panic);
        }
    }

    fn close(&self) {
        println!("{}: {} executions, seed {}, no finding", self.target, self.executions, self.first_seed);
    }
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).expect("the corpus is in the tree");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    files.into_iter().map(|file| std::fs::read(file).expect("a readable file")).collect()
}
