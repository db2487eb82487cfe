//! Patterns that read whose data a span touches (rule L4): they begin by looking only, and one that fires too often is
//! taken for wrong and falls silent (`sli.md` 3.2).

use std::sync::Arc;

use bailiwick_slo::saved::{Kept, Saved};
use bailiwick_slo::wire::{Read, Reader, Writer};

use super::snapshot::PatternFigures;
use crate::observation::DataPattern;

/// A pattern is judged by this many spans.
const SEEN_MIN: u64 = 1_000;
/// It is wrong if it fires on more than one of so many.
const FIRED_OF_MAX: u64 = 100;

/// The patterns, by their place in the settings.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    figures: Vec<PatternFigures>,
    shown: Arc<Vec<PatternFigures>>,
}

impl Kept for Patterns {
    fn save(&self, to: &mut Writer) {
        self.figures.save(to);
    }

    /// Figures of patterns that are still looked for.
    fn restore(&mut self, from: &mut Reader<'_>) -> Read<()> {
        let known: Vec<PatternFigures> = Saved::load(from)?;
        for figures in &mut self.figures {
            if let Some(known) = known.iter().find(|known| known.pattern == figures.pattern) {
                (figures.seen, figures.fired, figures.disabled) = (known.seen, known.fired, known.disabled);
            }
        }
        Ok(())
    }
}

impl Patterns {
    pub(super) fn new(patterns: &[DataPattern]) -> Self {
        let figures = patterns.iter().map(|pattern| PatternFigures {
            pattern: pattern.pattern.as_str().into(),
            seen: 0,
            fired: 0,
            dry_run: pattern.dry_run,
            disabled: false,
        });
        Self { figures: figures.collect(), shown: Arc::default() }
    }

    /// Whether what a pattern reads is a finding.
    pub(super) fn speaks(&self, pattern: u64) -> bool {
        usize::try_from(pattern)
            .ok()
            .and_then(|place| self.figures.get(place))
            .is_some_and(|of| !of.dry_run && !of.disabled)
    }

    /// Counts a span that a pattern reads; `fires`: of another tenant than its own.
    pub(super) fn count(&mut self, pattern: u64, fires: bool) {
        let Some(of) = usize::try_from(pattern).ok().and_then(|place| self.figures.get_mut(place)) else { return };
        of.seen += 1;
        of.fired += u64::from(fires);
        of.disabled |= of.seen >= SEEN_MIN && of.fired * FIRED_OF_MAX > of.seen;
    }

    pub(super) fn publish(&mut self) -> Arc<Vec<PatternFigures>> {
        if *self.shown != self.figures {
            self.shown = Arc::new(self.figures.clone());
        }
        Arc::clone(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::DataAttribute;

    fn patterns(dry_run: bool) -> Patterns {
        let pattern = "tenant_{tenant}".to_owned();
        Patterns::new(&[DataPattern { attribute: DataAttribute::DbNamespace, pattern, dry_run }])
    }

    #[test]
    fn a_pattern_that_fires_on_more_than_a_hundredth_of_a_thousand_falls_silent() {
        let mut wrong = patterns(false);
        (0..999).for_each(|number| wrong.count(0, number < 50));
        assert!(wrong.speaks(0), "999 spans are too few to say");
        wrong.count(0, false);
        assert!(!wrong.speaks(0));
        let mut right = patterns(false);
        (0..5_000).for_each(|number| right.count(0, number % 101 == 100));
        assert!(right.speaks(0), "one of a hundred and one is not too many");
    }

    #[test]
    fn a_pattern_begins_by_looking_only() {
        let mut dry = patterns(true);
        dry.count(0, true);
        assert!(!dry.speaks(0) && !dry.speaks(1));
        assert_eq!((dry.publish()[0].seen, dry.publish()[0].fired), (1, 1));
    }
}
