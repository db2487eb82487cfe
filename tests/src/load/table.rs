//! Figures of several rounds as the table of `speed.md` 5: medians with their range, ratios to the null sink of the
//! same round and compression.

use std::fmt::Write as _;

use super::cell::Figures;
use super::target::Kind;

/// Two null sinks of one round that differ by more than this void it.
const NULL_DIFFERENCE_MAX: f64 = 0.05;

/// One round: the null sink first, then the servers, then the null sink again.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// Cells in the order in which they ran.
    pub cells: Vec<Figures>,
}

impl Round {
    /// CPU of the null sink, the mean of both runs; none when they differ too much or one is missing.
    #[must_use]
    pub fn null(&self, compression: &str) -> Option<f64> {
        let of_null = |cell: &&Figures| cell.server == Kind::Null.name() && cell.compression == compression;
        let nulls: Vec<f64> = self.cells.iter().filter(of_null).map(|cell| cell.cpu_s_per_million).collect();
        let [first, .., last] = nulls[..] else { return nulls.first().copied() };
        let mean = f64::midpoint(first, last);
        ((first - last).abs() / mean <= NULL_DIFFERENCE_MAX).then_some(mean)
    }
}

/// Median, least and greatest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The middle one; of an even number the lower of the two.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// The spread of at least one value.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        Some(Self { median: values[(values.len() - 1) / 2], min, max })
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} ({:.3}-{:.3})", self.median, self.min, self.max)
    }
}

/// The table in Markdown, one line per server, compression and number of series, in the order of the first round.
#[must_use]
pub fn markdown(rounds: &[Round]) -> String {
    let mut text = String::from(
        "| server | coding | series | CPU-s per million spans | ratio to null | spans/s | p50 / p99 / p99.9 ms | peak RSS MiB |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let mut seen: Vec<(&str, &str, usize)> = Vec::new();
    for cell in rounds.iter().flat_map(|round| &round.cells) {
        let key = (cell.server, cell.compression, cell.series);
        if !seen.contains(&key) {
            seen.push(key);
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}", row(rounds, key));
        }
    }
    text
}

fn row(rounds: &[Round], key: (&str, &str, usize)) -> String {
    let matches = |cell: &&Figures| (cell.server, cell.compression, cell.series) == key;
    let cells: Vec<&Figures> = rounds.iter().flat_map(|round| round.cells.iter().filter(matches)).collect();
    let spread = |figure: &dyn Fn(&Figures) -> f64| Spread::of(cells.iter().map(|cell| figure(cell)).collect());
    let ratios = rounds.iter().filter_map(|round| {
        let null = round.null(key.1)?;
        let cell = round.cells.iter().find(|cell| matches(cell))?;
        Some(cell.cpu_s_per_million / null)
    });
    let shown = |spread: Option<Spread>| spread.map_or_else(|| "void".to_owned(), |spread| spread.to_string());
    let median = |figure: &dyn Fn(&Figures) -> f64| spread(figure).map_or(f64::NAN, |spread| spread.median);
    let latency = [0, 1, 2].map(|place| format!("{:.2}", median(&|cell| cell.latency_ms[place])));
    format!(
        "| {} | {} | {} | {} | {} | {:.0} | {} | {:.0} |",
        key.0,
        key.1,
        key.2,
        shown(spread(&|cell| cell.cpu_s_per_million)),
        shown(Spread::of(ratios.collect())),
        median(&|cell| cell.spans_per_s),
        latency.join(" / "),
        spread(&|cell| cell.rss_peak_mib).map_or(f64::NAN, |spread| spread.max),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(kind: Kind, cpu_s_per_million: f64) -> Figures {
        Figures {
            server: kind.name(),
            compression: "none",
            series: 1_000,
            spans: 1_000_000,
            cpu_s_per_million,
            spans_per_s: 5e6,
            latency_ms: [1.0, 2.0, 3.0],
            rss_peak_mib: 40.0,
            refused: 0,
        }
    }

    fn round(nulls: (f64, f64), daemon: f64) -> Round {
        Round { cells: vec![cell(Kind::Null, nulls.0), cell(Kind::Daemon, daemon), cell(Kind::Null, nulls.1)] }
    }

    #[test]
    fn the_ratio_is_taken_to_the_null_sink_of_the_same_round() {
        let text = markdown(&[round((0.1, 0.1), 0.2), round((0.2, 0.2), 0.6), round((0.1, 0.1), 0.4)]);
        let line = text.lines().find(|line| line.starts_with("| bailiwick")).expect("there is a line");
        assert!(line.contains("| 0.400 (0.200-0.600) | 3.000 (2.000-4.000) |"), "{line}");
        assert_eq!(text.lines().count(), 4, "{text}");
    }

    #[test]
    fn a_round_whose_null_sinks_differ_by_more_than_five_percent_is_void() {
        assert!(round((0.1, 0.105), 0.2).null("none").is_some());
        let void = round((0.1, 0.106), 0.2);
        assert_eq!(void.null("none"), None);
        assert!(markdown(&[void]).contains("| void |"));
    }
}
