//! How often something is done, and how long each time took.

use std::time::{Duration, Instant};

use crate::cli::Bench;
use crate::interrupt;

/// Repeats of one thing: at least so many, more while there is time, at most so many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    least: usize,
    most: usize,
    budget: Duration,
}

impl Clock {
    /// As often as was asked for.
    pub(super) fn new(words: &Bench) -> Self {
        match words.repeats {
            Some(repeats) => Self { least: repeats, most: repeats, budget: Duration::ZERO },
            None if words.quick => Self { least: 2, most: 20, budget: Duration::from_millis(700) },
            None => Self { least: 3, most: 50, budget: Duration::from_millis(2500) },
        }
    }

    /// Times `work`, after once that does not count.
    pub(super) fn time(
        self,
        mut work: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Times> {
        work()?;
        let (began, mut seconds) = (Instant::now(), Vec::new());
        let enough = |done: usize| {
            done >= self.most || (done >= self.least && began.elapsed() >= self.budget)
        };
        while !enough(seconds.len()) {
            let start = Instant::now();
            work()?;
            seconds.push(start.elapsed().as_secs_f64());
            if interrupt::asked() {
                break;
            }
        }
        Ok(Times::new(seconds))
    }
}

/// How long each repeat took, shortest first; at least one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Times(Vec<f64>);

impl Times {
    /// In any order.
    ///
    /// # Panics
    /// When there are none.
    pub(super) fn new(mut seconds: Vec<f64>) -> Self {
        assert!(!seconds.is_empty(), "a time");
        seconds.sort_by(f64::total_cmp);
        Self(seconds)
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn shortest(&self) -> f64 {
        self.0[0]
    }

    pub(super) fn longest(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    /// The one in the middle, or the mean of the two there.
    pub(super) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        if self.0.len().is_multiple_of(2) {
            f64::midpoint(self.0[middle - 1], self.0[middle])
        } else {
            self.0[middle]
        }
    }

    /// The time that this share of all took at most.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let place = (share * self.0.len() as f64).ceil() as usize;
        self.0[place.clamp(1, self.0.len()) - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle() {
        assert_eq!(Times::new(vec![3.0, 1.0, 2.0]).median(), 2.0);
        assert_eq!(Times::new(vec![4.0, 1.0, 2.0, 3.0]).median(), 2.5);
    }

    #[test]
    fn a_quantile_is_one_of_the_times() {
        let times = Times::new((1..=100).map(f64::from).collect());
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|q| times.quantile(q)), [1.0, 50.0, 99.0, 100.0]);
    }

    #[test]
    fn work_is_done_once_more_than_it_is_timed() {
        let clock = Clock { least: 2, most: 2, budget: Duration::ZERO };
        let mut done = 0;
        let times = clock
            .time(|| {
                done += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!((done, times.count()), (3, 2));
    }
}
