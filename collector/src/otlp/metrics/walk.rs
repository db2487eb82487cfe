//! The walk: containers, and the two steps of a metric.
//!
//! Canonical order puts points before the temporality that judges them, so a metric's data is skipped through once for
//! what it says about all its points, and only then are they read.

use super::point::{Judge, Point};
use crate::otlp::attributes::Slots;
use crate::otlp::header::{CHILDREN, HEADER, Header, SCHEMA_URL, headers, read_resource, read_scope};
use crate::otlp::strict;
use crate::otlp::trace::{Halt, Keys, WalkLimits};
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

/// What a metric says about all its points. Texts are as they stand, not yet known to be UTF-8.
#[derive(Debug, Clone, Copy)]
pub struct Metric<'a> {
    /// The scope's name.
    pub scope: &'a [u8],
    /// Its name.
    pub name: &'a [u8],
    /// Its unit.
    pub unit: &'a [u8],
    /// Its kind of data.
    pub kind: Kind,
    /// OTLP's `AggregationTemporality`: 1 delta, 2 cumulative; all else is unspecified.
    pub temporality: i32,
    /// Whether a sum only grows.
    pub is_monotonic: bool,
    /// What the sink answered when it was asked ([`MetricSink::wants`]).
    pub is_wanted: bool,
}

/// Takes what the walk finds, in the order of the request.
pub trait MetricSink<'a> {
    /// A resource begins; its scopes follow.
    fn resource(&mut self, header: &Header<'_, 'a>);
    /// A scope begins; its metrics follow.
    fn scope(&mut self, header: &Header<'_, 'a>);
    /// Whether points of this metric are wanted with all their attributes and buckets.
    fn wants(&self, metric: &Metric<'a>) -> bool;
    /// A point of this metric, and where it stands.
    fn point(&mut self, metric: &Metric<'a>, point: &mut Point<'a>, position: Position);
}

/// Walks a request. With `STRICT` (tests only) everything is checked that prost checks, skipped values included.
///
/// # Errors
/// When the bytes are not the message, or over a limit; what the sink got until then counts for nothing.
pub fn visit<'a, const STRICT: bool>(
    body: &'a [u8],
    keys: &Keys,
    limits: &WalkLimits,
    sink: &mut impl MetricSink<'a>,
) -> Result<(), Halt> {
    const RESOURCE_METRICS: u32 = tag(1, wire_type::BYTES);
    if STRICT {
        strict::check(strict::Message::MetricsRequest, body)?;
    }
    let (slots, point, position) = (Slots::default(), Point::default(), Position::default());
    let mut walk = Walk { keys, limits, sink, items: 0, containers: 0, position, slots, point };
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

struct Walk<'w, 'a, S> {
    keys: &'w Keys,
    limits: &'w WalkLimits,
    sink: &'w mut S,
    items: u32,
    containers: u32,
    position: Position,
    slots: Slots<'a>,
    point: Point<'a>,
}

impl<'a, S: MetricSink<'a>> Walk<'_, 'a, S> {
    fn container(&mut self) -> Result<(), Halt> {
        self.containers += 1;
        if self.containers > self.limits.containers_max { Err(Halt::Containers) } else { Ok(()) }
    }

    // Headers are looked up first, wherever they stand: what is skipped for that is skipped by its length.
    fn resource_metrics(&mut self, bytes: &'a [u8]) -> Result<(), Halt> {
        self.container()?;
        self.position.scope = 0;
        self.slots.clear();
        let (mut hash, mut count) = (0, 0);
        let mut reader = Reader::new(bytes);
        headers::<true>(&mut reader, self.limits.groups_max, |resource| {
            read_resource(resource, self.keys, self.limits, &mut self.slots, (&mut hash, &mut count))
        })?;
        self.slots.share(&self.keys.resource);
        let over_attributes = count > self.limits.attributes_max;
        self.sink.resource(&Header { name: &[], attributes: &self.slots, hash, over_attributes });
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

    fn scope_metrics(&mut self, bytes: &'a [u8]) -> Result<(), Halt> {
        self.container()?;
        self.position.metric = 0;
        self.slots.clear();
        let (mut name, mut count) = (&[][..], 0);
        let mut reader = Reader::new(bytes);
        headers::<true>(&mut reader, self.limits.groups_max, |scope| {
            read_scope(scope, self.keys, self.limits, &mut self.slots, (&mut name, &mut count))
        })?;
        self.slots.share(&self.keys.scope);
        let over_attributes = count > self.limits.attributes_max;
        self.sink.scope(&Header { name, attributes: &self.slots, hash: 0, over_attributes });
        while let Some(tag) = reader.tag()? {
            match tag {
                CHILDREN => {
                    self.metric(reader.bytes()?, name)?;
                    self.position.metric += 1;
                }
                HEADER | SCHEMA_URL => drop(reader.bytes()?),
                _ => reader.skip_unknown(tag, &[1, 2, 3], self.limits.groups_max)?,
            }
        }
        Ok(())
    }

    fn metric(&mut self, bytes: &'a [u8], scope: &'a [u8]) -> Result<(), Halt> {
        self.container()?;
        self.position.point = 0;
        let mut texts = Texts::default();
        let Some(data) = Data::read(bytes, &mut texts, self.limits.groups_max)? else { return Ok(()) };
        let Data { kind, temporality, monotonic, run } = data;
        let Texts { name, unit } = texts;
        let mut metric = Metric { scope, name, unit, kind, temporality, is_monotonic: monotonic, is_wanted: false };
        metric.is_wanted = self.sink.wants(&metric);
        let judge = Judge {
            kind,
            temporality,
            monotonic,
            attributes_max: self.limits.attributes_max,
            buckets_max: self.limits.buckets_max,
            groups_max: self.limits.groups_max,
            is_wanted: metric.is_wanted,
        };
        let mut reader = Reader::new(run);
        while let Some(tag) = reader.tag()? {
            if Kind::of(tag) == Some(kind) {
                self.points(reader.bytes()?, &metric, &judge)?;
            } else {
                reader.skip(tag, self.limits.groups_max)?;
            }
        }
        Ok(())
    }

    fn points(&mut self, bytes: &'a [u8], metric: &Metric<'a>, judge: &Judge) -> Result<(), Halt> {
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
            self.point.read(reader.bytes()?, judge, &self.keys.point)?;
            self.sink.point(metric, &mut self.point, self.position);
            self.position.point += 1;
        }
        Ok(())
    }
}

/// The kinds of data of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// `gauge`.
    Gauge = 1,
    /// `sum`.
    Sum = 2,
    /// `histogram`.
    Histogram = 3,
    /// `exponential_histogram`.
    ExponentialHistogram = 4,
    /// `summary`.
    Summary = 5,
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

/// The texts of a metric.
#[derive(Debug, Default)]
struct Texts<'a> {
    name: &'a [u8],
    unit: &'a [u8],
}

impl<'a> Data<'a> {
    fn read(bytes: &'a [u8], texts: &mut Texts<'a>, groups_max: usize) -> Result<Option<Self>, WireError> {
        let mut data: Option<Self> = None;
        let mut reader = Reader::new(bytes);
        loop {
            let run = reader.rest();
            let Some(tag) = reader.tag()? else { return Ok(data) };
            let Some(kind) = Kind::of(tag) else {
                match tag >> 3 {
                    1 if tag & 7 == wire_type::BYTES => texts.name = reader.bytes()?,
                    3 if tag & 7 == wire_type::BYTES => texts.unit = reader.bytes()?,
                    2 | 12 if tag & 7 == wire_type::BYTES => drop(reader.bytes()?),
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
