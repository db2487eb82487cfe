//! Data points: checked, booked under whom they claim, and kept as rows where their metric counts for something.
//!
//! A point is refused for the first of: what is wrong with itself, resource and scope, time, tenant, strings that are not
//! UTF-8. Points of metrics that nobody uses are accepted without a row.

mod stream;
mod tapped;
mod wanted;

use super::batch::Builder;
use super::batch::row::{self, Evidence, Extra, NO_CODE, extra, point_flag};
use super::fields::{label, oddity_flags};
use super::items::{Codes, ItemWalk, Refusal};
use super::naming::{write_named, write_target};
use super::outcome::{self, Facts};
use super::report::{Position, Reason};
use super::slots;
use crate::otlp::attributes::{Slots, Value};
use crate::otlp::header::Header;
use crate::otlp::metrics::{self, Kind, Metric, MetricSink, Number, Point, PointDefect};

/// [`Extra::kind`] of a string.
const STRING: u8 = 3;

/// What became of an accepted point.
struct Accepted {
    /// What was odd about it, as bits of [`row::flag`].
    flags: u32,
    has_row: bool,
}

impl ItemWalk<'_> {
    fn accept(&mut self, metric: &Metric<'_>, point: &mut Point<'_>) -> Result<Accepted, Refusal> {
        if let Some(defect) = point.defect {
            return Err(Refusal(reason(defect)));
        }
        let late = self.rules.ingest.judge(point.time_ns, self.observed_at_ns);
        if let Some(reason) = self.around_refusal().or(late) {
            return Err(Refusal(reason));
        }
        let mut flags = oddity_flags(point.attributes.oddities());
        let mut evidence = Evidence::default();
        self.claim_of_item(&point.attributes, &mut evidence)?;
        self.judge_tenant(&evidence, false, &mut flags)?;
        if metric.is_wanted {
            self.point_row(metric, point, &mut evidence, &mut flags)?;
        }
        Ok(Accepted { flags, has_row: metric.is_wanted })
    }

    fn point_row(
        &mut self,
        metric: &Metric<'_>,
        point: &mut Point<'_>,
        evidence: &mut Evidence,
        flags: &mut u32,
    ) -> Result<(), Refusal> {
        let stream_id = self.stream_id(metric, &mut point.pairs);
        let attributes = &point.attributes;
        self.module_of_item(attributes, evidence, flags)?;
        let mut row = row::Point {
            stream_id,
            start_ns: point.start_ns,
            time_ns: point.time_ns,
            metric: label(self.builder, self.rules, metric.name, flags)?,
            unit: label(self.builder, self.rules, metric.unit, flags)?,
            code: NO_CODE,
            data: metric.kind as u8,
            temporality: u8::try_from(metric.temporality).unwrap_or(0),
            flags: spoken(metric, point),
            ..row::Point::default()
        };
        set_value(&mut row, metric, point);
        let target = self.operation_of_point(&mut row, attributes, flags)?;
        let codes = Codes::read(attributes, flags);
        row.code = codes.stored();
        if codes.is_grpc() {
            row.flags |= point_flag::GRPC_CODE;
        }
        let facts = self.facts(codes, attributes, evidence);
        let (outcome, _) = outcome::decide(&Facts { kind: outcome::KIND_SERVER, ..facts });
        row.outcome = outcome as u8;
        row.evidence = self.builder.evidence(evidence);
        row.context = self.context_row();
        if target != 0 {
            add_extra(self.builder, &mut row, &Extra { key: extra::TARGET, kind: STRING, value: target.into() });
        }
        self.taps_of_point(&mut row, metric.name, &point.pairs);
        if !point.words.is_empty() {
            row.first_word = self.builder.words(&point.words);
            row.words = point.words.len() as u32;
        }
        self.builder.point(&row);
        Ok(())
    }

    /// Names the operation as spans name it; or, for those who know the routes, gives what it may be.
    fn operation_of_point(
        &mut self,
        row: &mut row::Point,
        attributes: &Slots<'_>,
        flags: &mut u32,
    ) -> Result<u32, Refusal> {
        self.scratch.text.clear();
        if write_target(&mut self.scratch.text, attributes) {
            return Ok(label(self.builder, self.rules, &self.scratch.text, flags)?);
        }
        if write_named(&mut self.scratch.text, attributes) {
            row.operation = label(self.builder, self.rules, &self.scratch.text, flags)?;
        }
        Ok(0)
    }
}

/// Adds what few points have. The extras of a point stand one behind the other.
fn add_extra(builder: &mut Builder, row: &mut row::Point, said: &Extra) {
    let place = builder.extra(said);
    if row.extras == 0 {
        row.first_extra = place;
    }
    row.extras += 1;
}

fn reason(defect: PointDefect) -> Reason {
    match defect {
        PointDefect::TooManyAttributes => Reason::TooManyAttributes,
        PointDefect::Unsupported => Reason::Unsupported,
        PointDefect::NotFinite => Reason::NotFinite,
        PointDefect::BadSum => Reason::BadSum,
        PointDefect::BadHistogram => Reason::BadHistogram,
        PointDefect::MissingTime => Reason::MissingTime,
    }
}

/// What metric and attributes say, as bits of [`point_flag`].
fn spoken(metric: &Metric<'_>, point: &Point<'_>) -> u16 {
    let said = |slot: u8, words: &[&str]| match point.attributes.get(slot) {
        Some(Value::Text(text)) => words.iter().any(|word| word.as_bytes() == text),
        _ => false,
    };
    // Two names of output tokens: a type of `gen_ai.client.token.usage`, or a metric of their own.
    let output = said(slots::TOKEN_TYPE, &["output", "completion"]) || metric.name.ends_with(b"output_tokens");
    let bits = [
        (metric.kind == Kind::Sum && metric.is_monotonic, point_flag::MONOTONIC),
        (point.start_ns == 0, point_flag::UNKNOWN_START),
        (said(slots::PARENT_ORIGIN, &["none", "remote"]), point_flag::ENTERS),
        (said(slots::SAMPLING_RESULT, &["DROP"]), point_flag::DROPPED),
        (point.attributes.get(slots::ERROR_TYPE).is_some(), point_flag::FAILED),
        (output, point_flag::OUTPUT),
    ];
    bits.into_iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum()
}

fn set_value(row: &mut row::Point, metric: &Metric<'_>, point: &Point<'_>) {
    match metric.kind {
        Kind::Gauge | Kind::Sum => match point.number() {
            Some(Number::Int(number)) => {
                row.flags |= point_flag::INTEGER;
                row.value = number.cast_unsigned();
            }
            Some(Number::Double(number)) => row.value = number.to_bits(),
            None => row.flags |= point_flag::NO_VALUE,
        },
        _ if !point.is_recorded() => row.flags |= point_flag::NO_VALUE,
        kind => {
            row.count = point.count();
            if let Some(sum) = point.sum() {
                row.flags |= point_flag::HAS_SUM;
                row.value = sum.to_bits();
            }
            if kind == Kind::ExponentialHistogram {
                // The verdict keeps it between -10 and 20.
                row.scale = point.scale() as i16;
            }
        }
    }
}

impl<'a> MetricSink<'a> for ItemWalk<'_> {
    fn resource(&mut self, header: &Header<'_, 'a>) {
        self.enter_resource(header);
    }

    fn scope(&mut self, header: &Header<'_, 'a>) {
        self.enter_scope(header);
    }

    fn wants(&self, metric: &Metric<'a>) -> bool {
        wanted::is_wanted(metric.name, &self.rules.gateway_counters) || self.is_tapped(metric.name)
    }

    fn point(&mut self, metric: &Metric<'a>, point: &mut Point<'a>, at: metrics::Position) {
        let item = self.report.received;
        self.report.received += 1;
        match self.accept(metric, point) {
            Ok(accepted) => {
                self.report.accepted += 1;
                self.report.ignored += u32::from(!accepted.has_row);
                self.warn(accepted.flags);
            }
            Err(Refusal(reason)) => {
                let tenant = self.claimed(&point.attributes);
                self.builder.reject(tenant, reason, (item, 1));
                let metrics::Position { resource, scope, metric, point } = at;
                self.report.refuse(reason, Position { resource, scope, item: metric, point });
            }
        }
    }
}

#[cfg(test)]
mod tests;
