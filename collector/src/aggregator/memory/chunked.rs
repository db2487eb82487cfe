//! A growing list whose copies share what did not change: a copy costs a pointer per 256 values, a change copies one
//! chunk at most.

use std::sync::Arc;

use bailiwick_slo::saved;
use bailiwick_slo::saved::Saved;

const CHUNK: usize = 256;

/// The list. Cloning shares all chunks.
#[derive(Debug, Clone)]
pub(in crate::aggregator) struct Chunked<T> {
    chunks: Vec<Arc<Vec<T>>>,
    length: usize,
}
saved!(struct [T: Saved + Send + Sync + 'static] Chunked<T> { chunks, length });

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), length: 0 }
    }
}

impl<T: Clone> Chunked<T> {
    pub(in crate::aggregator) fn len(&self) -> usize {
        self.length
    }

    pub(in crate::aggregator) fn push(&mut self, value: T) {
        if self.length.is_multiple_of(CHUNK) {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        if let Some(last) = self.chunks.last_mut() {
            Arc::make_mut(last).push(value);
        }
        self.length += 1;
    }

    /// Adds default values until there are as many.
    pub(in crate::aggregator) fn grow(&mut self, length: usize)
    where
        T: Default,
    {
        while self.length < length {
            self.push(T::default());
        }
    }

    pub(in crate::aggregator) fn get(&self, index: usize) -> Option<&T> {
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    /// The value at an index that exists, to be changed.
    pub(in crate::aggregator) fn get_mut(&mut self, index: usize) -> &mut T {
        &mut Arc::make_mut(&mut self.chunks[index / CHUNK])[index % CHUNK]
    }

    pub(in crate::aggregator) fn iter(&self) -> Values<'_, T> {
        Values { list: self, next: 0 }
    }
}

/// Values in order.
#[derive(Debug)]
pub(in crate::aggregator) struct Values<'a, T> {
    list: &'a Chunked<T>,
    next: usize,
}

impl<'a, T: Clone> Iterator for Values<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        let value = self.list.get(self.next);
        self.next += usize::from(value.is_some());
        value
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.list.length - self.next, Some(self.list.length - self.next))
    }
}

impl<T: Clone> ExactSizeIterator for Values<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_does_not_see_later_changes() {
        let mut list = Chunked::default();
        (0..600).for_each(|value| list.push(value));
        let copy = list.clone();
        *list.get_mut(300) = 7;
        list.push(600);
        assert_eq!((copy.get(300), list.get(300)), (Some(&300), Some(&7)));
        assert_eq!((copy.len(), list.iter().len()), (600, 601));
        assert!(copy.iter().copied().eq(0..600));
    }
}
