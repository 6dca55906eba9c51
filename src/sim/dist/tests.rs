use super::super::Streams;
use super::*;

fn micros(value: u64) -> Span {
    Span::from_micros(value)
}

fn one_of_each() -> Vec<Dist> {
    vec![
        Dist::Constant(micros(7)),
        Dist::Uniform { min: micros(1_000), max: micros(3_000_000) },
        Dist::Exponential { mean: 1_234_567.8 },
        Dist::Lognormal { mean: 2e6, cv: 1.5 },
        Dist::Erlang { shape: 40, mean: 5e6 },
        Dist::Weibull { shape: 0.7, mean: 3e6 },
        Dist::Weibull { shape: 3.0, mean: 3e6 },
        Dist::Pareto { shape: 1.5, min: 1e5, cap: 1e7 },
        Dist::Pareto { shape: 1.0, min: 1e5, cap: 1e7 },
        Dist::Pareto { shape: 2.0, min: 1e5, cap: 1e7 },
        Dist::Empirical([1, 5, 1_000_000].map(micros).into()),
    ]
}

#[test]
fn halves_are_rounded_up_and_nothing_is_longer_than_the_longest() {
    for (micros, whole) in [(0.0, 0), (0.49, 0), (0.5, 1), (2.5, 3), (1e15 + 0.25, 1_000_000_000_000_000)] {
        assert_eq!(rounded(micros).micros(), whole);
    }
    for micros in [1e300, f64::INFINITY, f64::NAN] {
        assert_eq!(rounded(micros).micros(), 1 << 53);
    }
}

#[test]
fn the_variates_never_change() {
    let drawn: Vec<u64> = one_of_each()
        .iter()
        .enumerate()
        .map(|(number, dist)| dist.sample(&mut Streams::new(42, 0).open(9, number as u64, 0)).micros())
        .collect();
    // Computed by other means than this code: another ChaCha8, logarithm, gamma and normal quantile.
    assert_eq!(
        drawn,
        [7, 2_164_006, 469_944, 1_143_455, 5_456_702, 7_775_537, 3_073_550, 150_945, 186_410, 377_990, 1]
    );
}

#[test]
fn every_variate_takes_as_many_draws_as_it_says() {
    for dist in one_of_each() {
        let open = || Streams::new(1, 0).open(0, 0, 0);
        let (mut sampled, mut plain) = (open(), open());
        for _ in 0..100 {
            dist.sample(&mut sampled);
            (0..dist.draws()).for_each(|_| {
                plain.bits();
            });
        }
        assert_eq!(sampled.bits(), plain.bits(), "{dist:?}");
    }
}

#[test]
fn sample_means_and_variances_are_those_of_the_formulas() {
    const SAMPLES: u32 = 200_000;
    for (number, dist) in one_of_each().iter().enumerate() {
        let mut stream = Streams::new(2, 0).open(0, number as u64, 0);
        let values: Vec<f64> = (0..SAMPLES).map(|_| dist.sample(&mut stream).micros() as f64).collect();
        let mean = values.iter().sum::<f64>() / f64::from(SAMPLES);
        let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(SAMPLES);
        let cv2 = dist.cv2().unwrap();
        let deviation = dist.mean() * libm::sqrt(cv2 / f64::from(SAMPLES));
        assert!((mean - dist.mean()).abs() <= 4.0 * deviation, "{dist:?}: mean {mean}, not {}", dist.mean());
        let sampled_cv2 = variance / (mean * mean);
        assert!((sampled_cv2 - cv2).abs() <= 0.1 * cv2, "{dist:?}: cv² {sampled_cv2}, not {cv2}");
    }
}

#[test]
fn moments_that_do_not_exist_are_none() {
    assert_eq!(Dist::Pareto { shape: 1.5, min: 1.0, cap: f64::INFINITY }.cv2(), None);
    assert!((Dist::Pareto { shape: 3.0, min: 1.0, cap: f64::INFINITY }.mean() - 1.5).abs() < 1e-12);
    assert!((Dist::Pareto { shape: 3.0, min: 1.0, cap: f64::INFINITY }.cv2().unwrap() - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(Dist::Constant(Span::ZERO).cv2(), Some(0.0));
    assert_eq!(Dist::Uniform { min: Span::ZERO, max: Span::ZERO }.cv2(), Some(0.0));
}

#[test]
fn a_monstrous_variate_is_cut_off_before_time_overflows() {
    let mut stream = Streams::new(1, 0).open(0, 0, 0);
    let longest = (0..1000).map(|_| Dist::Weibull { shape: 0.02, mean: 1e15 }.sample(&mut stream)).max();
    assert!(longest <= Some(micros(1 << 53)));
}

#[test]
fn the_inverse_normal_agrees_with_tabled_values() {
    for (p, x) in [
        (0.5, 0.0),
        (0.25, -0.674_489_750_196_081_7),
        (0.975, 1.959_963_984_540_054),
        (0.001, -3.090_232_306_167_813),
        (1e-20, -9.262_340_089_798_408),
    ] {
        assert!((inverse_normal(p) - x).abs() < 1e-12, "{p}: {}", inverse_normal(p));
    }
}

#[test]
fn things_are_picked_by_their_popularity() {
    const SAMPLES: u32 = 200_000;
    for picker in [Picker::uniform(7), Picker::zipf(50, 1.1), Picker::zipf(1, 2.0), Picker::zipf(9, 0.0)] {
        let mut stream = Streams::new(3, 0).open(0, u64::from(picker.count), 0);
        let mut counts = vec![0u32; picker.count as usize];
        (0..SAMPLES).for_each(|_| counts[picker.pick(&mut stream) as usize] += 1);
        let total: f64 = (0..picker.count).map(|k| picker.share(k)).sum();
        assert!((total - 1.0).abs() < 1e-12);
        for (k, count) in counts.iter().enumerate() {
            let share = picker.share(k as u32);
            let deviation = libm::sqrt(share * (1.0 - share) / f64::from(SAMPLES));
            let seen = f64::from(*count) / f64::from(SAMPLES);
            assert!((seen - share).abs() <= 4.5 * deviation + 1e-12, "{k}: {seen}, not {share}");
        }
    }
}

#[test]
fn the_picks_never_change() {
    let picker = Picker::zipf(1000, 0.9);
    let mut stream = Streams::new(42, 0).open(9, 0, 0);
    let picks: Vec<u32> = (0..8).map(|_| picker.pick(&mut stream)).collect();
    assert_eq!(picks, [348, 237, 913, 53, 33, 625, 563, 26]);
}
