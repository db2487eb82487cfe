//! Places for values that come and go: fixed chunks, so that growing moves nothing and costs no double, and the places
//! of those that went are given to those that come.

use bailiwick_slo::saved::Saved;
use bailiwick_slo::wire::{Read, Reader, Writer};

/// Values of a chunk.
const CHUNK: usize = 1_024;

/// The places.
#[derive(Debug)]
pub(in crate::aggregator) struct Slab<T> {
    chunks: Vec<Vec<T>>,
    free: Vec<u32>,
    /// Places that were ever given.
    given: u32,
}

impl<T: Saved> Saved for Slab<T> {
    fn save(&self, to: &mut Writer) {
        self.given.save(to);
        self.chunks.iter().for_each(|chunk| T::save_all(chunk, to));
        self.free.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let given = from.small()?;
        let mut chunks = Vec::new();
        for first in (0..given as usize).step_by(CHUNK) {
            let length = CHUNK.min(given as usize - first);
            let mut chunk = T::load_all(length, from)?;
            chunk.reserve_exact(CHUNK - length);
            chunks.push(chunk);
        }
        Ok(Self { chunks, free: Saved::load(from)?, given })
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), given: 0 }
    }
}

impl<T> Slab<T> {
    /// Gives a value a place.
    #[inline]
    pub(in crate::aggregator) fn put(&mut self, value: T) -> u32 {
        if let Some(place) = self.free.pop() {
            *self.get_mut(place) = value;
            return place;
        }
        let place = self.given;
        if (place as usize).is_multiple_of(CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        self.chunks[place as usize / CHUNK].push(value);
        self.given += 1;
        place
    }

    /// Takes a place back; what stands there is written over by the next.
    pub(in crate::aggregator) fn free(&mut self, place: u32) {
        self.free.push(place);
    }

    #[inline]
    pub(in crate::aggregator) fn get(&self, place: u32) -> &T {
        &self.chunks[place as usize / CHUNK][place as usize % CHUNK]
    }

    #[inline]
    pub(in crate::aggregator) fn get_mut(&mut self, place: u32) -> &mut T {
        &mut self.chunks[place as usize / CHUNK][place as usize % CHUNK]
    }

    /// Places that were ever given.
    pub(in crate::aggregator) fn given(&self) -> u32 {
        self.given
    }

    /// Places in use.
    pub(in crate::aggregator) fn len(&self) -> usize {
        self.given as usize - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_again_and_values_stay_where_they_are() {
        let mut slab = Slab::default();
        let places: Vec<u32> = (0..5_000_u32).map(|n| slab.put(n)).collect();
        assert!(places.iter().zip(0..).all(|(place, n)| *slab.get(*place) == n));
        places.iter().step_by(2).for_each(|place| slab.free(*place));
        assert_eq!(slab.len(), 2_500);
        (0..2_500).for_each(|n| assert!(slab.put(9_000 + n) < 5_000));
        assert_eq!((slab.len(), slab.given), (5_000, 5_000));
        assert!(places.iter().zip(0..).skip(1).step_by(2).all(|(place, n)| *slab.get(*place) == n));
    }
}
