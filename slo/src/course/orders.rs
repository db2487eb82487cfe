//! Orders as they are carried out: corrections weighed, incidents acknowledged and closed.

use std::sync::Arc;

use super::control::{
    ACKS_MAX, Ack, CORRECTIONS_MAX, Control, Corrected, Correction, Done, SILENCES_MAX, STRETCHES_MAX, Silenced,
    TRIED_MAX, Weighed,
};
use super::run::Course;
use crate::engine::fleet::Member;
use crate::engine::incident::{Event, Id, Reason};
use crate::engine::windows::Effect;

/// Instances whose budgets are kept with a correction; all of them are counted.
pub(super) const WEIGHED_MAX: usize = 100;

impl Course {
    /// Carries an order out, before the tick that closes next.
    pub(super) fn order(&mut self, control: &Control, next: u64) -> Vec<(u32, Event)> {
        match control {
            Control::Correct(correction) => self.correct_all(correction),
            Control::Try(correction) => {
                let corrected = self.weighed(correction);
                let tried = &mut Arc::make_mut(&mut self.controls).tried;
                if tried.len() == TRIED_MAX {
                    tried.remove(0);
                }
                tried.push(corrected);
            }
            Control::Revoke(done) => self.revoke(done),
            Control::Silence(silence) => {
                let controls = Arc::make_mut(&mut self.controls);
                if controls.silences.iter().any(|known| known.silence.id == silence.id) {
                } else if controls.silences.len() < SILENCES_MAX {
                    controls.silences.push(Silenced { silence: silence.clone(), ended: None });
                } else {
                    controls.refused += 1;
                }
            }
            Control::EndSilence(done) => {
                let silences = &mut Arc::make_mut(&mut self.controls).silences;
                if let Some(silenced) = silences.iter_mut().find(|known| known.silence.id == done.id) {
                    silenced.ended.get_or_insert_with(|| done.clone());
                }
            }
            Control::Acknowledge(ack) => return self.acknowledge(ack, next),
            Control::Unacknowledge(done) => self.unacknowledge(done.id),
            Control::Close(done) => return self.close_incident(done.id, next),
            Control::Define(documents) => return self.define(documents),
        }
        Vec::new()
    }

    fn correct_all(&mut self, correction: &Correction) {
        if self.controls.corrections.iter().any(|known| known.correction.id == correction.id) {
            return;
        }
        let corrected = self.weighed(correction);
        let stretches: usize = self.controls.corrections.iter().map(|known| known.effects.len()).sum();
        let controls = Arc::make_mut(&mut self.controls);
        let is_full = controls.corrections.len() >= CORRECTIONS_MAX;
        if is_full || stretches + corrected.effects.len() > STRETCHES_MAX {
            controls.refused += 1;
            return;
        }
        controls.corrections.push(corrected);
        self.spread_corrections();
    }

    fn revoke(&mut self, done: &Done) {
        let corrections = &mut Arc::make_mut(&mut self.controls).corrections;
        let known = corrections.iter_mut().find(|known| known.correction.id == done.id);
        if let Some(corrected) = known.filter(|known| known.revoked.is_none()) {
            corrected.revoked = Some(done.clone());
            self.spread_corrections();
        }
    }

    /// Lets the fleet know what holds: for all instances, and for those that are made later.
    fn spread_corrections(&mut self) {
        let controls = Arc::clone(&self.controls);
        self.fleet.set_corrections(move |key| controls.effects(key));
    }

    fn weighed(&self, correction: &Correction) -> Corrected {
        let (weighed, instances) = self.weigh(correction);
        let effects = correction.effects(self.grid());
        Corrected { correction: correction.clone(), effects, revoked: None, weighed, instances }
    }

    fn places_where(&self, is: impl Fn(&Member) -> bool) -> Vec<u32> {
        self.members().filter(|(_, member)| is(member)).map(|(place, _)| place).collect()
    }

    /// What a correction would do to the budgets of the instances that it is for: of the first [`WEIGHED_MAX`], and how
    /// many there are. Nothing changes.
    #[must_use]
    pub fn weigh(&self, correction: &Correction) -> (Vec<Weighed>, usize) {
        let places = self.places_where(|member| correction.is_for(&member.key));
        let own = correction.effects(self.grid());
        let weighed = places.iter().take(WEIGHED_MAX).map(|place| {
            let (before, after) = self.fleet().try_corrections(*place, |key| {
                let mut effects = self.controls.effects(key);
                effects.extend(own.iter().copied().filter(|_| correction.is_for(key)));
                Effect::joined(&effects)
            });
            Weighed { key: self.key(*place).clone(), before, after }
        });
        (weighed.collect(), places.len())
    }

    fn place_of_incident(&self, incident: Id) -> Option<u32> {
        let is = |member: &Member| member.instance.open_incident().is_some_and(|open| open.id == incident);
        self.members().find(|(_, member)| is(member)).map(|(place, _)| place)
    }

    fn acknowledge(&mut self, ack: &Ack, next: u64) -> Vec<(u32, Event)> {
        let Some(place) = self.place_of_incident(ack.incident) else { return Vec::new() };
        let said = |ack: &Ack| (ack.by.clone(), ack.note.clone(), ack.until_s);
        if self.controls.ack(ack.incident).is_some_and(|known| said(known) == said(ack)) {
            // The same was said before: who says it again gets what is.
            return Vec::new();
        }
        let acks = &mut Arc::make_mut(&mut self.controls).acks;
        acks.retain(|known| known.incident != ack.incident);
        if acks.len() >= ACKS_MAX {
            acks.remove(0);
        }
        acks.push(ack.clone());
        let incidents = self.fleet.incidents_mut(place);
        incidents.acknowledge(next).into_iter().map(|event| (place, event)).collect()
    }

    fn unacknowledge(&mut self, incident: Id) {
        Arc::make_mut(&mut self.controls).acks.retain(|known| known.incident != incident);
        if let Some(place) = self.place_of_incident(incident) {
            self.fleet.incidents_mut(place).unacknowledge();
        }
    }

    /// Whoever looked after an incident until now does not any more.
    pub(super) fn expire_acks(&mut self, tick: u64) {
        let now = i64::try_from(tick * self.grid().tick_s).unwrap_or(i64::MAX);
        let is_over = |ack: &Ack| ack.until_s.is_some_and(|until| until <= now);
        let over: Vec<Id> = self.controls.acks.iter().filter(|ack| is_over(ack)).map(|ack| ack.incident).collect();
        over.into_iter().for_each(|incident| self.unacknowledge(incident));
    }

    fn close_incident(&mut self, incident: Id, next: u64) -> Vec<(u32, Event)> {
        let Some(place) = self.place_of_incident(incident) else { return Vec::new() };
        let event = self.fleet.incidents_mut(place).end(next, Reason::Closed);
        event.into_iter().map(|event| (place, event)).collect()
    }
}
