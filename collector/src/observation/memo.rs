//! Answers that are remembered: names come again and again, and the patterns that they are asked against do not change.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

/// Places; a new text takes the place of the one that stood there.
const PLACES: usize = 1_024;
/// Longer texts are asked about each time.
const TEXT_BYTES_MAX: usize = 64;

/// Remembers answers about texts of up to 64 bytes.
#[derive(Debug)]
pub(super) struct Memo {
    places: Box<[Place]>,
    hasher: RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    text: [u8; TEXT_BYTES_MAX],
    /// 0: nothing stands here.
    length: u8,
    answer: bool,
}

impl Default for Memo {
    fn default() -> Self {
        let empty = Place { text: [0; TEXT_BYTES_MAX], length: 0, answer: false };
        Self { places: vec![empty; PLACES].into_boxed_slice(), hasher: RandomState::default() }
    }
}

impl Memo {
    /// The answer about a text: the remembered one, or that of `ask`, which must always answer the same.
    #[inline]
    pub(super) fn answer(&mut self, text: &[u8], ask: impl FnOnce(&[u8]) -> bool) -> bool {
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return ask(text);
        }
        let number = self.hasher.hash_one(text) as usize % PLACES;
        let place = &mut self.places[number];
        if usize::from(place.length) != text.len() || place.text[..text.len()] != *text {
            let answer = ask(text);
            place.text[..text.len()].copy_from_slice(text);
            place.length = text.len() as u8;
            place.answer = answer;
        }
        place.answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembered_answers_are_those_that_were_given() {
        let mut memo = Memo::default();
        let is_even = |text: &[u8]| text.last().is_some_and(|byte| byte % 2 == 0);
        // More texts than places, twice: places are taken over and asked again.
        for _ in 0..2 {
            for number in 0..4 * PLACES {
                let text = format!("name {number}");
                assert_eq!(memo.answer(text.as_bytes(), is_even), number % 2 == 0, "{text}");
            }
        }
    }

    #[test]
    fn what_is_remembered_is_not_asked_again_and_long_texts_always_are() {
        let mut memo = Memo::default();
        assert!(memo.answer(b"name", |_| true));
        assert!(memo.answer(b"name", |_| false));
        let long = [b'x'; TEXT_BYTES_MAX + 1];
        assert!(memo.answer(&long, |_| true));
        assert!(!memo.answer(&long, |_| false));
    }
}
