//! The learning rate of each step.

use crate::config::{OptimizerConfig, Schedule};

/// The rate of `step` (from 0) out of `steps`: a linear rise, then the fall that the config names.
///
/// The first step already has a rate above zero, and the last one too.
pub fn learning_rate(config: &OptimizerConfig, step: usize, steps: usize) -> f32 {
    let warmup = (config.warmup * steps as f32).round();
    let done = step as f32 + 1.0;
    if done <= warmup {
        return config.learning_rate * done / warmup;
    }
    let share = (done - warmup) / (steps as f32 - warmup + 1.0);
    config.learning_rate
        * match config.schedule {
            Schedule::Cosine => 0.5 * (1.0 + (std::f32::consts::PI * share).cos()),
            Schedule::Linear => 1.0 - share,
            Schedule::Constant => 1.0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: Schedule) -> Vec<f32> {
        let config = OptimizerConfig {
            learning_rate: 1.0,
            warmup: 0.2,
            schedule,
            ..OptimizerConfig::default()
        };
        (0..10).map(|step| learning_rate(&config, step, 10)).collect()
    }

    #[test]
    fn the_rate_rises_to_the_top_and_falls_without_reaching_zero() {
        for schedule in [Schedule::Cosine, Schedule::Linear] {
            let rates = rates(schedule);
            assert_eq!((rates[0], rates[1]), (0.5, 1.0));
            assert!(rates[1..].windows(2).all(|pair| pair[0] > pair[1]));
            assert!(rates[9] > 0.0);
        }
        assert_eq!(rates(Schedule::Constant)[2..], [1.0; 8]);
    }

    #[test]
    fn without_warmup_the_first_rate_is_near_the_top() {
        let config =
            OptimizerConfig { learning_rate: 1.0, warmup: 0.0, ..OptimizerConfig::default() };
        assert!(learning_rate(&config, 0, 100) > 0.99);
        assert!(learning_rate(&config, 0, 1) > 0.0);
    }
}
