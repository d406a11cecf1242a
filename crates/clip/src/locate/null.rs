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
    fn what_is_equal_is_not_beaten() {
        let null = Null::new(vec![0.1, 0.2, 0.2, 0.4]);
        assert_eq!((null.beaten(0.2), null.reaching(0.2)), (0.25, 3));
        assert_eq!((null.beaten(1.0), null.reaching(1.0)), (1.0, 0));
        assert_eq!((Null::new(Vec::new()).beaten(1.0), Null::new(Vec::new()).len()), (0.0, 0));
    }
}
