//! Cells of one instance by time, as many as its longest window needs: the newest as they are, older ones in blocks of a
//! few bytes a cell. A window takes from here what leaves it.

use std::collections::VecDeque;

use super::sums::Sums;
use crate::saved::Saved;
use crate::wire::{Read, Reader, Writer};

/// Cells of a block. Reading one cell reads its block: fewer cost memory, more cost time.
pub(super) const BLOCK_CELLS: u64 = 32;
/// Cells of a second to the year 9999, and far beyond.
const NUMBER_MAX: u64 = 1 << 40;

/// Cells by number, a range that only moves forward.
#[derive(Debug, Clone, Default)]
pub(super) struct Store {
    /// Number of the first cell of the first block; a multiple of [`BLOCK_CELLS`].
    first: u64,
    blocks: VecDeque<Block>,
    bytes: usize,
}

/// A block: nothing but empty cells of no tick, cells as they are, or packed ones.
#[derive(Debug, Clone)]
enum Block {
    Nothing,
    Open(Box<[Sums; BLOCK_CELLS as usize]>),
    Packed(Box<[u8]>),
}

impl Block {
    fn bytes(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Open(cells) => size_of_val(&**cells),
            Self::Packed(bytes) => bytes.len(),
        }
    }

    fn cell(&self, place: usize) -> Sums {
        match self {
            Self::Nothing => Sums::default(),
            Self::Open(cells) => cells[place],
            Self::Packed(bytes) => Unpacking::new(bytes).nth(place).unwrap_or_default(),
        }
    }

    fn open(&mut self) -> &mut [Sums; BLOCK_CELLS as usize] {
        if !matches!(self, Self::Open(_)) {
            let mut cells = Box::new([Sums::default(); BLOCK_CELLS as usize]);
            if let Self::Packed(bytes) = self {
                cells.iter_mut().zip(Unpacking::new(bytes)).for_each(|(cell, packed)| *cell = packed);
            }
            *self = Self::Open(cells);
        }
        match self {
            Self::Open(cells) => cells,
            Self::Nothing | Self::Packed(_) => unreachable!("it was opened above"),
        }
    }

    fn pack(&mut self) {
        if let Self::Open(cells) = self {
            let is_nothing = cells.iter().all(|cell| *cell == Sums::default());
            *self = if is_nothing { Self::Nothing } else { Self::Packed(pack(&**cells)) };
        }
    }
}

impl Store {
    /// The cell; empty where there is none.
    pub(super) fn cell(&self, number: u64) -> Sums {
        let block = number.checked_sub(self.first).and_then(|at| self.blocks.get((at / BLOCK_CELLS) as usize));
        block.map_or_else(Sums::default, |block| block.cell((number % BLOCK_CELLS) as usize))
    }

    /// The cell, to be changed; `None` when it has been forgotten.
    pub(super) fn change(&mut self, number: u64, change: impl FnOnce(&mut Sums)) -> bool {
        if self.blocks.is_empty() && number >= self.first {
            self.first = number - number % BLOCK_CELLS;
        }
        let Some(at) = number.checked_sub(self.first) else { return false };
        let place = (at / BLOCK_CELLS) as usize;
        while self.blocks.len() <= place {
            // Two stay open: most changes are of the last minutes.
            if let Some(last) = self.blocks.len().checked_sub(2) {
                self.repack(last);
            }
            self.blocks.push_back(Block::Nothing);
        }
        let block = &mut self.blocks[place];
        let before = block.bytes();
        change(&mut block.open()[(number % BLOCK_CELLS) as usize]);
        self.bytes = self.bytes + block.bytes() - before;
        if place + 2 < self.blocks.len() {
            self.repack(place);
        }
        true
    }

    fn repack(&mut self, place: usize) {
        let before = self.blocks[place].bytes();
        self.blocks[place].pack();
        self.bytes = self.bytes + self.blocks[place].bytes() - before;
    }

    /// Forgets cells before this one, as far as whole blocks go.
    pub(super) fn forget_before(&mut self, number: u64) {
        while self.first + BLOCK_CELLS <= number {
            let Some(block) = self.blocks.pop_front() else { break };
            self.bytes -= block.bytes();
            self.first += BLOCK_CELLS;
        }
        self.blocks.shrink_to(room(self.blocks.len()));
    }

    /// Cells of a range, each with its number, those that are kept.
    pub(super) fn range(&self, from: u64, to: u64) -> impl Iterator<Item = (u64, Sums)> + '_ {
        let end = self.first + self.blocks.len() as u64 * BLOCK_CELLS;
        let (from, to) = (from.max(self.first), to.min(end));
        let mut read: Option<(u64, [Sums; BLOCK_CELLS as usize])> = None;
        (from..to).map(move |number| {
            let block = number / BLOCK_CELLS;
            let cells = match read {
                Some((known, cells)) if known == block => cells,
                _ => {
                    let mut copy = self.blocks[((number - self.first) / BLOCK_CELLS) as usize].clone();
                    let cells = *copy.open();
                    read = Some((block, cells));
                    cells
                }
            };
            (number, cells[(number % BLOCK_CELLS) as usize])
        })
    }

    /// The first cell that is kept.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Bytes that it takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes + room(self.blocks.len()) * size_of::<Block>()
    }

    /// Whether a cell with this number is kept, or would come after so many more cells.
    pub(super) fn is_near(&self, number: u64, more: u64) -> bool {
        let end = self.first.saturating_add(self.blocks.len() as u64 * BLOCK_CELLS);
        !self.blocks.is_empty() && self.first <= number && number <= end.saturating_add(more)
    }
}

/// Places of a queue of so many that grew one by one. What it takes follows from what it holds, so that it is the same
/// after a restart: bytes decide who finds a place.
pub(super) fn room(length: usize) -> usize {
    length.next_power_of_two().max(4)
}

/// What kind of block follows.
const NOTHING: u8 = 0;
const OPEN: u8 = 1;
const PACKED: u8 = 2;

impl Saved for Block {
    fn save(&self, to: &mut Writer) {
        let (kind, open);
        let bytes: &[u8] = match self {
            Self::Nothing => return to.byte(NOTHING),
            Self::Open(cells) => {
                open = pack(&**cells);
                kind = OPEN;
                &open
            }
            Self::Packed(bytes) => {
                kind = PACKED;
                bytes
            }
        };
        to.byte(kind);
        to.number(bytes.len() as u64);
        to.raw(bytes);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let kind = from.byte()?;
        if kind == NOTHING {
            return Ok(Self::Nothing);
        }
        let length = usize::try_from(from.number()?).unwrap_or(usize::MAX);
        let bytes = from.bytes(length)?;
        if !is_block(bytes) {
            return from.wrong("a block of cells is none");
        }
        let mut block = Self::Packed(bytes.into());
        match kind {
            OPEN => drop(block.open()),
            PACKED => {}
            _ => return from.wrong("no kind of block"),
        }
        Ok(block)
    }
}

impl Saved for Store {
    fn save(&self, to: &mut Writer) {
        to.number(self.first);
        self.blocks.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let (first, loaded) = (from.number()?, Vec::<Block>::load(from)?);
        if !first.is_multiple_of(BLOCK_CELLS) || first > NUMBER_MAX {
            return from.wrong("cells begin at no block");
        }
        let bytes = loaded.iter().map(Block::bytes).sum();
        let mut blocks = VecDeque::with_capacity(room(loaded.len()));
        blocks.extend(loaded);
        Ok(Self { first, blocks, bytes })
    }
}

/// Runs of equal cells, each its length and seven numbers of as many bytes as they need.
fn pack(cells: &[Sums]) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(64);
    for run in cells.chunk_by(|one, other| one == other) {
        let Sums { bad, total, raw_bad, raw_total, ticks, gaps, alive } = run[0];
        put(&mut bytes, run.len() as u128);
        [total, raw_bad, raw_total].iter().for_each(|count| put(&mut bytes, zigzag(count.cast_signed().into())));
        [ticks, gaps, alive].iter().for_each(|count| put(&mut bytes, u128::from(*count)));
        put(&mut bytes, zigzag(bad.cast_signed()));
    }
    bytes.into_boxed_slice()
}

/// Small numbers of either sign as small ones without: 0, -1, 1, -2 are 0, 1, 2, 3.
const fn zigzag(count: i128) -> u128 {
    ((count << 1) ^ (count >> 127)).cast_unsigned()
}

/// What [`zigzag`] made of it.
const fn zagzig(packed: u128) -> i128 {
    (packed >> 1).cast_signed() ^ -((packed & 1).cast_signed())
}

fn put(bytes: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Whether bytes are what [`pack`] makes of the cells of a block: nothing else can be unpacked.
fn is_block(mut bytes: &[u8]) -> bool {
    let mut cells = 0;
    while cells < BLOCK_CELLS {
        match checked(&mut bytes, 6) {
            Some(length) if length > 0 => cells += length as u64,
            _ => return false,
        }
        if [64, 64, 64, 32, 32, 32, 128].into_iter().any(|bits| checked(&mut bytes, bits).is_none()) {
            return false;
        }
    }
    cells == BLOCK_CELLS && bytes.is_empty()
}

/// What [`put`] wrote, of at most so many bits.
fn checked(bytes: &mut &[u8], bits: u32) -> Option<u128> {
    let (mut value, mut shift) = (0_u128, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u128::from(byte & 0x7f);
        if shift >= bits || part >> (bits - shift).min(7) > 0 {
            return None;
        }
        value |= part << shift;
        if *byte < 0x80 {
            return Some(value);
        }
        shift += 7;
    }
}

struct Unpacking<'a> {
    bytes: &'a [u8],
    cell: Sums,
    left: u64,
}

impl<'a> Unpacking<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, cell: Sums::default(), left: 0 }
    }

    fn read(&mut self) -> u128 {
        match self.bytes.split_first() {
            // Most numbers are small.
            Some((byte, rest)) if *byte < 0x80 => {
                self.bytes = rest;
                (*byte).into()
            }
            _ => self.read_long(),
        }
    }

    fn read_long(&mut self) -> u128 {
        let (mut value, mut shift) = (0, 0);
        while let Some((byte, rest)) = self.bytes.split_first() {
            self.bytes = rest;
            value |= u128::from(byte & 0x7f) << shift;
            shift += 7;
            if *byte < 0x80 {
                break;
            }
        }
        value
    }

    /// Reads the next run; `false`: there is none.
    fn read_run(&mut self) -> bool {
        if self.bytes.is_empty() {
            return false;
        }
        self.left = self.read() as u64;
        let [total, raw_bad, raw_total] = std::array::from_fn(|_| zagzig(self.read()) as u64);
        let [ticks, gaps, alive] = std::array::from_fn(|_| self.read() as u32);
        self.cell = Sums { bad: zagzig(self.read()).cast_unsigned(), total, raw_bad, raw_total, ticks, gaps, alive };
        true
    }
}

impl Iterator for Unpacking<'_> {
    type Item = Sums;

    fn next(&mut self) -> Option<Sums> {
        self.nth(0)
    }

    /// Over whole runs, not cell by cell: a window reads one cell of a block in each tick.
    fn nth(&mut self, skipped: usize) -> Option<Sums> {
        let mut skipped = skipped as u64;
        while skipped >= self.left {
            skipped -= self.left;
            if !self.read_run() {
                self.left = 0;
                return None;
            }
        }
        self.left -= skipped + 1;
        Some(self.cell)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::sums::Delta;
    use super::*;

    #[test]
    fn a_quiet_month_takes_next_to_nothing_and_a_busy_one_a_few_bytes_a_cell() {
        let (mut quiet, mut busy) = (Store::default(), Store::default());
        for number in 0..43_200_u64 {
            quiet.change(number, |cell| cell.ticks = 6);
            busy.change(number, |cell| {
                *cell = Sums { bad: u128::from(number % 3), total: 600 + number % 50, ticks: 6, ..Sums::default() };
            });
        }
        assert!(quiet.memory_bytes() < 70_000, "{}", quiet.memory_bytes());
        assert!(busy.memory_bytes() < 43_200 * 10 + 20_000, "{}", busy.memory_bytes());
    }

    #[test]
    fn a_cell_below_nought_takes_as_few_bytes_as_one_above() {
        let of = |bad: i128| {
            let mut store = Store::default();
            (0..32 * 3).for_each(|number| {
                store.change(number, |cell| (cell.bad, cell.ticks) = (bad.cast_unsigned(), 1));
            });
            let cell = store.cell(0);
            assert!(matches!(store.blocks[0], Block::Packed(_)));
            (store.memory_bytes(), cell.bad.cast_signed())
        };
        let extremes = [i128::MIN, i128::MAX, 0, 1, -1];
        assert_eq!(extremes.map(|bad| of(bad).1), extremes);
        assert_eq!(of(-40).0, of(40).0);
    }

    proptest! {
        #[test]
        fn cells_are_what_was_put_there(
            changes in prop::collection::vec((0_u64..400, any::<i64>(), -5_i64..5), 1..200),
            forget in 0_u64..300,
        ) {
            let mut store = Store::default();
            let mut model: BTreeMap<u64, Sums> = BTreeMap::new();
            // A store begins with its first cell.
            store.change(1_000, |_| {});
            for (number, bad, total) in changes {
                let change = |cell: &mut Sums| cell.change(&Delta { bad, total, raw_bad: -total, raw_total: total });
                prop_assert!(store.change(1_000 + number, change));
                change(model.entry(1_000 + number).or_default());
            }
            store.forget_before(1_000 + forget);
            for number in 1_000 + forget..1_400 {
                prop_assert_eq!(store.cell(number), model.get(&number).copied().unwrap_or_default());
            }
            let ranged: BTreeMap<u64, Sums> =
                store.range(1_000 + forget, 1_400).filter(|(_, cell)| *cell != Sums::default()).collect();
            model.retain(|number, cell| *number >= 1_000 + forget && *cell != Sums::default());
            prop_assert_eq!(ranged, model);
            let is_kept = store.change(store.first() - 1, |_| {});
            prop_assert!(!is_kept);
        }
    }
}
