//! Rows of a batch as values that need no batch: texts instead of places.

use std::fmt::Debug;

use bailiwick_collector::observation::batch::View;
use bailiwick_collector::observation::batch::row::{Context, Evidence, Extra, Link, Point, Span};

/// What a row says of where it comes from; the resource's identity is left out.
#[derive(Debug, PartialEq)]
struct Origin<'a> {
    /// Of its context, then of its evidence.
    texts: [&'a str; 14],
    aliases: [u8; 4],
    /// Keys with their numbers or texts.
    extras: Vec<(u16, u64, &'a str)>,
}

/// A span with all that it points to.
#[derive(Debug, PartialEq)]
struct SpanRow<'a> {
    /// Its own values; places are 0.
    span: Span,
    texts: [&'a str; 3],
    links: Vec<Link>,
    origin: Origin<'a>,
}

/// A point with all that it points to; its stream's identity, which every bad text is part of, is left out.
#[derive(Debug, PartialEq)]
struct PointRow<'a> {
    /// Its own values; places are 0.
    point: Point,
    texts: [&'a str; 3],
    words: Vec<u64>,
    origin: Origin<'a>,
}

struct Read<'a> {
    batch: View<'a>,
    contexts: Vec<Context>,
    evidence: Vec<Evidence>,
}

impl<'a> Read<'a> {
    fn new(batch: View<'a>) -> Self {
        Self { contexts: batch.contexts().collect(), evidence: batch.evidence().collect(), batch }
    }

    fn texts<const N: usize>(&self, places: [u32; N]) -> [&'a str; N] {
        places.map(|place| self.batch.string(place))
    }

    fn origin(&self, (context, evidence): (u32, u32), (first_extra, extras): (u32, u16)) -> Origin<'a> {
        let (c, e) = (self.contexts[context as usize], self.evidence[evidence as usize]);
        let texts = [
            [c.service_namespace, c.service_name, c.service_instance, c.service_version].as_slice(),
            &[c.module_resource, c.module_scope, c.scope_name, c.tenant_resource],
            &[e.tenant_span, e.tenant_header, e.tenant_baggage, e.tenant_token, e.tenant_data, e.module_span],
        ]
        .concat();
        let extra = |extra: Extra| match extra.kind {
            3 => (extra.key, 0, self.batch.string(extra.value as u32)),
            _ => (extra.key, extra.value, ""),
        };
        Origin {
            texts: std::array::from_fn(|place| self.batch.string(texts[place])),
            aliases: e.aliases,
            extras: self.batch.extras_of(first_extra, extras).map(extra).collect(),
        }
    }

    fn spans(&self) -> Vec<SpanRow<'a>> {
        let row = |span: Span| {
            let pointless = Span { context: 0, evidence: 0, operation: 0, peer: 0, error_type: 0, ..span };
            SpanRow {
                span: Span { first_link: 0, first_extra: 0, ..pointless },
                texts: self.texts([span.operation, span.peer, span.error_type]),
                links: self.batch.links_of(span.first_link, span.links).collect(),
                origin: self.origin((span.context, span.evidence), (span.first_extra, span.extras.into())),
            }
        };
        self.batch.spans().map(row).collect()
    }

    fn points(&self) -> Vec<PointRow<'a>> {
        let row = |point: Point| {
            let pointless = Point { stream_id: [0; 16], context: 0, evidence: 0, metric: 0, unit: 0, ..point };
            PointRow {
                point: Point { operation: 0, first_word: 0, first_extra: 0, ..pointless },
                texts: self.texts([point.metric, point.unit, point.operation]),
                words: self.batch.words_of(point.first_word, point.words).collect(),
                origin: self.origin((point.context, point.evidence), (point.first_extra, point.extras)),
            }
        };
        self.batch.points().map(row).collect()
    }
}

/// Every span and point of `some` is one of `all`, in their order.
///
/// # Panics
/// If it is not.
pub(super) fn are_among(some: &View<'_>, all: &View<'_>) {
    let (some, all) = (Read::new(*some), Read::new(*all));
    are_in_order(some.spans(), &all.spans());
    are_in_order(some.points(), &all.points());
}

fn are_in_order<R: Debug + PartialEq>(some: Vec<R>, all: &[R]) {
    let mut left = all.iter();
    for row in some {
        assert!(left.any(|other| *other == row), "a row that is not there without bad texts: {row:?}, of {all:?}");
    }
}
