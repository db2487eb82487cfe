//! Trace requests.

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span};

use super::{Members, Printer};

impl Printer {
    pub(super) fn resource_spans(&mut self, of: &ResourceSpans) -> String {
        let mut members: Members = vec![];
        if let Some(resource) = &of.resource {
            members.push(("resource", self.resource(resource)));
        }
        members.push(("scopeSpans", self.array(&of.scope_spans, Self::scope_spans)));
        members.push(("schemaUrl", self.text(&of.schema_url)));
        self.object(members)
    }

    fn scope_spans(&mut self, of: &ScopeSpans) -> String {
        let mut members: Members = vec![];
        if let Some(scope) = &of.scope {
            members.push(("scope", self.scope(scope)));
        }
        members.push(("spans", self.array(&of.spans, Self::span)));
        members.push(("schemaUrl", self.text(&of.schema_url)));
        self.object(members)
    }

    fn span(&mut self, of: &Span) -> String {
        let mut members = vec![
            ("traceId", self.hex(&of.trace_id)),
            ("spanId", self.hex(&of.span_id)),
            ("traceState", self.text(&of.trace_state)),
            ("parentSpanId", self.hex(&of.parent_span_id)),
            ("name", self.text(&of.name)),
            ("kind", of.kind.to_string()),
            ("startTimeUnixNano", self.long(of.start_time_unix_nano.into())),
            ("endTimeUnixNano", self.long(of.end_time_unix_nano.into())),
            ("attributes", self.array(&of.attributes, Self::key_value)),
            ("events", self.array(&of.events, Self::event)),
            ("droppedEventsCount", of.dropped_events_count.to_string()),
            ("links", self.array(&of.links, Self::link)),
            ("flags", of.flags.to_string()),
        ];
        if let Some(status) = &of.status {
            let status = vec![("message", self.text(&status.message)), ("code", status.code.to_string())];
            members.push(("status", self.object(status)));
        }
        self.object(members)
    }

    fn event(&mut self, of: &span::Event) -> String {
        let members = vec![
            ("timeUnixNano", self.long(of.time_unix_nano.into())),
            ("name", self.text(&of.name)),
            ("attributes", self.array(&of.attributes, Self::key_value)),
        ];
        self.object(members)
    }

    fn link(&mut self, of: &span::Link) -> String {
        let members = vec![("traceId", self.hex(&of.trace_id)), ("spanId", self.hex(&of.span_id))];
        self.object(members)
    }
}
