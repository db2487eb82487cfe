//! Damage: what networks, bugs and attackers make of a request.

use super::dice::Dice;

/// Damages bytes in one to three ways; `other` is what is spliced in.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    for _ in 0..1 + dice.below(3) {
        if bytes.is_empty() {
            bytes.extend_from_slice(other);
            return;
        }
        let at = dice.below(bytes.len());
        match dice.below(7) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => bytes[at] = dice.bits() as u8,
            3 => bytes.insert(at, dice.bits() as u8),
            4 => drop(bytes.remove(at)),
            5 => {
                let end = (at + 1 + dice.below(40)).min(bytes.len());
                let run = bytes[at..end].to_vec();
                bytes.splice(at..at, run);
            }
            _ => {
                if !other.is_empty() {
                    let from = dice.below(other.len());
                    let to = (from + 1 + dice.below(60)).min(other.len());
                    bytes.splice(at..at, other[from..to].iter().copied());
                }
            }
        }
    }
}
