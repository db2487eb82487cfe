//! Stored batches: what a journal may hand back after disks and bugs.

use bailiwick_collector::aggregator::{Aggregator, Settings, Terms};
use bailiwick_collector::observation::Signal;
use bailiwick_collector::observation::batch::Batch;
use bailiwick_collector::observation::batch::layout::{HEADER_BYTES, ROW_BYTES, SECTIONS, aligned, header};

use super::cases::NOW_NS;
use super::dice::Dice;
use super::mutate::mutate;
use super::target::{case_of, observed};
use crate::listing;

/// Any bytes as a batch: checking never panics, and what the check accepts can be read to its end and counted.
///
/// # Panics
/// If a promise is broken.
pub fn fuzz_batch(data: &[u8]) {
    let Ok(batch) = Batch::check(data.to_vec()) else { return };
    assert_eq!(batch.bytes(), data, "a batch keeps its bytes");
    let text = listing::listing(&batch);
    assert!(!text.is_empty(), "a batch has a header");
    let mut fold = Aggregator::new(Terms::default());
    fold.apply(1, &batch.view());
    fold.tick(2, NOW_NS);
    fold.finish();
}

/// The batch of a generated request, if the daemon accepts it.
#[must_use]
pub fn generated_batch(signal: Signal, seed: u64) -> Option<Vec<u8>> {
    let sent = super::generate::request(signal, seed);
    observed(case_of(&sent), signal, &sent).map(|observed| observed.batch.bytes().to_vec())
}

/// Damages a batch, mostly so that its sections still fill its bytes.
pub fn damage_batch(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    for _ in 0..1 + dice.below(3) {
        match dice.below(6) {
            0 => mutate(bytes, other, dice),
            1 | 2 => word(bytes, dice),
            3 => byte(bytes, dice),
            _ => row(bytes, dice),
        }
    }
}

/// One number of four or eight bytes, as rows hold them, becomes another.
fn word(bytes: &mut [u8], dice: &mut Dice) {
    let places = bytes.len() / 4;
    if places < 2 {
        return;
    }
    let at = 4 * dice.below(places - 1);
    let near = u64::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3], 0, 0, 0, 0]);
    let value = match dice.below(6) {
        0 => dice.bits(),
        1 => near + 1,
        2 => near.wrapping_sub(1),
        3 => NOW_NS.wrapping_add(dice.bits() >> dice.below(64)),
        _ => *dice.one_of(&[0, 1, 2, 3, 7, 255, 1 << 31, u64::from(u32::MAX), u64::MAX]),
    };
    let length = if dice.once_in(3) { 8 } else { 4 };
    bytes[at..at + length].copy_from_slice(&value.to_le_bytes()[..length]);
}

fn byte(bytes: &mut [u8], dice: &mut Dice) {
    if !bytes.is_empty() {
        let at = dice.below(bytes.len());
        bytes[at] = *dice.one_of(&[0, 1, 5, 6, 0x80, 0xff]);
    }
}

/// A row more, a row less, or a row twice, with the count that fits.
fn row(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let Some(counts) = bytes.get(header::COUNTS..HEADER_BYTES) else { return };
    let count = |section: usize| {
        let at = 4 * section;
        u32::from_le_bytes([counts[at], counts[at + 1], counts[at + 2], counts[at + 3]])
    };
    let chosen = dice.below(SECTIONS);
    let length = |section: usize| (count(section) as usize).saturating_mul(ROW_BYTES[section]);
    let start = (0..chosen).fold(HEADER_BYTES, |at, section| at.saturating_add(aligned(length(section).min(1 << 30))));
    let Some(section) = bytes.get(start..start.saturating_add(length(chosen))) else { return };
    let mut rows: Vec<Vec<u8>> = section.chunks(ROW_BYTES[chosen]).map(<[u8]>::to_vec).collect();
    let at = dice.below(rows.len() + 1);
    match (dice.below(3), rows.get(at).cloned()) {
        (0, Some(_)) => drop(rows.remove(at)),
        (1, Some(row)) => rows.insert(at, row),
        _ => rows.insert(at, (0..ROW_BYTES[chosen]).map(|_| dice.below(3) as u8).collect()),
    }
    let (number, mut section) = (rows.len() as u32, rows.concat());
    section.resize(aligned(section.len()), 0);
    let end = start + aligned(length(chosen));
    if end <= bytes.len() {
        bytes.splice(start..end, section);
        bytes[header::COUNTS + 4 * chosen..][..4].copy_from_slice(&number.to_le_bytes());
    }
}
