//! The distributions of queueing theory, drawn from the core's seeded generator. Nothing here knows what the numbers are for.

use bowline_core::{Duration, Rng};

/// How long a node works on one call.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Exponential, with this mean in milliseconds: what the closed forms are about.
    Exponential(f64),
    /// Log-normal with sigma 1 and this mean in milliseconds: what servers look like; one call in a hundred takes six times the mean.
    LogNormal(f64),
}

impl Work {
    /// One draw.
    pub fn draw(self, rng: &mut Rng) -> f64 {
        match self {
            Self::Exponential(mean) => exponential(rng, mean),
            // The mean of exp(N(m, 1)) is exp(m + 1/2).
            Self::LogNormal(mean) => mean * (normal(rng) - 0.5).exp(),
        }
    }

    /// The mean of all draws, in milliseconds.
    #[must_use]
    pub fn mean(self) -> f64 {
        match self {
            Self::Exponential(mean) | Self::LogNormal(mean) => mean,
        }
    }
}

/// The time to the next of independent events (a Poisson process) that come so many to a second.
pub fn gap(rng: &mut Rng, per_second: f64) -> Duration {
    Duration::from_millis_f64(exponential(rng, 1000.0 / per_second))
}

fn exponential(rng: &mut Rng, mean: f64) -> f64 {
    // unit() is below 1, so its complement is above 0 and has a logarithm.
    -(1.0 - rng.unit()).ln() * mean
}

/// Box and Muller, 1958; the second of the pair is not kept, so that a draw costs the same each time.
fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.unit()).ln()).sqrt();
    radius * (core::f64::consts::TAU * rng.unit()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 200_000;

    fn mean(work: Work) -> f64 {
        let mut rng = Rng::seeded(3);
        (0..DRAWS).map(|_| work.draw(&mut rng)).sum::<f64>() / f64::from(DRAWS)
    }

    #[test]
    fn the_mean_of_the_draws_is_the_mean_that_was_asked_for() {
        for work in [Work::Exponential(20.0), Work::LogNormal(20.0)] {
            let found = mean(work);
            assert!((found - 20.0).abs() < 0.3, "{work:?}: {found}");
        }
    }

    #[test]
    fn one_log_normal_draw_in_a_hundred_is_six_times_the_mean() {
        let mut rng = Rng::seeded(4);
        let long = (0..DRAWS).filter(|_| Work::LogNormal(1.0).draw(&mut rng) > 6.21).count();
        let share = long as f64 / f64::from(DRAWS);
        assert!((share - 0.01).abs() < 0.001, "{share}");
    }
}
