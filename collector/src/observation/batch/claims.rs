//! The evidence rows of a batch while it is written: each combination of claims once.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;

use super::row::Evidence;

/// Places of a new table.
const PLACES_MIN: usize = 1_024;

/// Rows by the claims that they hold.
#[derive(Debug)]
pub(super) struct ClaimRows {
    /// As stored.
    pub(super) rows: Vec<u8>,
    /// Numbers of rows, from 1; 0: none. Open addressing, linear; at most half of it is taken.
    places: Vec<u32>,
    hasher: RandomState,
}

impl ClaimRows {
    pub(super) fn new() -> Self {
        Self { rows: Vec::new(), places: vec![0; PLACES_MIN], hasher: RandomState::default() }
    }

    /// Forgets all rows. A table that grew is given back, as [`super::strings::Strings`] does.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        if self.places.len() == PLACES_MIN {
            self.places.fill(0);
        } else {
            self.places = vec![0; PLACES_MIN];
            self.rows = Vec::new();
        }
    }

    /// The number of the row with these claims; it is added if it is new.
    #[inline]
    pub(super) fn number(&mut self, claims: &Evidence) -> u32 {
        let mask = self.places.len() - 1;
        let mut at = self.hash(claims) as usize & mask;
        loop {
            match self.places[at] {
                0 => return self.add(at, claims),
                number => {
                    let row = self.rows.as_chunks().0.get(number as usize - 1);
                    if row.is_some_and(|row| Evidence::from_bytes(row) == *claims) {
                        return number - 1;
                    }
                    at = (at + 1) & mask;
                }
            }
        }
    }

    /// By fields in registers: bytes would be stored one field at a time and read back too soon as words.
    #[inline]
    fn hash(&self, claims: &Evidence) -> u64 {
        let two = |one: u32, other: u32| u64::from(one) | u64::from(other) << 32;
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(two(claims.tenant_span, claims.module_span));
        hasher.write_u64(two(claims.tenant_header, claims.tenant_baggage));
        hasher.write_u64(two(claims.tenant_token, claims.tenant_data));
        hasher.write_u32(u32::from_le_bytes(claims.aliases));
        hasher.finish()
    }

    fn add(&mut self, at: usize, claims: &Evidence) -> u32 {
        self.rows.extend_from_slice(&claims.to_bytes());
        let count = (self.rows.len() / Evidence::BYTES) as u32;
        self.places[at] = count;
        if self.places.len() < 2 * count as usize {
            self.grow();
        }
        count - 1
    }

    #[cold]
    fn grow(&mut self) {
        let mask = 4 * self.places.len() - 1;
        let mut places = vec![0; mask + 1];
        for (number, row) in (1..).zip(self.rows.as_chunks::<{ Evidence::BYTES }>().0) {
            let mut at = self.hash(&Evidence::from_bytes(row)) as usize & mask;
            while places[at] != 0 {
                at = (at + 1) & mask;
            }
            places[at] = number;
        }
        self.places = places;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_claims_share_a_row_before_and_after_growing() {
        let mut rows = ClaimRows::new();
        let claims =
            |number: u32| Evidence { tenant_span: number % 70, module_span: number / 70, ..Evidence::default() };
        for round in 0..2 {
            for number in 0..3_000 {
                assert_eq!(rows.number(&claims(number)), number, "round {round}");
            }
        }
        assert_eq!(rows.rows.len(), 3_000 * Evidence::BYTES);
        rows.clear();
        assert_eq!(rows.number(&claims(2_000)), 0);
    }

    #[test]
    fn every_field_tells_rows_apart() {
        let mut rows = ClaimRows::new();
        for field in 0..Evidence::BYTES {
            let mut bytes = [0; Evidence::BYTES];
            bytes[field] = 1;
            let claims = Evidence::from_bytes(&bytes);
            // The last four bytes of a row are zeros whatever it says.
            let number = if field < 28 { field as u32 } else { 28 };
            assert_eq!(rows.number(&claims), number);
        }
    }
}
