//! When a connection is asked to close, and when it is cut: one pure decision over its vitals.

use std::time::Duration;

use crate::receiver::ConnectionSettings;

/// Time from the polite end (GOAWAY, `Connection: close`) to the cut.
const FAREWELL_MS: u64 = 30_000;
/// Longest time that a client may leave an answer unread.
const ANSWER_MS: u64 = 10_000;
/// Spread of the age around its setting, either way: 10 %.
const AGE_SPREAD_PERMILLE: u64 = 100;
/// Longest time between two looks at a connection.
const LOOK_MS_MAX: u64 = 1_000;
/// Shortest time between two looks.
const LOOK_MS_MIN: u64 = 10;

/// What a connection is doing. Moments are milliseconds on the connection's scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vitals {
    /// When it was accepted.
    pub opened_at: u64,
    /// Requests that are not done.
    pub open: u32,
    /// Those of them whose answer waits for the client to take it.
    pub answering: u32,
    /// When a request last began or moved on; none before the first.
    pub moved_at: Option<u64>,
    /// First byte that came since, while no request was open.
    pub head_since: Option<u64>,
    /// Since when the socket takes nothing.
    pub write_blocked_since: Option<u64>,
    /// Whether it speaks HTTP/1.
    pub http1: bool,
}

/// What to do with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing; look again after this many milliseconds.
    Look(u64),
    /// Ask it to close.
    Farewell,
    /// Close it.
    Cut,
}

/// How long a connection may take over what, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ageing {
    header: u64,
    idle_http1: u64,
    idle_http2: u64,
    age: u64,
    answer: u64,
    farewell: u64,
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Ageing {
    /// By the settings; `spread_permille` from 0 to 200 places this connection's age between -10 % and +10 %.
    #[must_use]
    pub fn new(settings: &ConnectionSettings, spread_permille: u32) -> Self {
        let age = ms(settings.age_max.0);
        let least = age - age / 1_000 * AGE_SPREAD_PERMILLE;
        Self {
            header: ms(settings.header_timeout.0),
            idle_http1: ms(settings.idle_http1.0),
            idle_http2: ms(settings.idle_http2.0),
            age: least + age / 1_000 * u64::from(spread_permille).min(2 * AGE_SPREAD_PERMILLE),
            answer: ANSWER_MS,
            farewell: FAREWELL_MS,
        }
    }

    /// Decides. `farewell_at`: when the connection was asked to close.
    #[must_use]
    pub fn verdict(&self, vitals: &Vitals, now: u64, farewell_at: Option<u64>) -> Verdict {
        let cut_at = self.cut_at(vitals, farewell_at);
        if cut_at <= now {
            return Verdict::Cut;
        }
        let farewell_due = if farewell_at.is_some() { u64::MAX } else { self.farewell_due(vitals) };
        if farewell_due <= now {
            return Verdict::Farewell;
        }
        Verdict::Look((cut_at.min(farewell_due) - now).clamp(LOOK_MS_MIN, self.look()))
    }

    fn cut_at(&self, vitals: &Vitals, farewell_at: Option<u64>) -> u64 {
        let head_since = match vitals.moved_at {
            None => Some(vitals.opened_at),
            // On HTTP/2 bytes between requests are pings and window updates.
            Some(_) if vitals.http1 && vitals.open == 0 => vitals.head_since,
            Some(_) => None,
        };
        let unread_since = vitals.moved_at.filter(|_| vitals.answering > 0);
        [
            farewell_at.map(|at| at.saturating_add(self.farewell)),
            head_since.map(|at| at.saturating_add(self.header)),
            vitals.write_blocked_since.map(|at| at.saturating_add(self.answer)),
            unread_since.map(|at| at.saturating_add(self.answer)),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(u64::MAX)
    }

    fn farewell_due(&self, vitals: &Vitals) -> u64 {
        let idle = if vitals.http1 { self.idle_http1 } else { self.idle_http2 };
        let idle_due = vitals.moved_at.filter(|_| vitals.open == 0).map_or(u64::MAX, |at| at.saturating_add(idle));
        idle_due.min(vitals.opened_at.saturating_add(self.age))
    }

    /// A stamp may appear between two looks, so they are never further apart than a quarter of the shortest limit.
    fn look(&self) -> u64 {
        let shortest = self.header.min(self.idle_http1).min(self.idle_http2).min(self.answer);
        (shortest / 4).clamp(LOOK_MS_MIN, LOOK_MS_MAX)
    }
}
