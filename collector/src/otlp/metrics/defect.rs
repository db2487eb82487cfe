//! Why a point is refused, whatever the time is.

/// Why a point is refused. Of several the first in this order is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PointDefect {
    /// A point of a summary: not used, and deprecated by OTLP.
    Unsupported,
    /// More attributes than allowed: the rest of the point was not read, its time may read 0.
    TooManyAttributes,
    /// Its time is 0. A start of 0 is an unknown start and no defect.
    MissingTime,
    /// NaN or infinity as value of a sum, sum or bound of a histogram; infinity as value of a gauge.
    NotFinite,
    /// A negative monotonic delta, or a sum without a known temporality.
    BadSum,
    /// Counts, bounds, scale or offset that do not fit together, more buckets than allowed, or a histogram without a
    /// known temporality.
    BadHistogram,
}
