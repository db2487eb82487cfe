//! Data points: checked and counted. Points of metrics that nobody uses are accepted without a row.

use super::batch::Builder;
use super::observer::Request;
use super::report::{Position, Reason, Report};
use super::settings::Rules;
use crate::otlp::metrics::{self, MetricSink, PointDefect};

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

    fn judge(&self, verdict: Result<(), PointDefect>, time_ns: u64) -> Result<(), Reason> {
        verdict.map_err(|defect| match defect {
            PointDefect::TooManyAttributes => Reason::TooManyAttributes,
            PointDefect::Unsupported => Reason::Unsupported,
            PointDefect::NotFinite => Reason::NotFinite,
            PointDefect::BadSum => Reason::BadSum,
            PointDefect::BadHistogram => Reason::BadHistogram,
            PointDefect::MissingTime => Reason::MissingTime,
        })?;
        self.rules.ingest.judge(time_ns, self.observed_at_ns).map_or(Ok(()), Err)
    }
}

impl MetricSink for PointWalk<'_> {
    fn point(&mut self, verdict: Result<(), PointDefect>, time_ns: u64, at: metrics::Position) {
        let item = self.report.received;
        self.report.received += 1;
        match self.judge(verdict, time_ns) {
            Ok(()) => {
                self.report.accepted += 1;
                self.report.ignored += 1;
            }
            Err(reason) => {
                self.builder.reject(self.tenant_auth, reason, (item, 1));
                let metrics::Position { resource, scope, metric, point } = at;
                self.report.refuse(reason, Position { resource, scope, item: metric, point });
            }
        }
    }
}
