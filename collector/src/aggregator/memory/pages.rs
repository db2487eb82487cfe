//! Values by series number whose memory follows the numbers in use: a page of neighbours at a time. Nothing is copied
//! when the directory grows, and an interval with few series costs few pages.

use bailiwick_slo::saved::{Saved, load_roomy, save_roomy};
use bailiwick_slo::wire::{Read, Reader, Writer};

/// Pages that a list ever has room for: numbers have 32 bits, and growth doubles.
const PAGES_MAX: usize = 1 << 28;

/// The list of pages. A value that was never asked for is the default one.
#[derive(Debug)]
pub(in crate::aggregator) struct Pages<T, const LENGTH: usize> {
    pages: Vec<Option<Box<[T; LENGTH]>>>,
    made: usize,
}

impl<T: Saved, const LENGTH: usize> Saved for Pages<T, LENGTH> {
    fn save(&self, to: &mut Writer) {
        save_roomy(&self.pages, to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let pages: Vec<Option<Box<[T; LENGTH]>>> = load_roomy(PAGES_MAX, from)?;
        let made = pages.iter().flatten().count();
        Ok(Self { pages, made })
    }
}

impl<T, const LENGTH: usize> Default for Pages<T, LENGTH> {
    fn default() -> Self {
        Self { pages: Vec::new(), made: 0 }
    }
}

impl<T: Default, const LENGTH: usize> Pages<T, LENGTH> {
    /// The value, if its page was made.
    #[inline]
    pub(in crate::aggregator) fn get(&self, place: usize) -> Option<&T> {
        self.pages.get(place / LENGTH)?.as_ref().map(|page| &page[place % LENGTH])
    }

    /// The value, to be changed.
    #[inline]
    pub(in crate::aggregator) fn get_mut(&mut self, place: usize) -> &mut T {
        let page = place / LENGTH;
        if self.pages.get(page).is_none_or(Option::is_none) {
            self.make(page);
        }
        let page = self.pages[page].as_mut().expect("it was there or was made above");
        &mut page[place % LENGTH]
    }

    /// All values of pages that were made.
    pub(in crate::aggregator) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten().flat_map(|page| page.iter())
    }

    #[inline(never)]
    fn make(&mut self, page: usize) {
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        self.pages[page] = Some(Box::new(std::array::from_fn(|_| T::default())));
        self.made += 1;
    }

    /// Bytes of the pages and their list, without what values hold elsewhere.
    pub(in crate::aggregator) fn memory_bytes(&self) -> usize {
        self.made * size_of::<[T; LENGTH]>() + self.pages.capacity() * size_of::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_follows_the_places_in_use() {
        let mut pages: Pages<u64, 8> = Pages::default();
        *pages.get_mut(100_000) += 5;
        *pages.get_mut(100_001) += 6;
        assert_eq!((pages.get(100_000), pages.get(100_001), pages.get(100_007)), (Some(&5), Some(&6), Some(&0)));
        assert_eq!((pages.get(3), pages.get(200_000)), (None, None));
        assert_eq!(pages.made, 1);
        assert!(pages.memory_bytes() >= 64 + 12_501 * 8);
    }
}
