//! How time is cut: slots of ten seconds, hours of slots, and the windows that figures speak about.

use std::str::FromStr;

use crate::saved;

/// Nanoseconds of a second.
pub const SECOND_NS: u64 = 1_000_000_000;

/// Seconds of a slot (`sli.md` 1.6).
pub const SLOT_SECONDS: u64 = 10;

/// Nanoseconds of a slot.
pub const SLOT_NS: u64 = SLOT_SECONDS * SECOND_NS;

/// A ten-second interval, numbered from the Unix epoch: slot `n` holds `[10 n, 10 n + 10)` seconds.
/// 32 bits last until the year 3331.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u32);

saved!(struct Slot { 0 });

impl Slot {
    /// Slots of an hour.
    pub const PER_HOUR: u32 = 360;

    /// The slot that holds this moment; moments past the last slot fall into it.
    #[must_use]
    pub fn holding(unix_ns: u64) -> Self {
        Self(u32::try_from(unix_ns / SLOT_NS).unwrap_or(u32::MAX))
    }

    /// Its first nanosecond.
    #[must_use]
    pub const fn start_ns(self) -> u64 {
        self.0 as u64 * SLOT_NS
    }

    /// The first nanosecond after it.
    #[must_use]
    pub const fn end_ns(self) -> u64 {
        (self.0 as u64 + 1) * SLOT_NS
    }

    /// The hour (number from the epoch) that holds it.
    #[must_use]
    pub const fn hour(self) -> u32 {
        self.0 / Self::PER_HOUR
    }
}

/// The windows that the API and `/metrics` offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// One minute: counts only.
    Minute,
    /// Five minutes.
    FiveMinutes,
    /// One hour.
    Hour,
    /// One day.
    Day,
}

impl Window {
    /// All windows, shortest first.
    pub const ALL: [Self; 4] = [Self::Minute, Self::FiveMinutes, Self::Hour, Self::Day];

    /// Its length in seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// Its length in slots.
    #[must_use]
    pub const fn slots(self) -> u32 {
        match self {
            Self::Minute => 6,
            Self::FiveMinutes => 30,
            Self::Hour => 360,
            Self::Day => 8_640,
        }
    }

    /// The published name, the value of the parameter and label `window`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::Hour => "1h",
            Self::Day => "1d",
        }
    }
}

impl FromStr for Window {
    type Err = UnknownWindow;

    fn from_str(text: &str) -> Result<Self, UnknownWindow> {
        Self::ALL.into_iter().find(|window| window.name() == text).ok_or(UnknownWindow)
    }
}

/// A window that is none of [`Window::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownWindow;

impl std::fmt::Display for UnknownWindow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a window is one of 1m, 5m, 1h, 1d")
    }
}

impl std::error::Error for UnknownWindow {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_holds_its_first_nanosecond_and_not_its_end() {
        let slot = Slot::holding(1_700_000_000 * SECOND_NS);
        assert_eq!(slot, Slot(170_000_000));
        assert_eq!(Slot::holding(slot.start_ns()), slot);
        assert_eq!(Slot::holding(slot.end_ns() - 1), slot);
        assert_eq!(Slot::holding(slot.end_ns()), Slot(slot.0 + 1));
    }

    #[test]
    fn a_window_reads_back_from_its_name_and_is_made_of_whole_slots() {
        for window in Window::ALL {
            assert_eq!(window.name().parse(), Ok(window));
            assert_eq!(window.seconds(), u64::from(window.slots()) * SLOT_SECONDS);
        }
        assert_eq!("2m".parse::<Window>(), Err(UnknownWindow));
    }
}
