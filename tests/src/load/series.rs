//! Which series there are and which one each span goes to.

use super::random::Random;
use super::workload::{Plan, Workload};

/// Tenants x modules x operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimensions {
    /// Tenants.
    pub tenants: usize,
    /// Modules of each tenant.
    pub modules: usize,
    /// Operations of each module.
    pub operations: usize,
}

/// One series by its place in each dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number of its tenant.
    pub tenant: usize,
    /// Number of its module.
    pub module: usize,
    /// Number of its operation.
    pub operation: usize,
}

impl Dimensions {
    /// The box that holds a plan's series. It stays below the default maxima per tenant (64 modules, 50 operations,
    /// 500 series), but for W6, whose tenants are 64 however many series there are.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        if plan.workload == Workload::W6 {
            let (tenants, modules) = (64, 16);
            return Self { tenants, modules, operations: plan.series.div_ceil(tenants * modules).max(1) };
        }
        let (modules, operations) = match plan.series {
            0..20 => (1, 1),
            20..2_000 => (5, 20),
            2_000..20_000 => (10, 20),
            _ => (20, 20),
        };
        Self { tenants: plan.series.div_ceil(modules * operations).max(1), modules, operations }
    }

    /// Series in all.
    #[must_use]
    pub fn series(&self) -> usize {
        self.tenants * self.modules * self.operations
    }

    /// The series with this number.
    #[must_use]
    pub fn place(&self, series: usize) -> Place {
        Place {
            operation: series % self.operations,
            module: series / self.operations % self.modules,
            tenant: series / self.operations / self.modules % self.tenants,
        }
    }

    /// Settings of the daemon that make room for these series: maxima that would be reached, with a quarter to spare.
    #[must_use]
    pub fn settings(&self) -> Vec<String> {
        let per_tenant = self.modules * self.operations;
        let wanted = [
            ("series.max", self.series(), 20_000),
            ("series.per_tenant_max", per_tenant, 500),
            ("series.tenants_max", self.tenants, 1_000),
            ("series.operations_top", self.operations, 50),
        ];
        let raised = wanted.into_iter().filter(|(_, wanted, default)| *wanted > default / 10 * 9);
        raised
            .flat_map(|(key, wanted, _)| ["--set".to_owned(), format!("aggregator.{key}={}", wanted / 4 * 5)])
            .collect()
    }
}

impl Place {
    /// Its tenant id.
    #[must_use]
    pub fn tenant(&self) -> String {
        format!("tenant-{:05}", self.tenant)
    }

    /// Its module.
    #[must_use]
    pub fn module(&self) -> String {
        format!("module-{:02}", self.module)
    }

    /// Its HTTP method.
    #[must_use]
    pub fn method(&self) -> &'static str {
        ["GET", "POST", "PUT", "DELETE"][self.operation % 4]
    }

    /// Its route.
    #[must_use]
    pub fn route(&self) -> String {
        format!("/api/v1/resource-{:02}/{{id}}", self.operation)
    }

    /// Its operation as the daemon names it (`sli.md` 1.2).
    #[must_use]
    pub fn operation(&self) -> String {
        format!("{} {}", self.method(), self.route())
    }
}

/// Chooses a series for each span.
#[derive(Debug)]
pub struct Chooser {
    /// Series in random order: by number of the span, or by rank.
    order: Vec<u32>,
    /// Running sums of Zipf's weights by rank; empty when all are alike.
    sums: Vec<f64>,
    next: usize,
}

impl Chooser {
    /// A chooser over `series` series.
    #[must_use]
    pub fn new(series: usize, skew: f64, random: &mut Random) -> Self {
        let mut order: Vec<u32> = (0..series as u32).collect();
        random.shuffle(&mut order);
        let mut sum = 0.0;
        let mut weigh = |rank: usize| {
            sum += (rank as f64 + 1.0).powf(-skew);
            sum
        };
        let sums = if skew > 0.0 { (0..series).map(&mut weigh).collect() } else { Vec::new() };
        Self { order, sums, next: 0 }
    }

    /// The next span's series.
    pub fn choose(&mut self, random: &mut Random) -> u32 {
        let place = match self.sums.last() {
            None => {
                self.next += 1;
                (self.next - 1) % self.order.len()
            }
            Some(total) => {
                let at = random.fraction() * total;
                self.sums.partition_point(|sum| *sum <= at).min(self.order.len() - 1)
            }
        };
        self.order[place]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn numbers_and_places_are_one_to_one() {
        let dimensions = Dimensions { tenants: 3, modules: 4, operations: 5 };
        let places: BTreeMap<_, _> = (0..60)
            .map(|series| dimensions.place(series))
            .map(|place| ((place.tenant(), place.module(), place.operation()), ()))
            .collect();
        assert_eq!(places.len(), 60);
    }

    #[test]
    fn round_numbers_of_series_fill_their_box() {
        for series in [1_000, 4_000, 10_000, 100_000] {
            assert_eq!(Dimensions::of(&Plan::headline(series)).series(), series);
        }
    }

    #[test]
    fn only_maxima_that_would_be_reached_are_raised() {
        assert!(Dimensions::of(&Plan::headline(10_000)).settings().is_empty());
        let raised = Dimensions::of(&Plan::headline(100_000)).settings();
        assert_eq!(raised, ["--set", "aggregator.series.max=125000"]);
    }

    #[test]
    fn without_skew_all_series_get_the_same_number_of_spans() {
        let mut random = Random::new(7);
        let mut chooser = Chooser::new(100, 0.0, &mut random);
        let mut counts = [0; 100];
        for _ in 0..1_000 {
            counts[chooser.choose(&mut random) as usize] += 1;
        }
        assert_eq!(counts, [10; 100]);
    }

    #[test]
    fn with_skew_one_the_first_rank_gets_its_harmonic_share() {
        let mut random = Random::new(7);
        let mut chooser = Chooser::new(100, 1.0, &mut random);
        let first = chooser.order[0];
        let hits = (0..100_000).filter(|_| chooser.choose(&mut random) == first).count();
        // 1 / H(100) = 1 / 5.18738 = 0.19278; five standard deviations are 0.0062.
        assert!((18_650..=19_900).contains(&hits), "{hits}");
    }
}
