//! Records as bytes: what a ledger keeps and a file holds. Version 1; anything unknown is refused.

use super::control::{Ack, Control, Correction, Done, Matcher, Silence};
use super::record::{Classes, Module, Reading, Record, Requests, Series, Tally};
use crate::engine::incident::Id;
use crate::exact::Decimal;
use crate::outcome::OutcomeCounts;
use crate::saved::Saved;
use crate::spec::{Compared, Glob};
use crate::taps::{Reads, Tap};
use crate::wire::{Read, Reader, Unreadable, Writer};

/// Ticks of ten seconds to the year 9999.
const OPEN_MAX: u64 = 25_340_230_080;
/// Seconds to the year 9999.
const SECONDS_MAX: i64 = 253_402_300_799;

impl Record {
    /// Appends it to some bytes.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        let mut to = Writer::after(std::mem::take(bytes));
        to.number(self.seq);
        to.number(self.open);
        to.list(&self.controls, |to, control| write_control(to, control));
        to.list(&self.modules, |to, Module { tenant, module }| {
            to.text(tenant);
            to.text(module);
        });
        to.list(&self.series, |to, Series { module, operation }| {
            to.number((*module).into());
            to.text(operation);
        });
        to.list(&self.readings, write_reading);
        to.list(&self.heard, |to, (module, tick)| {
            to.number((*module).into());
            to.number(self.open.wrapping_sub(*tick));
        });
        let place = |to: &mut Writer, tick: u64, number: u32| {
            to.number(self.open.wrapping_sub(tick));
            to.number(number.into());
        };
        to.list(&self.requests, |to, (tick, series, Requests { outcomes, spans })| {
            place(to, *tick, *series);
            outcomes.0.iter().chain([spans]).for_each(|count| to.signed(count.cast_signed()));
        });
        to.list(&self.latency, |to, (tick, series, classes)| {
            place(to, *tick, *series);
            let Classes { threshold_ns, fast, slow, raw_fast, raw_slow } = *classes;
            to.number(threshold_ns);
            [fast, slow, raw_fast, raw_slow].into_iter().for_each(|count| to.signed(count));
        });
        to.list(&self.tallies, |to, (tick, module, reading, Tally { all, some })| {
            place(to, *tick, *module);
            to.number((*reading).into());
            to.signed(*all);
            to.signed(*some);
        });
        *bytes = to.into_bytes();
    }

    /// Reads all records that some bytes hold, one after the other.
    ///
    /// # Errors
    /// Where they stop being records.
    pub fn read_all(bytes: &[u8]) -> Result<Vec<Self>, Unreadable> {
        Self::read_rest(&mut Reader::new(bytes))
    }

    pub(super) fn read_rest(from: &mut Reader<'_>) -> Read<Vec<Self>> {
        let mut records = Vec::new();
        while !from.is_done() {
            records.push(Self::read(from)?);
        }
        Ok(records)
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Read<Self> {
        let (seq, open) = (from.number()?, from.number()?);
        if open > OPEN_MAX {
            return from.wrong("a tick is after the year 9999");
        }
        let controls = from.list(|from| read_control(from).map(std::sync::Arc::new))?;
        let modules = from.list(|from| Ok(Module { tenant: from.shared()?, module: from.shared()? }))?;
        let series = from.list(|from| Ok(Series { module: from.small()?, operation: from.shared()? }))?;
        let readings = from.list(read_reading)?;
        let tick = |from: &mut Reader<'_>| from.number().map(|before| open.wrapping_sub(before));
        let heard = from.list(|from| Ok((from.small()?, tick(from)?)))?;
        let requests = from.list(|from| {
            let (tick, series) = (tick(from)?, from.small()?);
            let mut counts = [0; 6];
            for count in &mut counts {
                *count = from.count()?.cast_unsigned();
            }
            let [a, b, c, d, e, spans] = counts;
            Ok((tick, series, Requests { outcomes: OutcomeCounts([a, b, c, d, e]), spans }))
        })?;
        let latency = from.list(|from| {
            let (tick, series, threshold_ns) = (tick(from)?, from.small()?, from.number()?);
            let [fast, slow, raw_fast, raw_slow] = [from.count()?, from.count()?, from.count()?, from.count()?];
            Ok((tick, series, Classes { threshold_ns, fast, slow, raw_fast, raw_slow }))
        })?;
        let tallies = from.list(|from| {
            let (tick, module, reading) = (tick(from)?, from.small()?, from.small()?);
            Ok((tick, module, reading, Tally { all: from.count()?, some: from.count()? }))
        })?;
        Ok(Self { seq, open, modules, series, readings, heard, requests, latency, tallies, controls })
    }
}

fn write_decimal(to: &mut Writer, decimal: Decimal) {
    to.signed(decimal.mantissa());
    to.number(decimal.scale().into());
}

fn read_decimal(from: &mut Reader<'_>) -> Read<Decimal> {
    let (mantissa, scale) = (from.signed()?, from.number()?);
    match u8::try_from(scale) {
        Ok(scale) if scale <= 18 => Ok(Decimal::new(mantissa, scale)),
        _ => from.wrong("a number has more than 18 places"),
    }
}

fn write_reading(to: &mut Writer, reading: &Reading) {
    match reading {
        Reading::Coverage(part) => {
            to.number(0);
            to.text(part);
        }
        Reading::Leaks(rules) => {
            to.number(1);
            to.list(rules, |to, rule| to.text(rule));
        }
        Reading::Metric(tap) => {
            to.number(2);
            write_tap(to, tap);
        }
    }
}

fn read_reading(from: &mut Reader<'_>) -> Read<Reading> {
    match from.number()? {
        0 => from.owned().map(Reading::Coverage),
        1 => from.list(Reader::owned).map(Reading::Leaks),
        2 => read_tap(from).map(Reading::Metric),
        _ => from.wrong("no kind of reading that this version knows"),
    }
}

const COMPARED: [Compared; 4] = [Compared::Lt, Compared::Lte, Compared::Gt, Compared::Gte];

fn write_tap(to: &mut Writer, Tap { metric, attributes, reads }: &Tap) {
    to.text(metric);
    to.list(attributes, |to, (key, glob)| {
        to.text(key);
        to.text(glob.as_str());
    });
    match reads {
        Reads::Increase => to.number(0),
        Reads::Points { op, value } => {
            to.number(1);
            to.number(COMPARED.iter().position(|known| known == op).unwrap_or_default() as u64);
            write_decimal(to, *value);
        }
        Reads::Buckets { threshold } => {
            to.number(2);
            write_decimal(to, *threshold);
        }
        Reads::Level { is_failure } => {
            to.number(3);
            to.number((*is_failure).into());
        }
    }
}

fn read_tap(from: &mut Reader<'_>) -> Read<Tap> {
    let metric = from.owned()?;
    let attributes = from.list(|from| Ok((from.owned()?, Glob::new(from.text()?))))?;
    let reads = match from.number()? {
        0 => Reads::Increase,
        1 => {
            let Some(op) = COMPARED.get(from.number()? as usize) else { return from.wrong("no comparison") };
            Reads::Points { op: *op, value: read_decimal(from)? }
        }
        2 => Reads::Buckets { threshold: read_decimal(from)? },
        3 => Reads::Level { is_failure: from.flag()? },
        _ => return from.wrong("no way to read a metric that this version knows"),
    };
    Ok(Tap { metric, attributes, reads })
}

fn read_id(from: &mut Reader<'_>) -> Read<Id> {
    let mut id = [0; 16];
    id.copy_from_slice(from.bytes(16)?);
    Ok(Id(id))
}

fn write_done(to: &mut Writer, Done { id, by, at_ns }: &Done) {
    to.raw(&id.0);
    to.text(by);
    to.number(*at_ns);
}

fn read_done(from: &mut Reader<'_>) -> Read<Done> {
    Ok(Done { id: read_id(from)?, by: from.owned()?, at_ns: from.number()? })
}

impl Control {
    /// Appends it to some bytes.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        let mut to = Writer::after(std::mem::take(bytes));
        write_control(&mut to, self);
        *bytes = to.into_bytes();
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// Where the bytes are no order.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut from = Reader::new(bytes);
        let control = read_control(&mut from)?;
        if from.is_done() { Ok(control) } else { from.wrong("an order is longer than it says") }
    }
}

fn write_control(to: &mut Writer, control: &Control) {
    let mut done = |kind: u64, done: &Done| {
        to.number(kind);
        write_done(to, done);
    };
    match control {
        Control::Correct(correction) => {
            to.number(0);
            write_correction(to, correction);
        }
        Control::Try(correction) => {
            to.number(8);
            write_correction(to, correction);
        }
        Control::Revoke(what) => done(1, what),
        Control::Silence(silence) => {
            to.number(2);
            write_silence(to, silence);
        }
        Control::EndSilence(what) => done(3, what),
        Control::Acknowledge(Ack { incident, by, note, at_ns, until_s }) => {
            to.number(4);
            to.raw(&incident.0);
            to.text(by);
            to.text(note);
            to.number(*at_ns);
            to.option(until_s.as_ref(), |to, until| to.signed(*until));
        }
        Control::Unacknowledge(what) => done(5, what),
        Control::Close(what) => done(6, what),
        Control::Define(documents) => {
            to.number(7);
            to.list(documents, |to, (name, text)| {
                to.text(name);
                to.text(text);
            });
        }
    }
}

fn read_control(from: &mut Reader<'_>) -> Read<Control> {
    Ok(match from.number()? {
        0 => Control::Correct(read_correction(from)?),
        1 => Control::Revoke(read_done(from)?),
        2 => Control::Silence(read_silence(from)?),
        3 => Control::EndSilence(read_done(from)?),
        4 => Control::Acknowledge(Ack {
            incident: read_id(from)?,
            by: from.owned()?,
            note: from.owned()?,
            at_ns: from.number()?,
            until_s: from.option(Reader::signed)?,
        }),
        5 => Control::Unacknowledge(read_done(from)?),
        6 => Control::Close(read_done(from)?),
        7 => Control::Define(from.list(|from| Ok((from.owned()?, from.owned()?)))?),
        8 => Control::Try(read_correction(from)?),
        _ => return from.wrong("no order that this version knows"),
    })
}

fn write_correction(to: &mut Writer, correction: &Correction) {
    to.raw(&correction.id.0);
    [&correction.slo, &correction.tenant, &correction.module].into_iter().for_each(|glob| to.text(glob.as_str()));
    to.signed(correction.starts_s);
    to.signed(correction.ends_s);
    to.text(&correction.zone);
    to.option(correction.recurrence.as_ref(), |to, rule| to.text(&rule.to_string()));
    to.number(correction.is_good.into());
    [&correction.reason, &correction.ticket, &correction.created_by].into_iter().for_each(|text| to.text(text));
    to.number(correction.created_at_ns);
}

fn read_correction(from: &mut Reader<'_>) -> Read<Correction> {
    let id = read_id(from)?;
    let [slo, tenant, module] = [from.text()?, from.text()?, from.text()?].map(Glob::new);
    let (starts_s, ends_s, zone) = (from.signed()?, from.signed()?, from.owned()?);
    if [starts_s, ends_s].iter().any(|at| at.saturating_abs() > SECONDS_MAX) {
        return from.wrong("a time is beyond the year 9999");
    }
    let recurrence = from.option(|from| {
        let text = from.text()?;
        text.parse().or_else(|_| from.wrong("no rule of recurrence"))
    })?;
    let is_good = from.flag()?;
    let [reason, ticket, created_by] = [from.owned()?, from.owned()?, from.owned()?];
    let created_at_ns = from.number()?;
    Ok(Correction {
        id,
        slo,
        tenant,
        module,
        starts_s,
        ends_s,
        zone,
        recurrence,
        is_good,
        reason,
        ticket,
        created_by,
        created_at_ns,
    })
}

impl Saved for Correction {
    fn save(&self, to: &mut Writer) {
        write_correction(to, self);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        read_correction(from)
    }
}

fn write_silence(to: &mut Writer, silence: &Silence) {
    to.raw(&silence.id.0);
    to.list(&silence.matchers, |to, Matcher { name, value, is_regex, is_equal }| {
        to.text(name);
        to.text(value);
        to.number((*is_regex).into());
        to.number((*is_equal).into());
    });
    to.signed(silence.starts_s);
    to.signed(silence.ends_s);
    [&silence.comment, &silence.created_by].into_iter().for_each(|text| to.text(text));
    to.number(silence.created_at_ns);
}

fn read_silence(from: &mut Reader<'_>) -> Read<Silence> {
    let id = read_id(from)?;
    let matchers = from.list(|from| {
        Ok(Matcher { name: from.owned()?, value: from.owned()?, is_regex: from.flag()?, is_equal: from.flag()? })
    })?;
    let (starts_s, ends_s) = (from.signed()?, from.signed()?);
    let (comment, created_by) = (from.owned()?, from.owned()?);
    Ok(Silence { id, matchers, starts_s, ends_s, comment, created_by, created_at_ns: from.number()? })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn record() -> Record {
        let done = || Done { id: Id([9; 16]), by: "ops".to_owned(), at_ns: 77 };
        let ack = Ack { incident: Id([2; 16]), by: "a".into(), note: "b".into(), at_ns: 5, until_s: Some(-1) };
        let matcher = Matcher { name: "slo".into(), value: "x.*".into(), is_regex: true, is_equal: false };
        let silence = Silence {
            id: Id([3; 16]),
            matchers: vec![matcher],
            starts_s: 1,
            ends_s: 2,
            comment: "c".into(),
            created_by: "d".into(),
            created_at_ns: 6,
        };
        let correction = Correction {
            id: Id([4; 16]),
            slo: Glob::new("*"),
            tenant: Glob::new("acme"),
            module: Glob::new("rag_?"),
            starts_s: 60,
            ends_s: 120,
            zone: "UTC".into(),
            recurrence: Some("FREQ=DAILY;COUNT=2".parse().expect("a rule")),
            is_good: true,
            reason: "r".into(),
            ticket: "t".into(),
            created_by: "o".into(),
            created_at_ns: 8,
        };
        let controls = vec![
            Control::Correct(correction.clone()),
            Control::Try(correction),
            Control::Revoke(done()),
            Control::Silence(silence),
            Control::EndSilence(done()),
            Control::Acknowledge(ack),
            Control::Unacknowledge(done()),
            Control::Close(done()),
            Control::Define(vec![("a.yaml".into(), "kind: SLO".into())]),
        ];
        let tap = |reads| Tap { metric: "m".into(), attributes: vec![("k".into(), Glob::new("v*"))], reads };
        let value = Decimal::new(-25, 1);
        let taps = [
            Reads::Increase,
            Reads::Points { op: Compared::Gte, value },
            Reads::Buckets { threshold: value },
            Reads::Level { is_failure: true },
        ];
        let kinds = [Reading::Coverage("TC".into()), Reading::Leaks(vec!["L1".into(), "L4".into()])];
        Record {
            seq: 12,
            open: 1_000,
            modules: vec![Module { tenant: Arc::from("acme"), module: Arc::from("rag") }],
            series: vec![Series { module: 0, operation: Arc::from("GET /a") }],
            readings: kinds.into_iter().chain(taps.map(|reads| Reading::Metric(tap(reads)))).collect(),
            heard: vec![(0, 999), (1, 1_001)],
            requests: vec![(998, 0, Requests { outcomes: OutcomeCounts([1, 2, u64::MAX, 4, 5]), spans: 7 })],
            latency: vec![(1, 0, Classes { threshold_ns: 9, fast: -1, slow: 2, raw_fast: 3, raw_slow: -4 })],
            tallies: vec![(999, 0, 1, Tally { all: -5, some: 6 })],
            controls: controls.into_iter().map(Arc::new).collect(),
        }
    }

    #[test]
    fn every_field_comes_back() {
        let (mut bytes, record) = (Vec::new(), record());
        record.write(&mut bytes);
        Record { seq: 13, open: 1_001, ..Record::default() }.write(&mut bytes);
        let read = Record::read_all(&bytes).expect("it was written so");
        assert_eq!((read.len(), read[1].seq, read[1].is_empty()), (2, 13, true));
        assert_eq!(read[0], record);
    }

    #[test]
    fn bytes_that_stop_anywhere_are_told_and_no_panic() {
        let mut bytes = Vec::new();
        record().write(&mut bytes);
        for length in 1..bytes.len() {
            assert!(Record::read_all(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(at in 0_usize..600, byte: u8, noise in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = Vec::new();
            record().write(&mut bytes);
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = Record::read_all(&bytes);
            let _ = Record::read_all(&noise);
        }
    }
}
