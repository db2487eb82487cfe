//! Orders as they are carried out: corrections weighed, incidents acknowledged and closed.

use super::control::{
    ACKS_MAX, Ack, CORRECTIONS_MAX, Control, Corrected, Correction, Done, SILENCES_MAX, Silenced, TRIED_MAX,
    Weighed,
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
                let (weighed, instances) = self.weigh(correction);
                let tried = &mut self.controls.tried;
                if tried.len() == TRIED_MAX {
                    tried.remove(0);
                }
                tried.push(Corrected { correction: correction.clone(), revoked: None, weighed, instances });
            }
            Control::Revoke(done) => self.revoke(done),
            Control::Silence(silence) => {
                let silences = &mut self.controls.silences;
                if silences.iter().any(|known| known.silence.id == silence.id) {
                } else if silences.len() < SILENCES_MAX {
                    silences.push(Silenced { silence: silence.clone(), ended: None });
                } else {
                    self.controls.refused += 1;
                }
            }
            Control::EndSilence(done) => {
                let known = self.controls.silences.iter_mut().find(|known| known.silence.id == done.id);
                if let Some(silenced) = known {
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
        if self.controls.corrections.len() >= CORRECTIONS_MAX {
            self.controls.refused += 1;
            return;
        }
        let (weighed, instances) = self.weigh(correction);
        let corrected = Corrected { correction: correction.clone(), revoked: None, weighed, instances };
        self.controls.corrections.push(corrected);
        self.correct_where(correction);
    }

    fn revoke(&mut self, done: &Done) {
        let known = self.controls.corrections.iter_mut().find(|known| known.correction.id == done.id);
        let Some(corrected) = known.filter(|known| known.revoked.is_none()) else { return };
        corrected.revoked = Some(done.clone());
        let correction = corrected.correction.clone();
        self.correct_where(&correction);
    }

    fn correct_where(&mut self, correction: &Correction) {
        let places = self.places_where(|member| correction.is_for(&member.key));
        places.into_iter().for_each(|place| self.correct(place));
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
            let member = &self.fleet().members()[*place as usize];
            let mut effects = self.controls.effects(&member.key, self.grid());
            effects.extend(own.iter().copied());
            let instance = &member.instance;
            let after = instance.standing_under(&Effect::joined(&effects));
            Weighed { key: member.key.clone(), before: instance.standing(), after }
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
        let acks = &mut self.controls.acks;
        acks.retain(|known| known.incident != ack.incident);
        if acks.len() >= ACKS_MAX {
            acks.remove(0);
        }
        acks.push(ack.clone());
        let incidents = self.fleet.incidents_mut(place);
        incidents.acknowledge(next).into_iter().map(|event| (place, event)).collect()
    }

    fn unacknowledge(&mut self, incident: Id) {
        self.controls.acks.retain(|known| known.incident != incident);
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
