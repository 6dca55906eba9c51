//! A count and its integral over time, for the price of one addition per change and of none per instant.

use crate::base::Time;

/// A count that changes at instants that never decrease.
///
/// While it stands, its integral grows by the count; so the integral until any later instant is that instant times the
/// count, less the sum of all changes, each times its instant.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Level {
    count: u64,
    /// The sum of all changes, each times its instant in µs, modulo 2^128.
    moment: u128,
}

impl Level {
    #[inline(always)]
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    #[inline(always)]
    pub(crate) fn rise(&mut self, now: Time) {
        self.count += 1;
        self.moment = self.moment.wrapping_add(now.micros().into());
    }

    #[inline(always)]
    pub(crate) fn fall(&mut self, now: Time) {
        self.count -= 1;
        self.moment = self.moment.wrapping_sub(now.micros().into());
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, count: u64, now: Time) {
        if count != self.count {
            let instant = u128::from(now.micros());
            self.moment = self.moment.wrapping_add(instant.wrapping_mul(u128::from(count)));
            self.moment = self.moment.wrapping_sub(instant.wrapping_mul(u128::from(self.count)));
            self.count = count;
        }
    }

    /// The integral from the beginning to `until`, µs, where no change came after that.
    pub(crate) fn area(&self, until: Time) -> u128 {
        (u128::from(self.count) * u128::from(until.micros())).wrapping_sub(self.moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integral_is_that_of_the_steps_whatever_their_order() {
        let at = Time::from_micros;
        let mut level = Level::default();
        assert_eq!(level.area(at(5)), 0);
        level.rise(at(10));
        level.rise(at(10));
        level.fall(at(14));
        level.set(7, at(20));
        level.set(0, at(21));
        assert_eq!((level.count(), level.area(at(21)), level.area(at(1000))), (0, 2 * 4 + 6 + 7, 21));
        level.rise(at(u64::MAX - 1));
        assert_eq!(level.area(at(u64::MAX)), 22);
    }
}
