//! Windows as bytes and back again: none that lie where no tick could have led them.

use super::{Counted, EARLIER_SECONDS, Grid, Span, Window, Windows};
use crate::engine::store::Store;
use crate::saved::Saved;
use crate::wire::{Read, Reader, Writer};

/// Ticks of a second to the year 9999.
const NEXT_MAX: u64 = 253_402_300_800;

impl Saved for Grid {
    fn save(&self, to: &mut Writer) {
        (self.tick_s, self.cell_ticks).save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let (tick_s, cell_ticks) = Saved::load(from)?;
        if [tick_s, cell_ticks].iter().any(|length| !(1..=86_400).contains(length)) {
            return from.wrong("time is cut in no way");
        }
        Ok(Self { tick_s, cell_ticks })
    }
}

impl Saved for Windows {
    /// Without what corrections do, which those know who made them.
    fn save(&self, to: &mut Writer) {
        let Self { grid, counted, ticks, cells, windows, effects: _, born, next } = self;
        grid.save(to);
        counted.save(to);
        ticks.save(to);
        cells.save(to);
        windows.save(to);
        (*born, *next).save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let (grid, counted) = (Grid::load(from)?, Counted::load(from)?);
        let (ticks, cells) = (Store::load(from)?, Store::load(from)?);
        let (windows, (born, next)) = (Vec::load(from)?, Saved::load(from)?);
        let windows = Self { grid, counted, ticks, cells, windows, effects: Vec::new(), born, next };
        if windows.is_whole() { Ok(windows) } else { from.wrong("windows lie where none can be") }
    }
}

impl Windows {
    /// Whether they can be those of an instance: nothing in them lies where no tick has led them.
    fn is_whole(&self) -> bool {
        let earlier = self.grid.ticks(EARLIER_SECONDS) + 1;
        let is_open = |window: &Window| match window.span {
            Span::Last(_) => (self.edge(window.span)..=self.next).contains(&window.from),
            Span::Since(since) => window.from >= since,
        };
        self.born <= self.next
            && self.next <= NEXT_MAX
            && self.ticks.is_near(self.next, earlier)
            && self.cells.is_near(self.next / self.grid.cell_ticks, earlier)
            && self.windows.iter().all(is_open)
    }
}
