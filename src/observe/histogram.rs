//! The distribution of a quantity: exact count, sum and maximum, quantiles to three significant digits. Its memory
//! depends on the range of the values, not on their number.

/// Values below this have a cell of their own, and every doubling above has half as many cells: three digits.
const CELLS: u64 = 2048;
const CELL_BITS: u32 = CELLS.trailing_zeros();

/// A distribution of whole numbers. Values are counted in cells of three digits, those of an HDR histogram.
#[derive(Clone, Default, Debug)]
pub(crate) struct Distribution {
    /// Of 32 bits, so that they stay in a near cache: a run has fewer than 2^32 tasks.
    cells: Vec<u32>,
    count: u64,
    sum: u128,
    max: u64,
}

/// The number of the cell that counts `value`.
#[inline]
fn cell_of(value: u64) -> usize {
    let doublings = u64::from((u64::BITS - (value | (CELLS - 1)).leading_zeros()) - CELL_BITS);
    (doublings * (CELLS / 2) + (value >> doublings)) as usize
}

/// The greatest value that is counted in a cell.
fn greatest_of(cell: usize) -> u64 {
    let cell = cell as u64;
    let doublings = (cell / (CELLS / 2)).saturating_sub(1);
    (cell - doublings * (CELLS / 2)) << doublings | ((1 << doublings) - 1)
}

impl Distribution {
    #[inline(always)]
    pub(crate) fn add(&mut self, value: u64) {
        let cell = cell_of(value);
        match self.cells.get_mut(cell) {
            Some(count) => *count += 1,
            None => self.open(cell),
        }
        self.count += 1;
        self.sum += u128::from(value);
        self.max = self.max.max(value);
    }

    /// The first value beyond all cells.
    #[cold]
    fn open(&mut self, cell: usize) {
        let doublings = cell / (CELLS as usize / 2) + 1;
        self.cells.resize(doublings * (CELLS as usize / 2), 0);
        self.cells[cell] = 1;
    }

    pub(crate) fn merge(&mut self, other: &Distribution) {
        if self.cells.len() < other.cells.len() {
            self.cells.resize(other.cells.len(), 0);
        }
        for (cell, more) in self.cells.iter_mut().zip(&other.cells) {
            *cell += more;
        }
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

    /// The smallest recorded values (to three digits) that these shares of all values do not exceed. The shares rise.
    pub(crate) fn quantiles<const N: usize>(&self, shares: [f64; N]) -> [Option<f64>; N] {
        debug_assert!(shares.is_sorted(), "cells are passed once");
        let mut cells = self.cells.iter().enumerate();
        let (mut cell, mut passed) = (0, 0);
        shares.map(|share| {
            let wanted = ((share * self.count as f64).ceil() as u64).max(1);
            while passed < wanted {
                let (next, count) = cells.next()?;
                (cell, passed) = (next, passed + u64::from(*count));
            }
            Some(greatest_of(cell).min(self.max) as f64)
        })
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mean_and_maximum_are_exact_and_quantiles_have_three_digits() {
        let (mut low, mut high) = (Distribution::default(), Distribution::default());
        (1..=500_000).for_each(|value| low.add(value));
        (500_001..=1_000_000).for_each(|value| high.add(value));
        low.merge(&high);
        assert_eq!(low.mean(), Some(500_000.5));
        assert_eq!(low.max(), Some(1_000_000.0));
        let found = low.quantiles([0.5, 0.95, 0.99]);
        for (found, exact) in found.into_iter().zip([5e5, 9.5e5, 9.9e5]) {
            assert!((found.unwrap() / exact - 1.0).abs() < 1e-3, "{exact}: {found:?}");
        }
        assert_eq!(Distribution::default().quantiles([0.5]), [None]);
    }

    proptest! {
        #[test]
        fn the_cells_are_those_of_a_histogram_of_three_digits(
            values in prop::collection::vec((any::<u64>(), 0u32..64).prop_map(|(bits, shift)| (bits >> shift) / 2), 1..50)
        ) {
            let mut ours = Distribution::default();
            let mut theirs = Histogram::<u64>::new(3).unwrap();
            for value in values {
                prop_assert_eq!(theirs.highest_equivalent(value), greatest_of(cell_of(value)));
                ours.add(value);
                theirs.record(value).unwrap();
            }
            let shares = [0.01, 0.3, 0.5, 0.9, 0.99, 1.0];
            let expected = shares.map(|share| Some(theirs.value_at_quantile(share).min(ours.max) as f64));
            prop_assert_eq!(ours.quantiles(shares), expected);
        }
    }
}
