//! The distribution of a quantity: exact count, sum and maximum, quantiles to three significant digits. Its memory
//! depends on the range of the values, not on their number.

use hdrhistogram::Histogram;

/// A distribution of whole numbers.
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    histogram: Histogram<u64>,
    count: u64,
    sum: u128,
    max: u64,
}

impl Default for Distribution {
    fn default() -> Self {
        Distribution { histogram: Histogram::new(3).expect("three digits are allowed"), count: 0, sum: 0, max: 0 }
    }
}

impl Distribution {
    pub(crate) fn add(&mut self, value: u64) {
        self.histogram.record(value).expect("the histogram resizes itself");
        self.count += 1;
        self.sum += u128::from(value);
        self.max = self.max.max(value);
    }

    pub(crate) fn merge(&mut self, other: &Distribution) {
        self.histogram.add(&other.histogram).expect("the histogram resizes itself");
        self.count += other.count;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    pub(crate) fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max as f64)
    }

    /// The smallest recorded value (to three digits) that a share `q` of all values does not exceed.
    pub(crate) fn quantile(&self, q: f64) -> Option<f64> {
        (self.count > 0).then(|| self.histogram.value_at_quantile(q).min(self.max) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_maximum_are_exact_and_quantiles_have_three_digits() {
        let (mut low, mut high) = (Distribution::default(), Distribution::default());
        (1..=500_000).for_each(|value| low.add(value));
        (500_001..=1_000_000).for_each(|value| high.add(value));
        low.merge(&high);
        assert_eq!(low.mean(), Some(500_000.5));
        assert_eq!(low.max(), Some(1_000_000.0));
        for (q, exact) in [(0.5, 5e5), (0.95, 9.5e5), (0.99, 9.9e5)] {
            let found = low.quantile(q).unwrap();
            assert!((found / exact - 1.0).abs() < 1e-3, "{q}: {found}");
        }
        assert_eq!(Distribution::default().quantile(0.5), None);
    }
}
