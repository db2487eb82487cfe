//! What requests and batches show, so that a generator which no longer makes something is noticed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bailiwick_collector::observation::batch::View;
use bailiwick_collector::observation::batch::layout::Section;
use bailiwick_collector::observation::batch::row::extra;
use bailiwick_collector::observation::report::Reason;
use bailiwick_collector::observation::{Observed, Rules, Signal};
use bailiwick_slo::outcome::Outcome;

use super::cases::{CASES, Case};
use super::schema::{Form, Message};
use super::wire::{Field, Torn, Wire, fields};
use crate::reference;

/// How often what was seen.
#[derive(Debug, Default)]
pub struct Census(BTreeMap<String, u64>);

/// What is counted of the bytes of requests.
pub const SHAPES: [&str; 26] = [
    "a header after what it heads",
    "a header twice",
    "a resource and a scope late at once",
    "a value before its key",
    "a value twice",
    "a text replaced by another variant",
    "a list replaced by another variant",
    "a list of one text in two pieces",
    "several kinds of data",
    "one kind of data in two pieces",
    "a list in one run",
    "a list as single fields",
    "a list in both ways",
    "a scalar twice",
    "a field that nobody knows",
    "a group",
    "groups 17 deep",
    "a tag of two bytes",
    "a tag longer than needed",
    "a length longer than needed",
    "an empty text",
    "a text that is none",
    "more than 1,000 attributes",
    "more than 256 names",
    "a key of more than 127 bytes",
    "a percent sign in baggage",
];

impl Census {
    /// Counts what a request shows.
    pub fn request(&mut self, body: &[u8], signal: Signal) {
        // A request that cannot be read shows what can be.
        let _ = self.message(Message::of_request(signal), body);
    }

    /// Counts what a batch and its report show.
    pub fn batch(&mut self, observed: &Observed) {
        let batch = observed.batch.view();
        for refused in &observed.report.refused {
            self.add(&reason(refused.reason));
        }
        for span in batch.spans() {
            self.add(&outcome_rule(span.outcome_rule));
            let outcome = Outcome::from_u8(span.outcome).expect("a sound batch");
            self.add(&format!("outcome {}", outcome.name()));
            self.add(&format!("kind {}", span.kind));
            (0..32).filter(|bit| span.flags >> bit & 1 == 1).for_each(|bit| self.add(&flag_bit(bit)));
        }
        for row in batch.extras() {
            self.add(&extra_key(row.key));
            if row.key == extra::WEIGHT_SOURCE {
                self.add(&weight_source(row.value));
            }
        }
        for point in batch.points() {
            self.add(&point_of(point.data));
            (0..16).filter(|bit| point.flags >> bit & 1 == 1).for_each(|bit| self.add(&point_flag_bit(bit)));
            self.add(&format!("point of outcome {}", Outcome::from_u8(point.outcome).expect("a sound batch").name()));
            for (seen, what) in [
                (point.operation != 0, "a point with an operation"),
                (point.words > 6, "a point with buckets"),
                (point.scale != 0, "a point with a scale"),
                (
                    batch.evidence().nth(point.evidence as usize).is_some_and(|row| row.tenant_span != 0),
                    "a point of a tenant",
                ),
            ] {
                if seen {
                    self.add(what);
                }
            }
        }
        self.claims(&batch);
        if batch.count(Section::Links) > 0 {
            self.add("links");
        }
    }

    fn claims(&mut self, batch: &View<'_>) {
        for row in batch.evidence() {
            let tenants = [row.tenant_span, row.tenant_header, row.tenant_baggage, row.tenant_token, row.tenant_data];
            let claims = tenants.into_iter().chain([row.module_span]);
            let names = ["span", "header", "baggage", "token", "data", "module"];
            for (name, _) in names.into_iter().zip(claims).filter(|(_, claim)| *claim != 0) {
                self.add(&format!("claim by {name}"));
            }
            for (list, place) in row.aliases.into_iter().enumerate().filter(|(_, place)| *place > 1) {
                self.add(&format!("key {place} of list {list}"));
            }
        }
    }

    fn add(&mut self, what: &str) {
        *self.0.entry(what.to_owned()).or_default() += 1;
    }

    fn add_if(&mut self, seen: bool, what: &'static str) {
        debug_assert!(SHAPES.contains(&what), "{what} is in the list");
        if seen {
            self.add(what);
        }
    }

    /// Those of these that were never seen.
    #[must_use]
    pub fn missing<'w>(&self, wanted: impl IntoIterator<Item = &'w str>) -> Vec<&'w str> {
        wanted.into_iter().filter(|what| !self.0.contains_key(*what)).collect()
    }

    fn message(&mut self, of: Message, content: &[u8]) -> Result<bool, Torn> {
        let all = fields(content).collect::<Result<Vec<_>, _>>()?;
        let place = |number: u32| all.iter().position(|field| field.number == number);
        let last = |number: u32| all.iter().rposition(|field| field.number == number);
        let twice = |number: u32| place(number) != last(number);
        let mut is_late = false;
        match of {
            Message::ResourceSpans | Message::ScopeSpans | Message::ResourceMetrics | Message::ScopeMetrics => {
                is_late = last(1).zip(place(2)).is_some_and(|(header, child)| header > child);
                self.add_if(is_late, "a header after what it heads");
                self.add_if(twice(1), "a header twice");
                let names = all.iter().filter(|field| of == Message::ScopeSpans && field.number == 2).count();
                self.add_if(names > 256, "more than 256 names");
            }
            Message::KeyValue => self.pair(&all),
            Message::AnyValue => self.value(&all),
            Message::Metric => {
                let data: Vec<u32> = all.iter().map(|field| field.number).filter(|n| (5..=11).contains(n)).collect();
                self.add_if(data.windows(2).any(|pair| pair[0] != pair[1]), "several kinds of data");
                self.add_if(data.windows(2).any(|pair| pair[0] == pair[1]), "one kind of data in two pieces");
            }
            Message::Span => {
                self.add_if(twice(5) || twice(6) || twice(16), "a scalar twice");
                let attributes = all.iter().filter(|field| field.number == 9).count();
                self.add_if(attributes > 1_000, "more than 1,000 attributes");
            }
            _ => {}
        }
        let mut inner_is_late = false;
        for field in &all {
            inner_is_late |= self.field(of, field)?;
        }
        self.lists(of, &all);
        self.add_if(is_late && inner_is_late, "a resource and a scope late at once");
        Ok(is_late)
    }

    /// Counts a field, and says whether what is in it has a late header.
    fn field(&mut self, of: Message, field: &Field<'_>) -> Result<bool, Torn> {
        let (tag, tag_least) = varint_lengths(field.whole);
        self.add_if(tag > tag_least, "a tag longer than needed");
        self.add_if(tag_least == 2, "a tag of two bytes");
        if let Wire::Bytes(_) = field.value {
            let (length, least) = varint_lengths(&field.whole[tag..]);
            self.add_if(length > least, "a length longer than needed");
        }
        if let Wire::Group(levels) = field.value {
            self.add_if(true, "a group");
            self.add_if(levels >= 17, "groups 17 deep");
        }
        match (of.form(field.number), field.value) {
            (None, _) => self.add_if(true, "a field that nobody knows"),
            (Some(Form::Text), Wire::Bytes(text)) => {
                self.add_if(text.is_empty(), "an empty text");
                self.add_if(std::str::from_utf8(text).is_err(), "a text that is none");
            }
            (Some(Form::Message(inner)), Wire::Bytes(content)) => return self.message(inner, content),
            _ => {}
        }
        Ok(false)
    }

    fn pair(&mut self, all: &[Field<'_>]) {
        let numbers: Vec<u32> = all.iter().map(|field| field.number).collect();
        self.add_if(numbers.starts_with(&[2, 1]), "a value before its key");
        self.add_if(numbers.iter().filter(|number| **number == 2).count() > 1, "a value twice");
        let lists = |field: &&Field<'_>| matches!(field.value, Wire::Bytes([0x2a, ..]) if field.number == 2);
        self.add_if(all.iter().filter(lists).count() > 1, "a list of one text in two pieces");
        for field in all {
            let Wire::Bytes(bytes) = field.value else { continue };
            if field.number == 1 {
                self.add_if(bytes.len() > 127, "a key of more than 127 bytes");
                let class = if is_used(bytes) { "used" } else { "unused" };
                self.add(&format!("{class} key of {} bytes", bytes.len()));
            } else if numbers.first() == Some(&1) && bytes.contains(&b'%') {
                self.add_if(all[0].whole.ends_with(b"baggage.tenant.id"), "a percent sign in baggage");
            }
        }
    }

    fn value(&mut self, all: &[Field<'_>]) {
        let replaced = |number: u32| all.windows(2).any(|pair| pair[0].number == number && pair[1].number != number);
        self.add_if(replaced(1), "a text replaced by another variant");
        self.add_if(replaced(5), "a list replaced by another variant");
    }

    fn lists(&mut self, of: Message, all: &[Field<'_>]) {
        for (number, _) in of.fields().iter().filter(|(_, form)| matches!(form, Form::Fixed64s | Form::Varints)) {
            let written =
                |packed: bool| all.iter().any(|f| f.number == *number && matches!(f.value, Wire::Bytes(_)) == packed);
            self.add_if(written(true), "a list in one run");
            self.add_if(written(false), "a list as single fields");
            self.add_if(written(true) && written(false), "a list in both ways");
        }
    }
}

/// Whether a span is asked for this key in some case.
fn is_used(key: &[u8]) -> bool {
    static RULES: LazyLock<Vec<Rules>> = LazyLock::new(|| CASES.map(Case::rules).into());
    let Ok(key) = std::str::from_utf8(key) else { return false };
    RULES.iter().any(|rules| reference::is_used_of_spans(key, rules))
}

/// Bytes of a varint, and the least that it needs.
fn varint_lengths(bytes: &[u8]) -> (usize, usize) {
    let mut rest = bytes;
    let value = prost::encoding::decode_varint(&mut rest).unwrap_or_default();
    (bytes.len() - rest.len(), prost::encoding::encoded_len_varint(value))
}

/// The name of a reason in a census.
#[must_use]
pub fn reason(reason: Reason) -> String {
    format!("refused as {}", reason.name())
}

/// The name of a row of the table of outcomes in a census.
#[must_use]
pub fn outcome_rule(rule: u8) -> String {
    format!("outcome rule {rule}")
}

/// The name of a kind of extras in a census.
#[must_use]
pub fn extra_key(key: u16) -> String {
    format!("extra of key {key}")
}

/// The name of a source of weights in a census.
#[must_use]
pub fn weight_source(source: u64) -> String {
    format!("weight by source {source}")
}

/// The name of a kind of points in a census.
#[must_use]
pub fn point_of(data: u8) -> String {
    format!("point of data {data}")
}

/// The name of a flag of points in a census.
#[must_use]
pub fn point_flag_bit(bit: u32) -> String {
    format!("point flag bit {bit}")
}

/// The name of a flag of spans in a census.
#[must_use]
pub fn flag_bit(bit: u32) -> String {
    format!("flag bit {bit}")
}
