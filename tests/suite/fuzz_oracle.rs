//! The fuzz targets without a fuzzer: corpus, generated requests, damaged ones, for `BAILIWICK_FUZZ_SECONDS` each.
//!
//! A finding is printed with the bytes that cause it; they belong in `tests/fuzz/corpus/` once it is fixed.
#![deny(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bailiwick_collector::observation::Signal;
use bailiwick_collector::observation::report::Reason;
use bailiwick_slo::outcome::Outcome;
use bailiwick_tests::fuzz::{
    CASES, Census, Dice, case_of, census, damage_inside, fuzz_json, fuzz_under, generate, json, json_equals_protobuf,
    mutate, observed, rearrange, shrink,
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

/// Scenario: generated, reordered, repeated and damaged trace requests, and the corpus.
/// Guarantee: the daemon accepts and refuses as prost does but for the intended differences, and writes the very batch
/// that the slow reference writes.
#[test]
fn the_walk_agrees_with_prost_and_its_batch_with_the_reference() {
    requests("traces", Signal::Traces);
}

/// Scenario: generated, reordered, repeated and damaged metric requests, and the corpus.
/// Guarantee: likewise; every point is judged as the slow reference judges it.
#[test]
fn points_are_judged_as_the_reference_judges_them() {
    requests("metrics", Signal::Metrics);
}

fn requests(target: &str, signal: Signal) {
    let corpus = corpus(target);
    let mut session = Session::new(target);
    let fuzz = |data: &[u8]| match catch_unwind(|| fuzz_under(case_of(data), signal, data)) {
        Ok(()) => {}
        Err(panic) => {
            let case = case_of(data);
            let least = shrink(data, signal, |data| catch_unwind(|| fuzz_under(case, signal, data)).is_err());
            println!("{target}: under {case:?} it is enough to send {}", hex(&least));
            resume_unwind(panic);
        }
    };
    for (input, case) in corpus.iter().flat_map(|input| CASES.map(|case| (input, case))) {
        session.execute(input, |data| fuzz_under(case, signal, data));
    }
    while session.goes_on() {
        let mut dice = Dice::new(session.seed());
        let generated = generate::request(signal, dice.bits());
        session.execute(&generated, fuzz);
        let other = dice.one_of(&corpus);
        let mut sent = if dice.once_in(4) { other.clone() } else { generated };
        if dice.once_in(2) {
            sent = rearrange(&sent, signal, &mut dice);
            session.execute(&sent, fuzz);
        }
        for _ in 0..3 {
            if dice.once_in(3) {
                mutate(&mut sent, other, &mut dice);
            } else {
                sent = damage_inside(&sent, signal, other, &mut dice);
            }
            sent.truncate(BYTES_MAX);
            session.execute(&sent, fuzz);
        }
    }
    session.close();
}

/// Scenario: 2,000 generated and rearranged requests of each signal.
/// Guarantee: among them is all that the walk has to be asked about, and they come to every outcome, flag and reason.
#[test]
fn generated_requests_hold_what_encoders_never_write() {
    let mut census = Census::default();
    for seed in 0..4_000 {
        let signal = if seed % 2 == 0 { Signal::Traces } else { Signal::Metrics };
        let generated = generate::request(signal, seed);
        for sent in [rearrange(&generated, signal, &mut Dice::new(seed)), generated] {
            census.request(&sent, signal);
            if let Some(observed) = observed(case_of(&sent), signal, &sent) {
                census.batch(&observed);
            }
        }
    }
    let lengths = [7, 8, 9, 15, 16, 17, 31, 32, 33].map(|length| format!("key of {length} bytes"));
    let keys = lengths.iter().flat_map(|key| [format!("used {key}"), format!("unused {key}")]);
    // 8: canaries are not there yet.
    let flags = (0..=16).filter(|bit| *bit != 8).map(census::flag_bit);
    // Beyond these a reason is the JSON pre-scan's, or the aggregator's.
    let reasons = Reason::ALL.into_iter().filter(|reason| *reason < Reason::JsonShape).map(census::reason);
    let outcomes = Outcome::ALL.map(|outcome| format!("outcome {}", outcome.name()));
    let claims = ["span", "header", "baggage", "token", "data", "module"].map(|source| format!("claim by {source}"));
    let places = (0..4).map(|list| format!("key 2 of list {list}"));
    let kinds = (0..=5).map(|kind| format!("kind {kind}"));
    let wanted = census::SHAPES.map(str::to_owned).into_iter().chain((0..=11).map(census::outcome_rule)).chain(keys);
    let wanted = wanted.chain(flags).chain(reasons).chain(outcomes).chain(claims).chain(places).chain(kinds);
    // Attribute, invalid, capped, inconsistent: the others are not written.
    let sources = (2..=5).map(census::weight_source);
    let wanted = wanted.chain((1..=9).map(census::extra_key)).chain(sources);
    let wanted = wanted.chain((1..=4).map(census::point_of)).chain((0..=9).map(census::point_flag_bit));
    let of_points = ["success", "failure", "client_error", "cancelled"].map(|name| format!("point of outcome {name}"));
    let shapes = ["with an operation", "with buckets", "with a scale", "of a tenant"].map(|of| format!("a point {of}"));
    let wanted = wanted.chain(of_points).chain(shapes);
    let wanted: Vec<String> = wanted.chain(["links".to_owned()]).collect();
    let missing = census.missing(wanted.iter().map(String::as_str));
    assert!(missing.is_empty(), "never generated: {missing:?}");
}

/// Scenario: printed, damaged JSON, and the corpus.
/// Guarantee: nothing panics, and what is accepted is canonical protobuf.
#[test]
fn json_is_refused_or_becomes_canonical_protobuf() {
    let corpus = corpus("json");
    let mut session = Session::new("json");
    for input in &corpus {
        session.execute(input, fuzz_json);
    }
    while session.goes_on() {
        let mut dice = Dice::new(session.seed());
        let mut text = if dice.once_in(4) { dice.one_of(&corpus).clone() } else { printed(&mut dice).2 };
        for _ in 0..4 {
            session.execute(&text, fuzz_json);
            let other = dice.one_of(&corpus);
            mutate(&mut text, other, &mut dice);
            text.truncate(BYTES_MAX);
        }
    }
    session.close();
}

/// Scenario: generated requests, as protobuf and as JSON.
/// Guarantee: both come to the same rows and strings.
#[test]
fn a_request_is_the_same_as_json_and_as_protobuf() {
    let mut session = Session::new("json equals protobuf");
    let mut compared = 0_u64;
    while session.goes_on() {
        let mut dice = Dice::new(session.seed());
        let (signal, protobuf, text) = printed(&mut dice);
        let mut equal = false;
        session.execute(&text, |text| equal = json_equals_protobuf(signal, &protobuf, text));
        compared += u64::from(equal);
    }
    session.close();
    assert!(compared > 0, "nothing was compared");
}

/// A request as prost writes it, and as JSON.
fn printed(dice: &mut Dice) -> (Signal, Vec<u8>, Vec<u8>) {
    let signal = *dice.one_of(&[Signal::Traces, Signal::Metrics]);
    let sent = generate::sound_request(signal, dice.bits());
    let sound = "a sound request";
    let protobuf = match signal {
        Signal::Traces => ExportTraceServiceRequest::decode(&sent[..]).expect(sound).encode_to_vec(),
        Signal::Metrics => ExportMetricsServiceRequest::decode(&sent[..]).expect(sound).encode_to_vec(),
    };
    let text = json(signal, &protobuf, dice.bits());
    (signal, protobuf, text)
}

/// Damaged inputs are cut here: what is repeated again and again would grow without end.
const BYTES_MAX: usize = 64 << 10;

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
            println!("{}: BAILIWICK_FUZZ_SEED={} found {}", self.target, self.first_seed, hex(input));
            resume_unwind(panic);
        }
    }

    fn close(&self) {
        println!("{}: {} executions, seed {}, no finding", self.target, self.executions, self.first_seed);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).expect("the corpus is in the tree");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    files.into_iter().map(|file| std::fs::read(file).expect("a readable file")).collect()
}
