//! How long things take: from sending to answer, over all and by method, and from creation to sending. Constant time for each call.

use super::sketch::{bucket_of, Sketch};
use super::{MethodMetrics, Summary};
use crate::time::Duration;
use crate::wire::Method;

/// Methods beyond this number are counted in the whole only: an application that invents names costs no memory.
const METHODS: usize = 256;
/// RFC 3550, 6.4.1: a sixteenth of each difference.
const JITTER_GAIN: f64 = 1.0 / 16.0;

/// The spans of one client.
#[derive(Debug, Default)]
pub(crate) struct Timing {
    latency: Sketch,
    last: Option<Duration>,
    /// In microseconds.
    jitter: f64,
    waits: Sketch,
    /// Microseconds, and of how many.
    waits_of: [(u64, u32); 4],
    methods: Vec<PerMethod>,
}

#[derive(Debug, Default)]
struct PerMethod {
    count: u64,
    errors: u64,
    latency: Sketch,
}

impl Timing {
    /// A request was answered.
    pub(crate) fn on_answer(&mut self, method: Method, latency: Duration) {
        if let Some(last) = self.last {
            let difference = last.as_micros().abs_diff(latency.as_micros());
            self.jitter += (difference as f64 - self.jitter) * JITTER_GAIN;
        }
        self.last = Some(latency);
        let at = bucket_of(latency);
        self.latency.record_at(at, latency);
        if let Some(own) = self.of(method) {
            own.latency.record_at(at, latency);
        }
    }

    /// A call left the queue for the wire.
    pub(crate) fn on_sent(&mut self, priority: u8, waited: Duration) {
        self.waits.record(waited);
        if let Some((sum, count)) = self.waits_of.get_mut(usize::from(priority.min(3))) {
            *sum = sum.saturating_add(waited.as_micros());
            *count = count.saturating_add(1);
        }
    }

    /// A call is settled.
    pub(crate) fn on_settled(&mut self, method: Method, well: bool) {
        if let Some(own) = self.of(method) {
            own.count += 1;
            own.errors += u64::from(!well);
        }
    }

    /// The time from sending to answer.
    pub(crate) fn latency(&self) -> Summary {
        Summary { jitter: self.jitter / 1000.0, ..summary(&self.latency) }
    }

    /// That of the last answer, in milliseconds.
    pub(crate) fn last_latency(&self) -> Option<f64> {
        self.last.map(Duration::as_millis)
    }

    /// The time in the queue.
    pub(crate) fn queue_wait(&self) -> Summary {
        summary(&self.waits)
    }

    /// Its mean by priority, in milliseconds.
    pub(crate) fn queue_wait_of(&self) -> [f64; 4] {
        self.waits_of.map(|(sum, count)| if count == 0 { 0.0 } else { sum as f64 / f64::from(count) / 1000.0 })
    }

    /// The methods that were called.
    pub(crate) fn methods(&self) -> impl Iterator<Item = MethodMetrics> + '_ {
        (0u32..).zip(&self.methods).filter(|(_, own)| own.count > 0).map(|(index, own)| MethodMetrics {
            method: Method::from_index(index),
            count: own.count,
            errors: own.errors,
            average_latency: own.latency.mean(),
            p95: own.latency.quantile(0.95),
        })
    }

    fn of(&mut self, method: Method) -> Option<&mut PerMethod> {
        let at = method.index() as usize;
        if at < METHODS && self.methods.len() <= at {
            self.grow(at + 1);
        }
        self.methods.get_mut(at)
    }

    /// Apart from the look at one, which each call takes twice.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, methods: usize) {
        self.methods.resize_with(methods, PerMethod::default);
    }
}

fn summary(sketch: &Sketch) -> Summary {
    Summary {
        samples: sketch.samples(),
        mean: sketch.mean(),
        p50: sketch.quantile(0.5),
        p95: sketch.quantile(0.95),
        p99: sketch.quantile(0.99),
        max: sketch.max(),
        jitter: 0.0,
    }
}
