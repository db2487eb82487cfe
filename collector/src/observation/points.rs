//! Data points: checked and counted. Points of metrics that nobody uses are accepted without a row.

use super::batch::Builder;
use super::observer::Request;
use super::report::{Position, Reason, Report};
use super::settings::Rules;
use crate::otlp::metrics::{MetricSink, Point, PointDefect};

/// The walk's sink: one request.
#[derive(Debug)]
pub(super) struct PointWalk<'w> {
    rules: &'w Rules,
    builder: &'w mut Builder,
    observed_at_ns: u64,
    tenant_auth: u32,
    report: Report,
}

impl<'w> PointWalk<'w> {
    pub(super) fn new(rules: &'w Rules, builder: &'w mut Builder, request: &Request<'_>) -> Self {
        let tenant_auth = builder.string(request.meta.tenant_auth.as_bytes()).unwrap_or(0);
        Self { rules, builder, observed_at_ns: request.observed_at_ns, tenant_auth, report: Report::default() }
    }

    pub(super) fn finish(self) -> Report {
        self.report
    }

    fn judge(&self, point: &Point) -> Option<Reason> {
        match point.defect {
            Some(PointDefect::TooManyAttributes) => Some(Reason::TooManyAttributes),
            Some(PointDefect::Unsupported) => Some(Reason::Unsupported),
            Some(PointDefect::NotFinite) => Some(Reason::NotFinite),
            Some(PointDefect::BadSum) => Some(Reason::BadSum),
            Some(PointDefect::BadHistogram) => Some(Reason::BadHistogram),
            None if point.time_ns == 0 => Some(Reason::MissingTime),
            None => self.rules.ingest.judge(point.time_ns, self.observed_at_ns),
        }
    }
}

impl MetricSink for PointWalk<'_> {
    fn point(&mut self, point: &Point) {
        let item = self.report.received;
        self.report.received += 1;
        match self.judge(point) {
            None => {
                self.report.accepted += 1;
                self.report.ignored += 1;
            }
            Some(reason) => {
                self.builder.reject(self.tenant_auth, reason, (item, 1));
                let [resource, scope, metric, point] = point.position;
                self.report.refuse(reason, Position { resource, scope, item: metric, point });
            }
        }
    }
}
