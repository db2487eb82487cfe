//! Histograms whose parts fit together: of buckets at random hardly any do.

use prost::encoding::{fixed64, sint32};

use super::dice::Dice;
use super::schema::Message;
use super::writer::put_bytes;

/// Numbers of the fields of a point that must fit together, and these fields so that they do; now and then, and only of
/// histograms.
pub(super) fn fitting(dice: &mut Dice, message: Message) -> Option<(&'static [u32], Vec<Vec<u8>>)> {
    match message {
        Message::HistogramPoint if dice.once_in(2) => Some((&[4, 6, 7], explicit(dice))),
        Message::ExponentialPoint if dice.once_in(2) => Some((&[4, 6, 7, 8, 9], exponential(dice))),
        _ => None,
    }
}

fn counts(dice: &mut Dice, buckets: usize) -> Vec<u64> {
    (0..buckets).map(|_| dice.below(4) as u64).collect()
}

fn explicit(dice: &mut Dice) -> Vec<Vec<u8>> {
    // One bucket more than the comparison allows, at most.
    let bounds: Vec<u64> = (0..dice.below(7)).map(|place| (place as f64 / 4.0).to_bits()).collect();
    let counts = counts(dice, bounds.len() + 1);
    let mut fields = vec![vec![], vec![], vec![]];
    fixed64::encode(4, &counts.iter().sum(), &mut fields[0]);
    fixed64::encode_packed(6, &counts, &mut fields[1]);
    fixed64::encode_packed(7, &bounds, &mut fields[2]);
    fields
}

fn exponential(dice: &mut Dice) -> Vec<Vec<u8>> {
    let zeros = dice.below(3) as u64;
    let sides = [8, 9].map(|number| {
        let buckets = dice.below(4);
        (number, counts(dice, buckets))
    });
    let count = sides.iter().flat_map(|(_, counts)| counts).sum::<u64>() + zeros;
    let mut fields = vec![vec![], vec![], vec![]];
    fixed64::encode(4, &count, &mut fields[0]);
    sint32::encode(6, &(dice.below(33) as i32 - 11), &mut fields[1]);
    fixed64::encode(7, &zeros, &mut fields[2]);
    for (number, counts) in sides {
        let mut side = vec![];
        sint32::encode(1, &(dice.below(9) as i32 - 4), &mut side);
        prost::encoding::uint64::encode_packed(2, &counts, &mut side);
        let mut field = vec![];
        put_bytes(&mut field, dice, number, &side);
        fields.push(field);
    }
    fields
}
