//! The walk: containers, and the two steps of a metric.
//!
//! Canonical order puts points before the temporality that judges them, so a metric's data is skipped through once for
//! what it says about all its points, and only then are they read.

use super::defect::PointDefect;
use super::point::{Judge, Point};
use crate::otlp::strict;
use crate::otlp::trace::{Halt, WalkLimits};
use crate::otlp::wire::{Reader, WireError, tag, wire_type};

/// Where a point stands in its request, all numbers from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Number of the resource.
    pub resource: u32,
    /// Number of the scope in it.
    pub scope: u32,
    /// Number of the metric in that.
    pub metric: u32,
    /// Number of the point in that.
    pub point: u32,
}

/// Takes what the walk finds, in the order of the request.
pub trait MetricSink {
    /// A point: what is wrong with it, its time in nanoseconds since the Unix epoch, and where it stands.
    fn point(&mut self, verdict: Result<(), PointDefect>, time_ns: u64, position: Position);
}

/// Field 1 of a container: resource, scope.
const HEADER: u32 = tag(1, wire_type::BYTES);
/// Field 2 of a container: scopes, metrics.
const CHILDREN: u32 = tag(2, wire_type::BYTES);
const SCHEMA_URL: u32 = tag(3, wire_type::BYTES);

/// Walks a request. `buckets_max` is the most buckets of a histogram point. With `STRICT` (tests only) everything is
/// checked that prost checks, skipped values included.
///
/// # Errors
/// When the bytes are not the message, or over a limit; what the sink got until then counts for nothing.
pub fn visit<const STRICT: bool>(
    body: &[u8],
    limits: &WalkLimits,
    buckets_max: u32,
    sink: &mut impl MetricSink,
) -> Result<(), Halt> {
    const RESOURCE_METRICS: u32 = tag(1, wire_type::BYTES);
    if STRICT {
        strict::check(strict::Message::MetricsRequest, body)?;
    }
    let mut walk = Walk { limits, buckets_max, sink, items: 0, containers: 0, position: Position::default() };
    let mut reader = Reader::new(body);
    while let Some(tag) = reader.tag()? {
        if tag == RESOURCE_METRICS {
            walk.resource_metrics(reader.bytes()?)?;
            walk.position.resource += 1;
        } else {
            reader.skip_unknown(tag, &[1], limits.groups_max)?;
        }
    }
    Ok(())
}

struct Walk<'w, S> {
    limits: &'w WalkLimits,
    buckets_max: u32,
    sink: &'w mut S,
    items: u32,
    containers: u32,
    position: Position,
}

impl<S: MetricSink> Walk<'_, S> {
    fn container(&mut self) -> Result<(), Halt> {
        self.containers += 1;
        if self.containers > self.limits.containers_max { Err(Halt::Containers) } else { Ok(()) }
    }

    fn resource_metrics(&mut self, bytes: &[u8]) -> Result<(), Halt> {
        self.container()?;
        self.position.scope = 0;
        let mut reader = Reader::new(bytes);
        while let Some(tag) = reader.tag()? {
            match tag {
                CHILDREN => {
                    self.scope_metrics(reader.bytes()?)?;
                    self.position.scope += 1;
                }
                HEADER | SCHEMA_URL => drop(reader.bytes()?),
                _ => reader.skip_unknown(tag, &[1, 2, 3], self.limits.groups_max)?,
            }
        }
        Ok(())
    }

    fn scope_metrics(&mut self, bytes: &[u8]) -> Result<(), Halt> {
        self.container()?;
        self.position.metric = 0;
        let mut reader = Reader::new(bytes);
        while let Some(tag) = reader.tag()? {
            match tag {
                CHILDREN => {
                    self.metric(reader.bytes()?)?;
                    self.position.metric += 1;
                }
                HEADER | SCHEMA_URL => drop(reader.bytes()?),
                _ => reader.skip_unknown(tag, &[1, 2, 3], self.limits.groups_max)?,
            }
        }
        Ok(())
    }

    fn metric(&mut self, bytes: &[u8]) -> Result<(), Halt> {
        self.container()?;
        self.position.point = 0;
        let Some(data) = Data::read(bytes, self.limits.groups_max)? else { return Ok(()) };
        let judge = Judge {
            kind: data.kind,
            temporality: data.temporality,
            monotonic: data.monotonic,
            attributes_max: self.limits.attributes_max,
            buckets_max: self.buckets_max,
            groups_max: self.limits.groups_max,
        };
        let mut reader = Reader::new(data.run);
        while let Some(tag) = reader.tag()? {
            if Kind::of(tag) == Some(data.kind) {
                self.points(reader.bytes()?, &judge)?;
            } else {
                reader.skip(tag, self.limits.groups_max)?;
            }
        }
        Ok(())
    }

    fn points(&mut self, bytes: &[u8], judge: &Judge) -> Result<(), Halt> {
        let mut reader = Reader::new(bytes);
        while let Some(tag) = reader.tag()? {
            if tag != POINT {
                reader.skip(tag, self.limits.groups_max)?;
                continue;
            }
            self.items += 1;
            if self.items > self.limits.items_max {
                return Err(Halt::Items);
            }
            let (verdict, time_ns) = Point::judge(reader.bytes()?, judge)?;
            self.sink.point(verdict, time_ns, self.position);
            self.position.point += 1;
        }
        Ok(())
    }
}

/// The kinds of data of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
}

impl Kind {
    const fn of(tag: u32) -> Option<Self> {
        const GAUGE: u32 = tag_of(5);
        const SUM: u32 = tag_of(7);
        const HISTOGRAM: u32 = tag_of(9);
        const EXPONENTIAL: u32 = tag_of(10);
        const SUMMARY: u32 = tag_of(11);
        match tag {
            GAUGE => Some(Self::Gauge),
            SUM => Some(Self::Sum),
            HISTOGRAM => Some(Self::Histogram),
            EXPONENTIAL => Some(Self::ExponentialHistogram),
            SUMMARY => Some(Self::Summary),
            _ => None,
        }
    }
}

const fn tag_of(field: u32) -> u32 {
    tag(field, wire_type::BYTES)
}

/// Field 1 of every kind of data.
const POINT: u32 = tag(1, wire_type::BYTES);

/// What a metric says about all its points.
struct Data<'a> {
    kind: Kind,
    temporality: i32,
    monotonic: bool,
    /// From the first field that counts: of several kinds of data the last wins, and fields of one kind in a row are
    /// one message, as in prost.
    run: &'a [u8],
}

impl<'a> Data<'a> {
    fn read(bytes: &'a [u8], groups_max: usize) -> Result<Option<Self>, WireError> {
        let mut data: Option<Self> = None;
        let mut reader = Reader::new(bytes);
        loop {
            let run = reader.rest();
            let Some(tag) = reader.tag()? else { return Ok(data) };
            let Some(kind) = Kind::of(tag) else {
                match tag >> 3 {
                    1..=3 | 12 if tag & 7 == wire_type::BYTES => drop(reader.bytes()?),
                    _ => reader.skip_unknown(tag, &[1, 2, 3, 5, 7, 9, 10, 11, 12], groups_max)?,
                }
                continue;
            };
            let same = data.take().filter(|data| data.kind == kind);
            let mut merged = same.unwrap_or(Self { kind, temporality: 0, monotonic: false, run });
            merged.merge(reader.bytes()?, groups_max)?;
            data = Some(merged);
        }
    }

    fn merge(&mut self, bytes: &[u8], groups_max: usize) -> Result<(), WireError> {
        const TEMPORALITY: u32 = tag(2, wire_type::VARINT);
        const MONOTONIC: u32 = tag(3, wire_type::VARINT);
        let known: &[u32] = match self.kind {
            Kind::Gauge | Kind::Summary => &[1],
            Kind::Histogram | Kind::ExponentialHistogram => &[1, 2],
            Kind::Sum => &[1, 2, 3],
        };
        let mut reader = Reader::new(bytes);
        while let Some(tag) = reader.tag()? {
            match tag {
                POINT => drop(reader.bytes()?),
                TEMPORALITY if known.len() > 1 => self.temporality = (reader.varint()? as u32).cast_signed(),
                MONOTONIC if known.len() > 2 => self.monotonic = reader.varint()? != 0,
                _ => reader.skip_unknown(tag, known, groups_max)?,
            }
        }
        Ok(())
    }
}
