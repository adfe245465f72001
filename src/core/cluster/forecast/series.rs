//! One series of counts: its past and what follows from it. It knows bins, no clock and no nodes.
//!
//! The past is a ring of logarithms over the longest season. For each distance ahead there is an autoregression on recent and seasonal
//! values, fitted by recursive least squares (Ljung, System Identification, 11.2), and Holt's damped trend (Gardner and McKenzie, 1985), which
//! needs no past; the one that erred less of late speaks. The interval are running quantiles of what was erred (online quantile tracking,
//! as in Gibbs and Candes, Adaptive Conformal Inference, 2021).

use std::collections::VecDeque;

/// Distances of the forecasts, in bins.
pub(super) const AHEAD: [usize; 2] = [1, 12];
pub(super) const FARTHEST: usize = 12;
/// A season of more bins than this, a week of five-minute bins, is not looked back to.
pub(super) const LONGEST: usize = 2_016;
/// So many bins are kept: a season and what is looked at around it. Less than 2,048, to which the ring grows: 8 KB.
const KEPT: usize = LONGEST + 2 * FARTHEST;
/// Before so many bins nothing is foretold.
const FEWEST: u32 = 3;
/// Share of the errors that fall below the lower and above the upper bound.
const OUTSIDE: f64 = 0.05;

/// The past of one rate, in logarithms, and what follows from it.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    /// Newest first.
    past: VecDeque<f32>,
    seen: u32,
    holt: Holt,
    ways: [Way; 2],
}

impl Series {
    /// A bin is over. `seasons`: bins to a day and to a week, 0 where that is not looked back to.
    pub(super) fn push(&mut self, count: u32, seasons: [usize; 2]) {
        // Not `ln_1p`, nor `exp_m1` on the way back: counts are whole, and both are 1 KB of module for digits that nobody sees.
        let value = (1.0 + f64::from(count)).ln();
        let Self { past, seen, holt, ways } = self;
        for (way, ahead) in ways.iter_mut().zip(AHEAD) {
            if let Some(then) = past.get(ahead - 1) {
                way.learn(features(past, ahead - 1, ahead, seasons), f64::from(*then), value);
            }
        }
        past.push_front(value as f32);
        past.truncate(KEPT);
        *seen = seen.saturating_add(1);
        holt.push(value);
        for (way, ahead) in ways.iter_mut().zip(AHEAD) {
            way.foretell(features(past, 0, ahead, seasons), value, holt.at(ahead), ahead);
        }
    }

    /// The logarithm of the count foretold for each of [`AHEAD`], and what nine of ten errors lie between; `None` before a few bins.
    pub(super) fn foretold(&self) -> Option<[(f64, [f64; 2]); 2]> {
        let told = |way: &Way| (way.better(way.open.front().copied().unwrap_or_default()), [way.low, way.high]);
        (self.seen >= FEWEST).then(|| self.ways.each_ref().map(told))
    }
}

/// Logarithms beyond this are none of counts.
pub(super) const HIGHEST: f64 = 23.0;

const WIDTH: usize = 8;
type Row = [f64; WIDTH];

/// A rate that differs from another by more than this factor's logarithm tells of an outage, and no more than one of exactly so much.
const OUTAGE: f64 = 1.0;

/// What an autoregression `ahead` bins ahead goes by, as of `ago` bins ago: all of it are differences, which are small and near zero on
/// average, so that no weight at all means "as it is now", and what is not there yet (a season that was not seen) is 0.
fn features(past: &VecDeque<f32>, ago: usize, ahead: usize, seasons: [usize; 2]) -> Row {
    let at = |back: usize| past.get(ago + back).copied().map(f64::from);
    let mean = |from: usize, bins: usize| -> Option<f64> {
        let sum = (from..from + bins).map(at).sum::<Option<f64>>()?;
        Some(sum / bins as f64)
    };
    let now = at(0).unwrap_or_default();
    let of = |value: Option<f64>| value.map_or(0.0, |value| value - now);
    let [day, week] = seasons.map(|bins| {
        let around = |back: usize| mean(back.checked_sub(1)?, 3);
        let then = around(bins.checked_sub(ahead)?)?;
        Some((then, then - mean(bins, 6)?))
    });
    let level = |season: Option<(f64, f64)>| of(season.map(|(then, _)| then));
    let slope = |season: Option<(f64, f64)>| season.map_or(0.0, |(_, slope)| slope);
    let row = [0.1, of(at(1)), of(mean(0, 3)), of(mean(0, 6)), level(day), slope(day), level(week), slope(week)];
    row.map(|difference| difference.clamp(-OUTAGE, OUTAGE))
}

/// Holt's linear trend, damped.
#[derive(Clone, Debug, Default)]
struct Holt {
    level: Option<f64>,
    trend: f64,
}

const ALPHA: f64 = 0.5;
const BETA: f64 = 0.1;
const DAMPED: f64 = 0.9;

impl Holt {
    fn push(&mut self, value: f64) {
        let Some(level) = self.level else {
            self.level = Some(value);
            return;
        };
        let expected = level + DAMPED * self.trend;
        let next = expected + ALPHA * (value - expected);
        self.trend = BETA * (next - level) + (1.0 - BETA) * DAMPED * self.trend;
        self.level = Some(next);
    }

    fn at(&self, ahead: usize) -> f64 {
        let damped: f64 = (1..=ahead).map(|n| DAMPED.powi(n as i32)).sum();
        self.level.unwrap_or_default() + damped * self.trend
    }
}

/// The forecasts for one distance.
#[derive(Clone, Debug)]
struct Way {
    weights: Row,
    /// The inverse of the features' covariance.
    spread: [Row; WIDTH],
    /// What was told and is not true yet, oldest last: by the autoregression, by Holt.
    open: VecDeque<[f64; 2]>,
    /// Means of the absolute errors of both, of late, and how many there were.
    erred: [f64; 2],
    learnt: u32,
    /// What the spoken forecasts err by lies between these in nine of ten bins.
    low: f64,
    high: f64,
}

/// Weight of a fit that is one bin older, and of an error.
const FORGETS: f64 = 0.9998;
const LATELY: f64 = 0.01;
/// Where the covariance starts, and the trace from which it does not grow any more: what never varies teaches nothing.
const UNSURE: f64 = 1.0;
const MOST_UNSURE: f64 = 1_000.0;
/// An error of so many mean errors teaches no more than one of exactly so many: a burst is no trend (Huber).
const SURPRISE: f64 = 3.0;
/// By how much of the mean error a quantile moves.
const STEP: f64 = 0.05;
/// Of so few errors there are no quantiles: the bounds are then those of a normal distribution (1.645 deviations are 2.06 mean errors), and
/// wider the fewer. Of none: half to double.
const FEW: u32 = 50;
const NINE_OF_TEN: f64 = 2.06;
const BLIND: f64 = core::f64::consts::LN_2;

impl Default for Way {
    fn default() -> Self {
        let mut spread = [Row::default(); WIDTH];
        spread.iter_mut().enumerate().for_each(|(i, row)| row.iter_mut().skip(i).take(1).for_each(|x| *x = UNSURE));
        Self {
            weights: Row::default(),
            spread,
            open: VecDeque::new(),
            erred: [0.0; 2],
            learnt: 0,
            low: -BLIND,
            high: BLIND,
        }
    }
}

impl Way {
    fn foretell(&mut self, row: Row, now: f64, holt: f64, ahead: usize) {
        self.open.push_front([now + dot(&self.weights, &row), holt].map(|log| log.clamp(0.0, HIGHEST)));
        self.open.truncate(ahead);
    }

    /// `value` came true; `row` and `then` are what was known when it was foretold.
    fn learn(&mut self, row: Row, then: f64, value: f64) {
        if let Some(told) = self.open.back().copied() {
            self.judge(told, value);
        }
        let spread = self.spread.map(|line| dot(&line, &row));
        let bend = SURPRISE * self.erred[0].max(0.01);
        let error = (value - then - dot(&self.weights, &row)).clamp(-bend, bend);
        let gain = spread.map(|x| x / (FORGETS + dot(&row, &spread)));
        let trace: f64 = self.spread.iter().enumerate().filter_map(|(i, line)| line.get(i)).sum();
        let forgets = if trace < MOST_UNSURE { FORGETS } else { 1.0 };
        for ((weight, line), gain) in self.weights.iter_mut().zip(&mut self.spread).zip(gain) {
            *weight += gain * error;
            line.iter_mut().zip(spread).for_each(|(x, y)| *x = (*x - gain * y) / forgets);
        }
        if !dot(&self.weights, &self.weights).is_finite() || !trace.is_finite() || trace < 0.0 {
            *self = Self { open: core::mem::take(&mut self.open), ..Self::default() };
        }
    }

    /// What was `told` turns out to be `value`: who errs less, and by how much in nine of ten bins.
    fn judge(&mut self, told: [f64; 2], value: f64) {
        let error = value - self.better(told);
        self.learnt = self.learnt.saturating_add(1);
        let learnt = f64::from(self.learnt);
        for (erred, told) in self.erred.iter_mut().zip(told) {
            *erred += LATELY.max(1.0 / learnt) * ((value - told).abs() - *erred);
        }
        let mean = self.better(self.erred);
        if self.learnt < FEW {
            self.high = NINE_OF_TEN * mean * (1.0 + 5.0 / learnt);
            self.low = -self.high;
            return;
        }
        // In the long run the wished share of errors lies beyond each.
        self.high += STEP * mean * if error > self.high { 1.0 - OUTSIDE } else { -OUTSIDE };
        self.low -= STEP * mean * if error < self.low { 1.0 - OUTSIDE } else { -OUTSIDE };
    }

    /// Of what the two say, that of who erred less.
    fn better(&self, [own, holt]: [f64; 2]) -> f64 {
        if self.erred[0] < self.erred[1] {
            own
        } else {
            holt
        }
    }
}

fn dot(a: &Row, b: &Row) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
