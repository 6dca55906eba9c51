//! Random streams. Each is keyed by everything that names it, so no draw from one ever moves another, and the same name
//! gives the same numbers on every platform.
//!
//! The key is injective: seed, replication, entity and life fill the 32 bytes of a ChaCha key, and the source is the
//! number of ChaCha's stream. Two streams with different names never share a sequence.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// All streams of one replication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Streams {
    seed: u64,
    replication: u64,
}

impl Streams {
    /// The streams of this replication under this root seed.
    pub const fn new(seed: u64, replication: u64) -> Streams {
        Streams { seed, replication }
    }

    /// A stream from its beginning: `source` says what is drawn, `entity` for whom, `life` in which of its lives.
    pub fn open(self, source: u64, entity: u64, life: u64) -> Stream {
        let mut key = [0; 32];
        for (bytes, word) in key.chunks_exact_mut(8).zip([self.seed, self.replication, entity, life]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(source);
        Stream { rng }
    }
}

/// One stream of random numbers. Every method takes exactly one draw of 64 bits.
#[derive(Clone, Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
}

impl Stream {
    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Uniform in (0, 1]: its logarithm is always finite.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 * f64::EPSILON * 0.5
    }

    /// Uniform in (0, 1), neither end included and both alike: for inverse distribution functions.
    #[inline]
    pub fn open_unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) * f64::EPSILON
    }

    /// Uniform in `0 .. n`; 0 for `n = 0`. By multiplication: the bias is below `n / 2^64`.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// True with probability `p`. Draws even where `p` leaves no choice, so that changing `p` moves nothing else.
    #[inline]
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() <= p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_never_change() {
        // Computed by an implementation of ChaCha8 that shares nothing with this one.
        let mut stream = Streams::new(42, 0).open(1, 2, 3);
        let drawn: Vec<u64> = (0..4).map(|_| stream.bits()).collect();
        assert_eq!(
            drawn,
            [
                3_718_979_016_929_530_165,
                13_465_361_486_388_628_962,
                9_077_150_452_744_991_499,
                4_431_706_128_872_531_868
            ]
        );
        let mut other = Streams::new(u64::MAX, 7).open(1 << 40, u64::MAX, 1 << 63);
        assert_eq!(other.bits(), 17_490_235_148_023_088_380);
        let mut mixed = Streams::new(1, 0).open(0, 0, 0);
        assert_eq!(mixed.unit().to_bits(), 0x3fd86a5292683a58);
        assert_eq!(mixed.open_unit().to_bits(), 0x3fd2e016dcbb7542);
        assert_eq!(mixed.below(1_000_000), 798_254);
    }

    #[test]
    fn every_part_of_the_name_makes_another_stream() {
        let mut firsts: Vec<u64> =
            [(1, 0, 0, 0, 0), (0, 1, 0, 0, 0), (0, 0, 1, 0, 0), (0, 0, 0, 1, 0), (0, 0, 0, 0, 1)]
                .into_iter()
                .chain([(0, 0, 0, 0, 0), (1 << 40, 0, 0, 0, 0), (0, 0, 1 << 40, 0, 0), (0, 0, 0, 1 << 63, 0)])
                .map(|(seed, replication, source, entity, life)| {
                    Streams::new(seed, replication).open(source, entity, life)
                })
                .map(|mut stream| stream.bits())
                .collect();
        let named = firsts.len();
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), named);
    }

    #[test]
    fn draws_keep_to_their_bounds() {
        let mut stream = Streams::new(3, 0).open(0, 0, 0);
        for _ in 0..10_000 {
            let unit = stream.unit();
            assert!(unit > 0.0 && unit <= 1.0);
            let open = stream.open_unit();
            assert!(open > 0.0 && open < 1.0);
            assert!(stream.below(7) < 7);
            assert!(stream.chance(1.0) && !stream.chance(0.0));
        }
        assert_eq!(stream.below(0), 0);
        assert!((u64::MAX >> 12) as f64 + 0.5 < 1.0 / f64::EPSILON);
    }

    #[test]
    fn every_method_takes_one_draw() {
        let open = || Streams::new(5, 0).open(0, 0, 0);
        let (mut counted, mut plain) = (open(), open());
        counted.unit();
        counted.open_unit();
        counted.below(10);
        counted.chance(0.0);
        (0..4).for_each(|_| {
            plain.bits();
        });
        assert_eq!(counted.bits(), plain.bits());
    }
}
