//! Requests encoded before anything is measured, and what they will have said once a server has taken them.
//!
//! Spans get their times when a run begins, by writing into the encoded bytes: a server refuses old ones.

use bailiwick_slo::outcome::Outcome;
use bytes::Bytes;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message;
use std::io::Write as _;
use xxhash_rust::xxh3::Xxh3;

use super::random::Random;
use super::series::{Chooser, Dimensions};
use super::spans::{self, Facts};
use super::workload::{Compression, Plan, Workload};

/// gRPC's message prefix: compressed flag, length.
pub const PREFIX_BYTES: usize = 5;

/// Ends lie within this of the moment that a run centres on: one slot of 10 s, or two, as in live traffic.
const SPREAD_NS: u64 = 1_000_000_000;

/// Protobuf tags of `start_time_unix_nano` and `end_time_unix_nano`; encoders write them one after the other.
const START_TAG: u8 = 7 << 3 | 1;
const END_TAG: u8 = 8 << 3 | 1;

/// A pool could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The encoder wrote times where nobody looks for them.
    #[error("failed to find the times of span {0} in the encoded bytes")]
    TimesNotFound(usize),
    /// A body could not be compressed.
    #[error("failed to compress a body")]
    Compress(#[from] std::io::Error),
}

/// Distinct requests, the same for the same plan.
#[derive(Debug)]
pub struct Pool {
    /// Where the series are.
    pub dimensions: Dimensions,
    /// XXH3-128 of all bodies before they got times.
    pub hash: u128,
    templates: Vec<Template>,
}

#[derive(Debug)]
struct Template {
    /// The message behind an empty prefix.
    frame: Vec<u8>,
    times: Vec<Times>,
    said: Vec<(u32, Outcome)>,
}

/// Where the times of a span stand and what they will be.
#[derive(Debug)]
struct Times {
    start_at: usize,
    duration_ns: u64,
    before_latest_ns: u64,
}

impl Pool {
    /// Encodes a plan.
    ///
    /// # Errors
    /// When the encoder's output is not what this expects.
    pub fn encode(plan: &Plan) -> Result<Self, PoolError> {
        Self::encode_first(plan, plan.requests())
    }

    /// Encodes the first requests of a plan only.
    ///
    /// # Errors
    /// When the encoder's output is not what this expects.
    pub fn encode_first(plan: &Plan, requests: usize) -> Result<Self, PoolError> {
        let dimensions = Dimensions::of(plan);
        let mut random = Random::new(plan.seed);
        let mut chooser = Chooser::new(dimensions.series(), plan.skew, &mut random);
        let mut hasher = Xxh3::new();
        let mut templates = Vec::with_capacity(requests);
        for _ in 0..requests {
            let template = Template::encode(plan, dimensions, &mut chooser, &mut random)?;
            hasher.update(&template.frame);
            templates.push(template);
        }
        Ok(Self { dimensions, hash: hasher.digest128(), templates })
    }

    /// How many distinct requests.
    #[must_use]
    pub fn len(&self) -> usize {
        self.templates.len()
    }

    /// Never: a plan has at least one request.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }

    /// What a request says: series and outcome of each span.
    #[must_use]
    pub fn said(&self, request: usize) -> &[(u32, Outcome)] {
        &self.templates[request].said
    }

    /// Mean bytes of a span on the wire, uncompressed, with its share of resource and scope.
    #[must_use]
    pub fn bytes_per_span(&self) -> f64 {
        let bytes: usize = self.templates.iter().map(|template| template.frame.len() - PREFIX_BYTES).sum();
        let spans: usize = self.templates.iter().map(|template| template.said.len()).sum();
        bytes as f64 / spans as f64
    }

    /// The requests with ends around `centre_ns` (nanoseconds since the Unix epoch), as gRPC messages.
    ///
    /// # Errors
    /// When a body cannot be compressed.
    pub fn stamp(&self, centre_ns: u64, compression: Compression) -> Result<Vec<Bytes>, PoolError> {
        let latest_ns = centre_ns + SPREAD_NS;
        self.templates.iter().map(|template| Ok(framed(template.stamped(latest_ns), compression)?)).collect()
    }
}

impl Template {
    fn encode(
        plan: &Plan,
        dimensions: Dimensions,
        chooser: &mut Chooser,
        random: &mut Random,
    ) -> Result<Self, PoolError> {
        let mut said = Vec::with_capacity(plan.spans_per_request);
        let mut request = ExportTraceServiceRequest::default();
        for number in 0..plan.resources() {
            let share = share(plan.spans_per_request, plan.resources(), number);
            let mut scope = ScopeSpans { scope: Some(spans::scope()), ..ScopeSpans::default() };
            for _ in 0..share {
                let (series, outcome) = (chooser.choose(random), spans::outcome(random));
                let place = dimensions.place(series as usize);
                let facts = Facts { place, outcome, mark: spans::TIME_MARK | said.len() as u64 };
                let span = if plan.workload == Workload::W4 { spans::rich } else { spans::plain };
                scope.spans.push(span(&facts, random));
                said.push((series, outcome));
            }
            let resource = Some(spans::resource(number));
            let spans = ResourceSpans { resource, scope_spans: vec![scope], ..ResourceSpans::default() };
            request.resource_spans.push(spans);
        }
        let mut frame = vec![0; PREFIX_BYTES];
        request.encode(&mut frame).expect("a vector grows");
        let times = find_times(&frame, &said, random)?;
        Ok(Self { frame, times, said })
    }

    fn stamped(&self, latest_ns: u64) -> Vec<u8> {
        let mut frame = self.frame.clone();
        for times in &self.times {
            let end_ns = latest_ns - times.before_latest_ns;
            let start_ns = end_ns - times.duration_ns;
            frame[times.start_at..][..8].copy_from_slice(&start_ns.to_le_bytes());
            frame[times.start_at + 9..][..8].copy_from_slice(&end_ns.to_le_bytes());
        }
        frame
    }
}

/// Spans of one of `parts` resources; the first ones take what is left over.
fn share(spans: usize, parts: usize, number: usize) -> usize {
    spans / parts + usize::from(number < spans % parts)
}

fn find_times(frame: &[u8], said: &[(u32, Outcome)], random: &mut Random) -> Result<Vec<Times>, PoolError> {
    let mut from = PREFIX_BYTES;
    let mut times = Vec::with_capacity(said.len());
    for (number, (series, _)) in said.iter().enumerate() {
        let mark = (spans::TIME_MARK | number as u64).to_le_bytes();
        let written = [&[START_TAG][..], &mark, &[END_TAG], &mark].concat();
        let at = frame[from..].windows(written.len()).position(|window| window == written);
        let start_at = from + at.ok_or(PoolError::TimesNotFound(number))? + 1;
        let before_latest_ns = random.below(2 * SPREAD_NS);
        times.push(Times { start_at, duration_ns: duration_ns(*series, random), before_latest_ns });
        from = start_at + written.len() - 1;
    }
    Ok(times)
}

/// Durations of a series stay within one decade that begins between 1 and 100 ms.
fn duration_ns(series: u32, random: &mut Random) -> u64 {
    let shortest = 1e6 * 10_f64.powf(2.0 * Random::new(u64::from(series)).fraction());
    (shortest * 10_f64.powf(random.fraction())) as u64
}

/// Compresses the message and writes its prefix.
fn framed(frame: Vec<u8>, compression: Compression) -> std::io::Result<Bytes> {
    let message = &frame[PREFIX_BYTES..];
    let mut frame = match compression {
        Compression::None => frame,
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(vec![0; PREFIX_BYTES], flate2::Compression::new(6));
            encoder.write_all(message)?;
            encoder.finish()?
        }
        Compression::Zstd => [vec![0; PREFIX_BYTES], zstd::bulk::compress(message, 3)?].concat(),
    };
    let length = u32::try_from(frame.len() - PREFIX_BYTES).map_err(std::io::Error::other)?;
    frame[0] = u8::from(compression != Compression::None);
    frame[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    Ok(frame.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    const CENTRE_NS: u64 = 1_800_000_000_000_000_000;

    fn small(workload: Workload) -> Plan {
        Plan { workload, spans_per_request: 64, series: 500, skew: 0.0, seed: 1 }
    }

    fn decode(message: &[u8]) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest::decode(message).expect("it is protobuf")
    }

    fn first(plan: &Plan, compression: Compression) -> Bytes {
        let pool = Pool::encode_first(plan, 1).expect("it encodes");
        pool.stamp(CENTRE_NS, compression).expect("it compresses").swap_remove(0)
    }

    #[test]
    fn every_span_ends_around_the_centre_after_it_starts() {
        let request = decode(&first(&small(Workload::W6), Compression::None)[PREFIX_BYTES..]);
        assert_eq!(request.resource_spans.len(), 32);
        let spans: Vec<_> = request.resource_spans.iter().flat_map(|spans| &spans.scope_spans[0].spans).collect();
        assert_eq!(spans.len(), 64);
        for span in spans {
            let duration_ns = span.end_time_unix_nano - span.start_time_unix_nano;
            assert!((1_000_000..1_000_000_000).contains(&duration_ns), "{duration_ns}");
            assert!(span.end_time_unix_nano.abs_diff(CENTRE_NS) <= SPREAD_NS);
        }
    }

    #[test]
    fn spans_have_the_size_and_attributes_of_their_workload() {
        for (workload, attributes, bytes) in [(Workload::W1, 10, 475..505), (Workload::W4, 25, 1_400..1_600)] {
            let plan = Plan { workload, ..Plan::headline(4_000) };
            let message = first(&plan, Compression::None);
            let request = decode(&message[PREFIX_BYTES..]);
            let spans = &request.resource_spans[0].scope_spans[0].spans;
            assert_eq!(spans[0].attributes.len(), attributes);
            assert_eq!(spans[0].attributes[attributes - 1].key, "bailiwick.module");
            assert_eq!(request.resource_spans[0].resource.as_ref().map(|r| r.attributes.len()), Some(8));
            let per_span = message.len() / spans.len();
            assert!(bytes.contains(&per_span), "{workload:?}: {per_span}");
        }
    }

    #[test]
    fn a_whole_batch_fits_the_stream_window_of_256_kib() {
        assert!(first(&Plan::headline(100_000), Compression::None).len() < 256 << 10);
    }

    #[test]
    fn the_same_plan_gives_the_same_bytes_and_another_seed_others() {
        let hash = |seed| Pool::encode_first(&Plan { seed, ..small(Workload::W1) }, 2).expect("it encodes").hash;
        assert_eq!(hash(1), hash(1));
        assert_ne!(hash(1), hash(2));
    }

    #[test]
    fn compressed_messages_hold_the_same_bytes() {
        let plan = small(Workload::W1);
        let plain = first(&plan, Compression::None);
        assert_eq!(plain[0], 0);
        assert_eq!(plain[1..5], (plain.len() as u32 - 5).to_be_bytes());
        let zstd = first(&plan, Compression::Zstd);
        assert_eq!(zstd[0], 1);
        assert_eq!(zstd::bulk::decompress(&zstd[5..], 1 << 20).expect("it is zstd"), plain[5..]);
        let gzip = first(&plan, Compression::Gzip);
        let mut inflated = Vec::new();
        flate2::read::GzDecoder::new(&gzip[5..]).read_to_end(&mut inflated).expect("it is gzip");
        assert_eq!(inflated, plain[5..]);
    }

    #[test]
    fn what_a_request_says_is_what_it_holds() {
        let pool = Pool::encode_first(&small(Workload::W1), 1).expect("it encodes");
        let request = decode(&pool.templates[0].frame[PREFIX_BYTES..]);
        let spans = &request.resource_spans[0].scope_spans[0].spans;
        for (span, (series, outcome)) in spans.iter().zip(pool.said(0)) {
            assert_eq!(span.name, pool.dimensions.place(*series as usize).operation());
            assert_eq!(span.status.is_some(), *outcome == Outcome::Failure);
        }
    }
}
