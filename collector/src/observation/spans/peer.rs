//! Whom a CLIENT or PRODUCER span talks to (`sli.md` 1.3).

use super::super::batch::NoString;
use super::super::batch::row::{self, PeerKind};
use super::super::fields::label;
use super::super::items::ItemWalk;
use super::super::naming::write_text;
use super::super::outcome::KIND_PRODUCER;
use super::super::slots;
use crate::otlp::attributes::{Slots, Value};

/// A peer's name: one value, or two joined by `/`.
type Name<'a> = (Value<'a>, Option<Value<'a>>);

impl ItemWalk<'_> {
    /// Names the peer and says of which kind it is, if what names it does.
    pub(super) fn peer(&mut self, row: &mut row::Span, attributes: &Slots<'_>) -> Result<Option<PeerKind>, NoString> {
        let Some((name, kind)) = named(attributes) else { return Ok(None) };
        row.peer = match name {
            (name, None) => self.label(name, &mut row.flags)?,
            (system, Some(part)) => {
                self.scratch.text.clear();
                write_text(&mut self.scratch.text, system);
                self.scratch.text.push(b'/');
                write_text(&mut self.scratch.text, part);
                label(self.builder, self.rules, &self.scratch.text, &mut row.flags)?
            }
        };
        Ok(kind.or((row.kind == KIND_PRODUCER).then_some(PeerKind::Messaging)))
    }
}

fn named<'a>(attributes: &Slots<'a>) -> Option<(Name<'a>, Option<PeerKind>)> {
    let first_of = |slot, count| attributes.first_of(slot, count).map(|(_, value)| value);
    if let Some(service) = attributes.get(slots::PEER_SERVICE) {
        return Some(((service, None), None));
    }
    if let Some(provider) = attributes.get(slots::GEN_AI_PROVIDER) {
        return Some(((provider, attributes.get(slots::GEN_AI_MODEL)), Some(PeerKind::GenAi)));
    }
    if let Some(system) = first_of(slots::DB_SYSTEM, 2) {
        return Some(((system, first_of(slots::DB_NAMESPACE, 2)), Some(PeerKind::Database)));
    }
    if let Some(destination) = attributes.get(slots::DESTINATION_TEMPLATE).or(first_of(slots::DESTINATION, 2)) {
        return Some(((destination, None), Some(PeerKind::Messaging)));
    }
    attributes.get(slots::SERVER_ADDRESS).map(|address| ((address, None), None))
}
