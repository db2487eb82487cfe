//! The workloads of `speed.md` 4 as data.

use clap::ValueEnum;

/// Which bytes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// 512 spans of 10 attributes and about 490 B, one resource (also W2 with a compression, W3 with fewer spans, W5
    /// with more series).
    W1,
    /// 25 attributes and 3 events, about 1.5 KB a span.
    W4,
    /// W1 over 32 resources a request and 64 tenants: a gateway's mix.
    W6,
}

/// How a request body travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compression {
    /// As it is.
    None,
    /// gzip, level 6.
    Gzip,
    /// zstd, level 3.
    Zstd,
}

impl Compression {
    /// The value of `grpc-encoding`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// How requests become DATA frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Frames {
    /// As large as the server allows (its SETTINGS): a whole batch in one.
    Whole,
    /// 16 KiB whatever the server allows, as grpc-go sends.
    #[value(name = "16k")]
    Small,
}

/// All that decides the bytes; equal plans give equal bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Kind of span.
    pub workload: Workload,
    /// Spans of a request.
    pub spans_per_request: usize,
    /// Series: tenants x modules x operations, rounded up to a full box.
    pub series: usize,
    /// Exponent of Zipf's law over series; 0 sends to all alike.
    pub skew: f64,
    /// Seed.
    pub seed: u64,
}

impl Plan {
    /// The headline: W1, 512 spans a request, all series alike.
    #[must_use]
    pub const fn headline(series: usize) -> Self {
        Self { workload: Workload::W1, spans_per_request: 512, series, skew: 0.0, seed: 1 }
    }

    /// Resources of a request.
    #[must_use]
    pub fn resources(&self) -> usize {
        match self.workload {
            Workload::W6 => self.spans_per_request.min(32),
            Workload::W1 | Workload::W4 => 1,
        }
    }

    /// Distinct requests: 131,072 spans (64 MB of W1, far more than a cache holds, for every number of series alike),
    /// at least every series once, at most 8,192 requests.
    #[must_use]
    pub fn requests(&self) -> usize {
        let spans = self.series.max(131_072);
        spans.div_ceil(self.spans_per_request).min(8_192)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_is_sent_to_unless_requests_are_tiny() {
        for series in [1_000, 4_000, 10_000, 100_000, 1_000_000] {
            let plan = Plan::headline(series);
            assert!(plan.requests() * plan.spans_per_request >= series, "{series}");
        }
        assert_eq!(Plan { spans_per_request: 1, ..Plan::headline(4_000) }.requests(), 8_192);
        assert_eq!(Plan::headline(4_000).requests(), 256);
    }
}
