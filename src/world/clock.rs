//! A worker's own clock: it may be off, run fast or slow, and jump. Its agent reads no other.

use crate::base::Time;
use crate::engine::message::Stamp;

const BILLION: i128 = 1_000_000_000;

/// What a worker's clock shows at each instant.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Clock {
    /// At this instant …
    at: Time,
    /// … it shows this.
    shows: u64,
    /// What it gains, in parts of 10^9; it never stands still.
    gain: i64,
}

impl Clock {
    /// What it shows at `now`, which is not before it was last set.
    #[inline]
    pub(super) fn read(self, now: Time) -> Stamp {
        let elapsed = now.since(self.at).micros();
        if self.gain == 0 {
            return Stamp(self.shows + elapsed); // Nearly every clock, and a division of 128 bits is slow.
        }
        let gained = (i128::from(elapsed) * i128::from(self.gain)).div_euclid(BILLION);
        let shown = i128::from(self.shows) + i128::from(elapsed) + gained;
        Stamp(u64::try_from(shown).expect("a clock within 64 bits"))
    }

    /// The first instant at which it shows `stamp`, not before it was last set.
    #[inline]
    pub(super) fn when(self, stamp: Stamp) -> Time {
        let ahead = stamp.0.saturating_sub(self.shows);
        if self.gain == 0 {
            return Time::from_micros(self.at.micros().saturating_add(ahead));
        }
        let ahead = i128::from(ahead) * BILLION;
        let pace = BILLION + i128::from(self.gain);
        let micros = i128::from(self.at.micros()) + (ahead + pace - 1) / pace;
        Time::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// It jumps, though not below zero, and gains so much from here on.
    pub(super) fn set(&mut self, now: Time, jump_micros: i64, gain: i64) {
        let shows = self.read(now).0.saturating_add_signed(jump_micros);
        *self = Clock { at: now, shows, gain };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_true_clock_shows_the_time() {
        let clock = Clock::default();
        assert_eq!(clock.read(Time::from_secs(7)), Stamp(7_000_000));
        assert_eq!(clock.when(Stamp(7_000_000)), Time::from_secs(7));
    }

    #[test]
    fn the_instant_of_a_stamp_is_the_first_that_shows_it() {
        for gain in [-500_000_000, -200_001, 200_000, 333_333_333] {
            let mut clock = Clock::default();
            clock.set(Time::from_micros(1_000), 500, gain);
            for stamp in [1_501, 2_000, 1_000_003, 77_777_777] {
                let when = clock.when(Stamp(stamp));
                assert!(clock.read(when) >= Stamp(stamp));
                assert!(clock.read(Time::from_micros(when.micros() - 1)) < Stamp(stamp), "{gain} {stamp}");
            }
        }
    }

    #[test]
    fn it_jumps_back_but_not_below_zero() {
        let mut clock = Clock::default();
        clock.set(Time::from_secs(5), -2_000_000, 0);
        assert_eq!(clock.read(Time::from_secs(6)), Stamp(4_000_000));
        clock.set(Time::from_secs(6), -9_000_000, 0);
        assert_eq!(clock.read(Time::from_secs(6)), Stamp(0));
        assert_eq!(clock.when(Stamp(0)), Time::from_secs(6));
    }
}
