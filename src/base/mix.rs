//! A stateless hash of a seed and keys: the only chance an engine may use. Its seed is handed to it.

/// Mixes `seed` and `keys` into 64 well-spread bits (SplitMix64's finaliser over each key; Steele, Lea, Flood 2014).
///
/// The same arguments give the same bits on every platform, in whatever order the calls come.
pub fn mix(seed: u64, keys: &[u64]) -> u64 {
    keys.iter()
        .fold(finalise(seed.wrapping_add(GOLDEN)), |state, key| finalise(state ^ finalise(key.wrapping_add(GOLDEN))))
}

/// A number below `bound` from mixed bits, by multiplication (Lemire 2019): no bias that matters below 2^32.
///
/// # Panics
/// If `bound` is zero.
pub fn below(bits: u64, bound: u64) -> u64 {
    assert!(bound > 0, "a choice among nothing");
    ((u128::from(bits) * u128::from(bound)) >> 64) as u64
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

fn finalise(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_values_hold_on_every_platform() {
        assert_eq!(mix(0, &[]), 0xE220_A839_7B1D_CDAF);
        assert_eq!(mix(42, &[1, 2]), mix(42, &[1, 2]));
        assert_ne!(mix(42, &[1, 2]), mix(42, &[2, 1]));
        assert_eq!(below(u64::MAX, 7), 6);
        assert_eq!(below(0, 7), 0);
    }
}
