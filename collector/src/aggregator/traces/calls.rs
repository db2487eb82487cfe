//! Who called whom in a settled trace: the calls that the service graph counts, each once (`sli.md` 1.3, E3).

use super::judge::{Found, Ruling};
use super::kin::Kin;
use super::pool::NameId;
use super::span::{Side, Span, flag};
use crate::aggregator::snapshot::EdgeKind;

/// One call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) struct Call {
    /// The span that it is counted for: the called side, else the calling one.
    pub(in crate::aggregator) place: u32,
    pub(in crate::aggregator) from: NameId,
    /// A module, or a peer.
    pub(in crate::aggregator) to: NameId,
    pub(in crate::aggregator) kind: EdgeKind,
    /// How long a message waited: consumer's start less producer's end.
    pub(in crate::aggregator) queue_delay_ns: Option<u64>,
    /// How long the calling side waited, where it has a span of its own.
    pub(in crate::aggregator) calling_ns: Option<u64>,
    /// Whether the called side shows: then the span is its.
    pub(in crate::aggregator) is_answered: bool,
    /// The message began to be consumed before it was sent: the clocks differ.
    pub(in crate::aggregator) is_reversed: bool,
}

/// The other end of a message, found by a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) struct Linked {
    /// Place of the consumer.
    pub(in crate::aggregator) place: u32,
    /// Module of the producer.
    pub(in crate::aggregator) module: NameId,
    pub(in crate::aggregator) end_ns: u64,
}

/// Buffers of [`read`].
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Scratch {
    answered: Vec<bool>,
    /// What was read.
    pub(in crate::aggregator) calls: Vec<Call>,
}

/// Reads the calls of a trace into the scratch. `met` says by place which calling spans met their other side in another trace.
pub(in crate::aggregator) fn read(
    (spans, kin, found): (&[Span], &Kin, &[Found]),
    (linked, met): (&[Linked], &[bool]),
    scratch: &mut Scratch,
) {
    let Scratch { answered, calls } = scratch;
    calls.clear();
    answered.clear();
    answered.extend_from_slice(met);
    for place in &kin.order {
        let at = *place as usize;
        let is_entry = matches!(found[at].ruling, Ruling::Entry(_));
        let Some(parent) = kin.parent(*place) else { continue };
        let (span, above) = (&spans[at], &spans[parent as usize]);
        let is_called = above.side() == Side::Calling || found[parent as usize].module != found[at].module;
        if span.side() == Side::Serving && above.side() == Side::Calling {
            answered[parent as usize] = true;
        }
        if is_entry && is_called {
            calls.push(call((*place, span), found[parent as usize].module, found[at].module, Some(above)));
        }
    }
    for link in linked {
        let (span, to) = (&spans[link.place as usize], found[link.place as usize].module);
        let producer = Span { end_ns: link.end_ns, flags: 4, ..Span::EMPTY };
        calls.push(call((link.place, span), link.module, to, Some(&producer)));
    }
    for place in &kin.order {
        let span = &spans[*place as usize];
        if span.side() == Side::Calling && !answered[*place as usize] {
            calls.push(call((*place, span), found[*place as usize].module, span.peer, None));
        }
    }
}

fn call((place, span): (u32, &Span), from: NameId, to: NameId, above: Option<&Span>) -> Call {
    let is_message = span.is_consumer() || span.is_producer();
    let kind = match above {
        Some(_) if is_message => EdgeKind::Messaging,
        Some(_) => EdgeKind::Module,
        None if span.peer_kind() == 1 => EdgeKind::Database,
        None if span.peer_kind() == 2 || is_message => EdgeKind::Messaging,
        None => EdgeKind::Peer,
    };
    let producer = above.filter(|above| span.is_consumer() && above.is_producer());
    let queue_delay_ns = producer.and_then(|producer| span.start_ns.checked_sub(producer.end_ns));
    let is_reversed = producer.is_some() && queue_delay_ns.is_none();
    // A producer that a link names is known by its end alone.
    let calling = above.unwrap_or(span);
    let has_times = calling.side() == Side::Calling && calling.start_ns > 0 && is_timed(calling);
    let calling_ns = has_times.then(|| calling.duration_ns());
    Call { place, from, to, kind, queue_delay_ns, calling_ns, is_answered: above.is_some(), is_reversed }
}

/// Whether a call failed, as the side that it is counted for says.
pub(in crate::aggregator) fn is_failure(span: &Span) -> bool {
    span.outcome() == bailiwick_slo::outcome::Outcome::Failure
}

/// Whether a call's duration says anything.
pub(in crate::aggregator) fn is_timed(span: &Span) -> bool {
    !span.is(flag::ANOMALY)
}
