//! What a metric's name says about the platform (`sli.md` 1.9, the table of metrics), old and new names alike.

use bailiwick_slo::coverage::Source;
use bailiwick_slo::saved;

/// What a metric measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) enum Meaning {
    /// Requests, by their durations.
    Requests(Convention),
    /// Requests, by a configured counter of the gateway.
    Gateway,
    /// Spans that an SDK started.
    SpansStarted,
    /// Spans that an exporter sent, or failed to.
    SpansExported,
    /// Spans that a processor took, or had no place for.
    SpansProcessed,
    /// A level.
    Level(Level),
    /// Tokens used.
    Tokens(Direction),
    /// What else is known of calls to models: durations, and tokens that are parts of input or output.
    Models,
    /// What processes, containers and machines use.
    Resource,
}
saved!(enum Meaning { 0 => Requests(convention), 1 => Gateway, 2 => SpansStarted, 3 => SpansExported, 4 => SpansProcessed, 5 => Level(level), 6 => Tokens(direction), 7 => Models, 8 => Resource });

/// Which conventions a metric of requests follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) enum Convention {
    /// HTTP, the stable name.
    HttpNew,
    /// HTTP, the name before it: left out where the same instance has the stable one.
    HttpOld,
    /// RPC and messaging.
    Other,
}
saved!(enum Convention { 0 => HttpNew, 1 => HttpOld, 2 => Other });

/// What is in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(in crate::aggregator) enum Level {
    /// Requests.
    ActiveRequests = 0,
    /// Spans that have not ended.
    LiveSpans = 1,
}
saved!(enum Level { 0 => ActiveRequests, 1 => LiveSpans });

/// Which way tokens go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) enum Direction {
    /// The point says.
    Stated,
    /// To the model.
    Input,
    /// From the model.
    Output,
}
saved!(enum Direction { 0 => Stated, 1 => Input, 2 => Output });

const NAMES: [(&str, Meaning); 13] = [
    ("http.server.request.duration", Meaning::Requests(Convention::HttpNew)),
    ("http.server.duration", Meaning::Requests(Convention::HttpOld)),
    ("rpc.server.call.duration", Meaning::Requests(Convention::Other)),
    ("rpc.server.duration", Meaning::Requests(Convention::Other)),
    ("messaging.process.duration", Meaning::Requests(Convention::Other)),
    ("otel.sdk.span.started", Meaning::SpansStarted),
    ("otel.sdk.exporter.span.exported", Meaning::SpansExported),
    ("otel.sdk.processor.span.processed", Meaning::SpansProcessed),
    ("http.server.active_requests", Meaning::Level(Level::ActiveRequests)),
    ("otel.sdk.span.live", Meaning::Level(Level::LiveSpans)),
    ("gen_ai.client.token.usage", Meaning::Tokens(Direction::Stated)),
    ("gen_ai.client.inference.usage.input_tokens", Meaning::Tokens(Direction::Input)),
    ("gen_ai.client.inference.usage.output_tokens", Meaning::Tokens(Direction::Output)),
];

const PREFIXES: [(&str, Meaning); 4] = [
    ("gen_ai.", Meaning::Models),
    ("process.", Meaning::Resource),
    ("system.", Meaning::Resource),
    ("container.", Meaning::Resource),
];

impl Meaning {
    /// What this name means; `None` for a name that only an SLO can want.
    pub(in crate::aggregator) fn of(name: &str) -> Option<Self> {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        let family = || PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix));
        known.or_else(family).map(|(_, meaning)| *meaning)
    }

    /// Which count of requests it is.
    pub(super) const fn source(self) -> Option<Source> {
        match self {
            Self::Requests(_) => Some(Source::DurationHistogram),
            Self::Gateway => Some(Source::GatewayCounter),
            Self::SpansStarted => Some(Source::SpanStarted),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_names_mean_the_same() {
        assert_eq!(Meaning::of("rpc.server.duration"), Meaning::of("rpc.server.call.duration"));
        assert_eq!(Meaning::of("http.server.request.duration"), Some(Meaning::Requests(Convention::HttpNew)));
        assert_eq!(Meaning::of("http.server.duration"), Some(Meaning::Requests(Convention::HttpOld)));
        for name in ["http.server.duration", "http.server.request.duration", "messaging.process.duration"] {
            assert_eq!(Meaning::of(name).and_then(Meaning::source), Some(Source::DurationHistogram), "{name}");
        }
        assert_eq!(Meaning::of("otel.sdk.span.started").and_then(Meaning::source), Some(Source::SpanStarted));
        assert_eq!(Meaning::Gateway.source(), Some(Source::GatewayCounter));
    }

    #[test]
    fn families_are_known_by_their_prefix_and_other_names_are_not() {
        assert_eq!(Meaning::of("gen_ai.server.time_to_first_token"), Some(Meaning::Models));
        assert_eq!(
            Meaning::of("gen_ai.client.inference.usage.output_tokens"),
            Some(Meaning::Tokens(Direction::Output))
        );
        assert_eq!(Meaning::of("gen_ai.client.inference.usage.cache_read.input_tokens"), Some(Meaning::Models));
        assert_eq!(Meaning::of("process.cpu.time"), Some(Meaning::Resource));
        assert_eq!(Meaning::of("processing.time"), None);
        assert_eq!(Meaning::of("http.client.request.duration"), None);
    }
}
