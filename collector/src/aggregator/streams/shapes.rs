//! What kind of metric each name is to each resource, and which HTTP name it sends.

use bailiwick_slo::kept;
use bailiwick_slo::saved;
use bailiwick_slo::time::SECOND_NS;
use foldhash::fast::{FixedState, RandomState};
use hashbrown::HashMap;
use std::hash::BuildHasher;

use super::intake::{Arrival, Owner, SILENCE_NS_MAX};
use super::meaning::{Convention, Meaning};
use super::sequence::DropReason;
use crate::observation::batch::row::point_flag;

/// For so long after a point of the new HTTP name, those of the old name are the same requests (`sli.md` 1.9).
const SUPERSEDED_NS: u64 = 600 * SECOND_NS;

/// A resource, as the tenant and module that own its points.
type Instance = (u64, u32);

/// Kind, unit and monotonicity. The unit by its hash: whoever makes two meet has one resource of their own to confuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    data: u8,
    is_monotonic: bool,
    unit: u64,
}
saved!(struct Shape { data, is_monotonic, unit });

/// Shapes of names by resource.
#[derive(Debug)]
pub(super) struct Shapes {
    /// By instance and name, with when it was heard of.
    known: HashMap<(Instance, u64), (Shape, u64), RandomState>,
    /// When the new HTTP name was heard of.
    http: HashMap<Instance, u64, RandomState>,
    max: usize,
}
kept!(Shapes { known, http });

fn instance(owner: &Owner) -> Instance {
    (owner.resource_hash, owner.module)
}

fn hash(text: &str) -> u64 {
    FixedState::default().hash_one(text)
}

impl Shapes {
    pub(super) fn new(max: usize) -> Self {
        Self { known: HashMap::default(), http: HashMap::default(), max }
    }

    /// Notes which HTTP name a resource sends.
    pub(super) fn hear(&mut self, owner: &Owner, meaning: Option<Meaning>, now_ns: u64) {
        let instance = instance(owner);
        let has_place = self.http.len() < self.max || self.http.contains_key(&instance);
        if meaning == Some(Meaning::Requests(Convention::HttpNew)) && has_place {
            self.http.insert(instance, now_ns);
        }
    }

    /// Whether a point counts requests that the new HTTP name counts as well.
    pub(super) fn is_superseded(&self, owner: &Owner, meaning: Meaning, now_ns: u64) -> bool {
        let heard = || self.http.get(&instance(owner));
        meaning == Meaning::Requests(Convention::HttpOld)
            && heard().is_some_and(|heard| now_ns.saturating_sub(*heard) <= SUPERSEDED_NS)
    }

    /// Whether a point is of the kind that its name has, which the first one decides until an hour of silence.
    pub(super) fn check(&mut self, arrival: &Arrival<'_>) -> Result<(), DropReason> {
        let shape = Shape {
            data: arrival.point.data,
            is_monotonic: arrival.point.flags & point_flag::MONOTONIC != 0,
            unit: hash(arrival.unit),
        };
        let key = (instance(&arrival.owner), hash(arrival.name));
        let is_full = self.known.len() >= self.max;
        match self.known.get_mut(&key) {
            Some((known, heard)) if *known != shape => {
                if arrival.now_ns.saturating_sub(*heard) <= SILENCE_NS_MAX {
                    return Err(DropReason::TypeConflict);
                }
                (*known, *heard) = (shape, arrival.now_ns);
            }
            Some((_, heard)) => *heard = arrival.now_ns,
            None if is_full => return Err(DropReason::StreamLimit),
            None => drop(self.known.insert(key, (shape, arrival.now_ns))),
        }
        Ok(())
    }

    /// Forgets what was silent for long.
    pub(super) fn retire(&mut self, now_ns: u64) {
        self.known.retain(|_, (_, heard)| now_ns.saturating_sub(*heard) <= SILENCE_NS_MAX);
        self.http.retain(|_, heard| now_ns.saturating_sub(*heard) <= SUPERSEDED_NS);
    }
}
