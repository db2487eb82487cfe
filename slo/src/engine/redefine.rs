//! SLOs that change while they run (`slo.md` 1.3): what is asked of the same events holds from now on, what asks about
//! other events begins anew, and what nobody asks any more goes.

use std::collections::HashMap;
use std::sync::Arc;

use super::fleet::{Fleet, Member};
use super::incident::{Event, Reason};
use super::instance::{Instance, calendar_at, open};
use super::tiers::TierState;
use crate::spec::{Sli, Slo, Terms};

impl Fleet {
    /// Puts other SLOs in the place of all there are, between two ticks; says what happened.
    ///
    /// * Another target, period, tier, gate or receiver holds from the next tick on, over what was counted before.
    /// * Another SLI, method, selector or `groupBy` begins a generation: the instance goes, its incident ends with
    ///   `slo_changed`. The caller asks [`Fleet::places_of`] again for all series that it knows; an instance begins, in
    ///   the place that it had, with the tick that brings it something.
    /// * An instance whose SLO is gone, or that an override turns off, goes: its incident ends with `slo_deleted`.
    ///
    /// A smaller `instancesMax` takes no instance away; new ones wait until there are fewer. Composites that are new have
    /// places of their own from now on: there may be more members than before.
    pub fn redefine(&mut self, slos: Vec<Slo>) -> Vec<(u32, Event)> {
        self.slos = slos.into_iter().map(Arc::new).collect();
        self.is_redefined = self.next.is_some();
        let by_id: HashMap<&str, &Arc<Slo>> = self.slos.iter().map(|slo| (&*slo.id, slo)).collect();
        let mut events = Vec::new();
        for (place, member) in (0..).zip(&mut self.members).filter(|(_, member)| !member.is_gone) {
            let at = self.next.unwrap_or_else(|| member.instance.next());
            let told = member.redefine(by_id.get(&*member.key.slo).copied(), at);
            events.extend(told.map(|event| (place, event)));
        }
        self.count_members();
        self.assemble_anew();
        events
    }
}

impl Member {
    /// Takes the SLO of its name as it is now.
    fn redefine(&mut self, slo: Option<&Arc<Slo>>, at: u64) -> Option<Event> {
        let Some(slo) = slo else { return self.go(at, Reason::SloDeleted) };
        if !slo.is_of_generation(&self.slo) {
            return self.go(at, Reason::SloChanged);
        }
        let terms = slo.terms_of(&self.key.tenant, &self.key.module);
        if !terms.enabled {
            return self.go(at, Reason::SloDeleted);
        }
        if terms != *self.instance.terms() {
            self.instance.revise(terms);
        }
        self.slo = Arc::clone(slo);
        None
    }
}

impl Instance {
    /// Other terms from now on, of the same events: its windows are opened anew over the cells that are kept, and what did
    /// not change keeps its state (`slo.md` 1.3).
    pub(super) fn revise(&mut self, terms: Terms) {
        let next = self.windows.next();
        // The window of the last tick that closed: the next tick turns it when it is time.
        self.calendar = calendar_at(&terms.period, self.grid, if next > self.born { next - 1 } else { next });
        self.windows.truncate(0);
        let opened = open(&mut self.windows, &terms, self.grid, self.calendar);
        self.own_windows = self.windows.len();
        (self.period, self.forecast_window) = (opened.period, opened.forecast_window);
        let before = std::mem::replace(&mut self.tiers, opened.tiers);
        for tier in &mut self.tiers {
            if let Some(same) = before.iter().find(|known| known.tier == tier.tier) {
                *tier = TierState { long: tier.long, short: tier.short, ..same.clone() };
            }
        }
        let tier_of = |place: usize| {
            self.tiers.iter().position(|tier| before.get(place).is_some_and(|old| old.tier == tier.tier))
        };
        let old = &self.terms.policy;
        let step_of =
            |place: usize| terms.policy.iter().position(|step| old.get(place).is_some_and(|old| old.name == step.name));
        self.incidents.recast(tier_of, step_of);
        let was_reached = |name: &str| old.iter().zip(&self.steps).any(|(step, is)| *is && step.name == name);
        self.steps = terms.policy.iter().map(|step| was_reached(&step.name)).collect();
        self.terms = terms;
        self.revise_slices();
    }

    /// Slices are cut and judged by the present terms.
    fn revise_slices(&mut self) {
        let Some(rule) = self.counting.rule(self.grid, &self.terms.no_data) else { return };
        let Some(slices) = &mut self.slices else { return };
        let verdicts = slices.revise((rule, self.calendar), self.windows.effects());
        verdicts.iter().for_each(|verdict| self.count_slice(verdict));
    }
}

impl Slo {
    /// Whether what was counted for another says something of this one.
    fn is_of_generation(&self, other: &Self) -> bool {
        let is_same = self.sli == other.sli
            && self.method == other.method
            && self.selector == other.selector
            && self.owner == other.owner;
        // A composite is named by its service.
        is_same && (self.service == other.service || !matches!(self.sli, Sli::Composite(_)))
    }
}
