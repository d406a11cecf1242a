//! Numbers from where a feature is not: what a number means is how many of these reach it.

/// Scores of what is known not to be the feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Null {
    sorted: Vec<f32>,
}

impl Null {
    /// A null distribution of these scores.
    pub fn new(mut scores: Vec<f32>) -> Self {
        scores.sort_unstable_by(f32::total_cmp);
        Self { sorted: scores }
    }

    /// How many scores it is of.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether it knows nothing.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// How many reach `score`.
    pub fn reaching(&self, score: f32) -> usize {
        self.len() - self.below(score)
    }

    /// How often something that is not the feature reaches `score`; never 0, since only so many were looked at.
    ///
    /// Source: Phipson, Smyth, "Permutation p-values should never be zero" (2010), eq. 2: (b + 1) / (m + 1).
    pub fn false_alarm(&self, score: f32) -> f64 {
        (self.reaching(score) + 1) as f64 / (self.len() + 1) as f64
    }

    /// The share that lies below `score`, from 0 to 1.
    pub fn beaten(&self, score: f32) -> f32 {
        self.below(score) as f32 / self.len().max(1) as f32
    }

    /// How rare `score` would be where the feature is not: 0 up to the middle of what was looked at, 1 where none of it
    /// reaches it, and on from there, the same step for each time that it is as much rarer again.
    ///
    /// Beyond all that was looked at nothing can be counted, so the upper end is taken for an exponential one.
    /// Source: Pickands, "Statistical Inference Using Extreme Order Statistics" (1975): above a high threshold, excesses of
    /// most distributions are near a generalised Pareto one; its shape is 0 here.
    pub fn surprise(&self, score: f32) -> f32 {
        const MIDDLE: f64 = 0.5;
        let most = MIDDLE * (self.len() + 1) as f64;
        if most <= 1.0 {
            return 0.0;
        }
        ((MIDDLE / self.rarity(score)).ln() / most.ln()).max(0.0) as f32
    }

    /// The share of others that reach `score`: counted, and at the upper end estimated.
    fn rarity(&self, score: f32) -> f64 {
        /// Where the upper end begins. Own choice: of some hundred scores ten are left to estimate it by.
        const END: f64 = 0.1;
        let from = ((1.0 - END) * self.len() as f64) as usize;
        let (start, above) = (self.sorted[from], &self.sorted[from..]);
        let excess = above.iter().map(|known| f64::from(known - start)).sum::<f64>();
        let excess = excess / above.len() as f64;
        if score <= start || excess <= 0.0 {
            return self.false_alarm(score);
        }
        let share = above.len() as f64 / self.len() as f64;
        share * (-f64::from(score - start) / excess).exp()
    }

    fn below(&self, score: f32) -> usize {
        self.sorted.partition_point(|known| *known < score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_false_alarm_is_never_impossible() {
        let null = Null::new(vec![0.3, 0.1, 0.2, 0.4]);
        assert_eq!(null.false_alarm(0.5), 0.2);
        assert_eq!(null.false_alarm(0.3), 0.6);
        assert_eq!(null.false_alarm(0.0), 1.0);
        assert_eq!(Null::new(Vec::new()).false_alarm(0.0), 1.0);
    }

    #[test]
    fn surprise_begins_in_the_middle_and_goes_on_beyond_all_that_was_seen() {
        let null = Null::new((0..1000).map(|number| number as f32 / 1000.0).collect());
        let of = |score| null.surprise(score);
        assert_eq!((of(0.0), of(0.5)), (0.0, 0.0));
        let steps = [0.6, 0.8, 0.9, 0.95, 1.0, 1.2, 1.4];
        assert!(steps.windows(2).all(|two| of(two[0]) < of(two[1])), "{steps:?}");
        assert!(of(0.95) < 0.6 && of(1.4) > 1.0);
        let further = (of(1.4) - of(1.2)) / (of(1.2) - of(1.0));
        assert!((further - 1.0).abs() < 1e-3, "even steps: {further}");
        for few in [vec![], vec![0.2], vec![0.2; 50]] {
            assert!(Null::new(few.clone()).surprise(0.1) == 0.0, "{few:?}");
            assert!(Null::new(few).surprise(0.9).is_finite());
        }
    }

    #[test]
    fn what_is_equal_is_not_beaten() {
        let null = Null::new(vec![0.1, 0.2, 0.2, 0.4]);
        assert_eq!((null.beaten(0.2), null.reaching(0.2)), (0.25, 3));
        assert_eq!((null.beaten(1.0), null.reaching(1.0)), (1.0, 0));
        assert_eq!((Null::new(Vec::new()).beaten(1.0), Null::new(Vec::new()).len()), (0.0, 0));
    }
}
