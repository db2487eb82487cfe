//! Corrections of all instances (`slo.md` 2.9): who has which is told by the owner of the ledger, and asked again for every
//! instance that is made; what one would change is told without changing it.

use std::fmt;

use super::fleet::{Fleet, Key};
use super::instance::Instance;
use super::windows::Effect;
use crate::exact::Quotient;
use crate::saved;

type EffectsOf = dyn Fn(&Key) -> Vec<Effect> + Send + Sync;

/// What corrections do to whom.
pub(super) struct Corrections(Box<EffectsOf>);

impl Corrections {
    pub(super) fn new(effects_of: impl Fn(&Key) -> Vec<Effect> + Send + Sync + 'static) -> Self {
        Self(Box::new(effects_of))
    }

    pub(super) fn of(&self, key: &Key) -> Vec<Effect> {
        Effect::joined(&(self.0)(key))
    }
}

impl Default for Corrections {
    /// None.
    fn default() -> Self {
        Self(Box::new(|_| Vec::new()))
    }
}

impl fmt::Debug for Corrections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Corrections")
    }
}

/// How a budget stands, for before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Bad events or slices of the period.
    pub bad: Quotient,
    /// Events or slices of the period.
    pub total: u64,
    /// R.
    pub remaining: Quotient,
}

saved!(struct Standing { bad, total, remaining });

impl Fleet {
    /// Sets what corrections do to the ticks of each instance, now and of those that are made later. The effects of one
    /// instance may overlap: what one excludes is not good by another.
    pub fn set_corrections(&mut self, effects_of: impl Fn(&Key) -> Vec<Effect> + Send + Sync + 'static) {
        self.corrections = Corrections::new(effects_of);
        for member in self.members.iter_mut().filter(|member| !member.is_gone) {
            let effects = self.corrections.of(&member.key);
            // An instance that is none the wiser does not say that it was corrected.
            if effects != member.instance.windows.effects() {
                member.instance.correct(effects);
            }
        }
        self.ask_all_parts();
    }

    /// How the budget of an instance stands, and how it would with these effects in the place of its present ones: of
    /// a composite, with those of its parts. Nothing changes.
    #[must_use]
    pub fn try_corrections(&self, place: u32, effects_of: impl Fn(&Key) -> Vec<Effect>) -> (Standing, Standing) {
        let member = &self.members[place as usize];
        let after = if member.slo.components().is_empty() {
            member.instance.standing_under(&effects_of(&member.key))
        } else {
            self.composite_under(place, effects_of)
        };
        (member.instance.standing(), after)
    }
}

impl Instance {
    /// How its budget stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let status = self.status();
        Standing { bad: status.period.bad(), total: status.period.sums.total, remaining: status.budget.remaining }
    }

    /// How its budget would stand with these effects, and no others. What a composite would be told then, only
    /// [`Fleet::try_corrections`] knows.
    #[must_use]
    pub fn standing_under(&self, effects: &[Effect]) -> Standing {
        let mut other = self.clone();
        other.correct(Effect::joined(effects));
        other.standing()
    }
}
