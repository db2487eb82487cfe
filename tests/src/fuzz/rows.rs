//! Rows of a batch as values that need no batch: texts instead of places.

use bailiwick_collector::observation::batch::View;
use bailiwick_collector::observation::batch::row::{Extra, Link, Span};

/// A span with all that it points to; the resource's identity is left out.
#[derive(Debug, PartialEq)]
struct Row<'a> {
    /// Its own values; places are 0.
    span: Span,
    /// Of its context, then its own.
    texts: [&'a str; 17],
    aliases: [u8; 4],
    links: Vec<Link>,
    /// Keys with their numbers or texts.
    extras: Vec<(u16, u64, &'a str)>,
}

/// Every span of a batch.
fn rows<'a>(batch: &View<'a>) -> Vec<Row<'a>> {
    let (contexts, evidence): (Vec<_>, Vec<_>) = (batch.contexts().collect(), batch.evidence().collect());
    let links: Vec<_> = batch.links().collect();
    let row = |span: Span| {
        let (c, e) = (contexts[span.context as usize], evidence[span.evidence as usize]);
        let texts = [
            [c.service_namespace, c.service_name, c.service_instance, c.service_version].as_slice(),
            &[c.module_resource, c.module_scope, c.scope_name, c.tenant_resource],
            &[e.tenant_span, e.tenant_header, e.tenant_baggage, e.tenant_token, e.tenant_data, e.module_span],
            &[span.operation, span.peer, span.error_type],
        ]
        .concat();
        let first = span.first_link as usize;
        let pointless = Span { context: 0, evidence: 0, operation: 0, peer: 0, error_type: 0, ..span };
        let pointless = Span { first_link: 0, first_extra: 0, ..pointless };
        let extra = |extra: Extra| match extra.kind {
            3 => (extra.key, 0, batch.string(extra.value as u32)),
            _ => (extra.key, extra.value, ""),
        };
        Row {
            span: pointless,
            texts: std::array::from_fn(|place| batch.string(texts[place])),
            aliases: e.aliases,
            links: links[first..first + usize::from(span.links)].to_vec(),
            extras: batch.extras_of(span.first_extra, span.extras.into()).map(extra).collect(),
        }
    };
    batch.spans().map(row).collect()
}

/// Every span of `some` is one of `all`, in their order.
///
/// # Panics
/// If it is not.
pub(super) fn are_among(some: &View<'_>, all: &View<'_>) {
    let all = rows(all);
    let mut left = all.iter();
    for row in rows(some) {
        assert!(left.any(|other| *other == row), "a row that is not there without bad texts: {row:?}, of {all:?}");
    }
}
