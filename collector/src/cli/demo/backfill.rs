//! Past traffic, second by second, handed to a sink inside the process: batches stamped in the past with batch time
//! as the clock. It never waits and never sends.

use prost::Message;

use super::encode;
use super::platform::{BACKFILL_SECONDS, Platform};

/// Takes past traffic in order of time.
pub trait BackfillSink {
    /// One `ExportTraceServiceRequest` as protobuf, as if it had arrived at this moment.
    fn traces(&mut self, protobuf: &[u8], observed_at_ns: u64);
    /// The clock moved to this moment; called once for each second after that second's traces.
    fn tick(&mut self, now_ns: u64);
}

/// Makes the platform's first six hours. `progress` hears the number of seconds done of [`BACKFILL_SECONDS`] once for
/// each minute of traffic.
pub fn backfill(platform: &Platform, sink: &mut dyn BackfillSink, mut progress: impl FnMut(u64)) {
    let mut bytes = Vec::new();
    for index in 0..BACKFILL_SECONDS {
        make_second(platform, index, &mut bytes, sink);
        if (index + 1).is_multiple_of(60) {
            progress(index + 1);
        }
    }
}

fn make_second(platform: &Platform, index: u64, bytes: &mut Vec<u8>, sink: &mut dyn BackfillSink) {
    let now_ns = platform.second_ns(index + 1);
    bytes.clear();
    encode::traces(&platform.second(index)).encode(bytes).expect("a vector takes any number of bytes");
    sink.traces(bytes, now_ns);
    sink.tick(now_ns);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::Faults;

    #[derive(Default, PartialEq, Eq)]
    struct Tape(Vec<(Vec<u8>, u64)>, Vec<u64>);

    impl BackfillSink for Tape {
        fn traces(&mut self, protobuf: &[u8], observed_at_ns: u64) {
            self.0.push((protobuf.to_vec(), observed_at_ns));
        }

        fn tick(&mut self, now_ns: u64) {
            self.1.push(now_ns);
        }
    }

    fn tape(seed: u64) -> Tape {
        let platform = Platform { seed, rate: 20, faults: Faults::ALL, epoch_s: 1_700_000_000 };
        let mut tape = Tape::default();
        let mut bytes = Vec::new();
        (0..30).for_each(|index| make_second(&platform, index, &mut bytes, &mut tape));
        tape
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        assert!(tape(1) == tape(1));
        assert!(tape(1).0 != tape(2).0);
    }

    #[test]
    fn each_second_is_observed_when_it_ends_and_then_the_clock_moves() {
        let tape = tape(1);
        let ends: Vec<u64> = (1..=30).map(|index| (1_700_000_000 + index) * 1_000_000_000).collect();
        assert_eq!(tape.0.iter().map(|(_, observed_at_ns)| *observed_at_ns).collect::<Vec<_>>(), ends);
        assert_eq!(tape.1, ends);
    }
}
