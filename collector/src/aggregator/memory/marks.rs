//! Numbers of what changed since the last publication, each once.

use bailiwick_slo::saved::Saved;
use bailiwick_slo::wire::{Read, Reader, Writer};

/// The numbers.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Marks {
    marked: Vec<bool>,
    list: Vec<u32>,
}

impl Saved for Marks {
    fn save(&self, to: &mut Writer) {
        self.marked.len().save(to);
        self.list.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let (length, list) = (from.small()?, Vec::<u32>::load(from)?);
        let mut marks = Self::default();
        marks.grow(length as usize);
        for number in list {
            if number >= length {
                return from.wrong("a mark is out of range");
            }
            marks.mark(number);
        }
        Ok(marks)
    }
}

impl Marks {
    /// Makes room for numbers below this one.
    pub(in crate::aggregator) fn grow(&mut self, length: usize) {
        self.marked.resize(length, false);
    }

    #[inline]
    pub(in crate::aggregator) fn mark(&mut self, number: u32) {
        if !std::mem::replace(&mut self.marked[number as usize], true) {
            self.list.push(number);
        }
    }

    /// Hands out all marked numbers and forgets them.
    pub(in crate::aggregator) fn take(&mut self, mut each: impl FnMut(u32)) {
        for number in self.list.drain(..) {
            self.marked[number as usize] = false;
            each(number);
        }
    }
}
