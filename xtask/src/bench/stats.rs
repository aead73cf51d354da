//! Figures from samples.

/// The middle of the samples.
///
/// # Panics
/// When there are none.
pub fn median(samples: &[f64]) -> f64 {
    quantile(samples, 0.5)
}

/// The quantile `q` (0–1), interpolated between the samples beside it.
///
/// Source: Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), type 7.
///
/// # Panics
/// When there are no samples.
pub fn quantile(samples: &[f64], q: f64) -> f64 {
    assert!(!samples.is_empty(), "a quantile of no samples");
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = q * (sorted.len() - 1) as f64;
    let (below, above) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    below + (above - below) * place.fract()
}

/// A figure and where it lies with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The figure itself.
    pub middle: f64,
    /// The upper end.
    pub high: f64,
}

/// How many times `of` is of `to`, from pairs measured side by side: the geometric mean of their
/// ratios, with a percentile bootstrap over the pairs. The same pairs give the same interval.
///
/// # Panics
/// When there are no pairs.
pub fn ratio(pairs: &[(f64, f64)]) -> Interval {
    let logs: Vec<f64> = pairs.iter().map(|(of, to)| (of / to).ln()).collect();
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let means: Vec<f64> = (0..RESAMPLES)
        .map(|_| mean((0..logs.len()).map(|_| logs[draw.below(logs.len())])))
        .collect();
    Interval {
        low: quantile(&means, 0.025).exp(),
        middle: mean(logs.iter().copied()).exp(),
        high: quantile(&means, 0.975).exp(),
    }
}

const RESAMPLES: usize = 10_000;

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// Numbers that look random.
///
/// Source: Vigna, "An experimental exploration of Marsaglia's xorshift generators" (2016), xorshift64*.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        (drawn % end as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_samples() {
        for (samples, q, expected) in [
            (vec![3.0], 0.95, 3.0),
            (vec![4.0, 1.0], 0.5, 2.5),
            (vec![1.0, 2.0, 3.0, 4.0, 5.0], 0.95, 4.8),
            (vec![1.0, 2.0, 3.0], 0.0, 1.0),
            (vec![1.0, 2.0, 3.0], 1.0, 3.0),
        ] {
            let got = quantile(&samples, q);
            assert!((got - expected).abs() < 1e-9, "{samples:?} {q}: {got}");
        }
    }

    #[test]
    fn equal_pairs_have_a_ratio_without_width() {
        let interval = ratio(&[(3.0, 2.0), (1.5, 1.0), (30.0, 20.0)]);
        for value in [interval.low, interval.middle, interval.high] {
            assert!((value - 1.5).abs() < 1e-9, "{interval:?}");
        }
    }

    #[test]
    fn noisy_pairs_have_their_true_ratio_inside_the_interval() {
        let noise = [0.9, 1.1, 0.95, 1.05, 1.0, 0.97, 1.03, 1.08, 0.92, 1.0];
        let pairs: Vec<_> = noise.iter().map(|noise| (2.0 * noise, 1.0)).collect();
        let interval = ratio(&pairs);
        assert!(interval.low < 2.0 && 2.0 < interval.high, "{interval:?}");
        assert!(interval.low > 1.85 && interval.high < 2.15, "{interval:?}");
    }
}
