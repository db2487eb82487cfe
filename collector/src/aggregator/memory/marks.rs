//! Numbers of what changed since the last publication, each once.

/// The numbers.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Marks {
    marked: Vec<bool>,
    list: Vec<u32>,
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
