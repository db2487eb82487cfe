//! Who was warned of what, and when: each warning goes to a principal at most once a minute, because SDKs log it.

use twox_hash::XxHash3_64;

use crate::observation::report::Warning;

/// Seconds between two equal warnings to one principal.
const PAUSE_SECONDS: u64 = 60;
/// Principals remembered: 1,024 x 72 B = 72 KiB. Two that share a place may be warned more often, never less.
const PLACES: usize = 1_024;

/// The memory of warnings.
#[derive(Debug)]
pub struct Warned(Box<[Place]>);

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    principal: u64,
    /// When each kind was last said, in seconds since the Unix epoch; 0: never.
    said_at: [u64; Warning::ALL.len()],
}

impl Default for Warned {
    fn default() -> Self {
        Self(vec![Place::default(); PLACES].into_boxed_slice())
    }
}

impl Warned {
    /// Of the kinds in `kinds` (bits), those that `principal` may be told now; they count as told.
    pub fn due(&mut self, principal: &str, kinds: u8, now_seconds: u64) -> u8 {
        if kinds == 0 {
            return 0;
        }
        let hash = XxHash3_64::oneshot(principal.as_bytes());
        let place = &mut self.0[(hash % PLACES as u64) as usize];
        if place.principal != hash {
            *place = Place { principal: hash, ..Place::default() };
        }
        let mut due = 0;
        for (kind, said_at) in place.said_at.iter_mut().enumerate().filter(|(kind, _)| kinds & 1 << kind != 0) {
            // A clock that went back must not silence a warning for longer than it is off.
            if *said_at == 0 || now_seconds >= *said_at + PAUSE_SECONDS || now_seconds < *said_at {
                *said_at = now_seconds.max(1);
                due |= 1 << kind;
            }
        }
        due
    }
}
