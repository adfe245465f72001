// Ratios of interleaved samples. Absolute times of a shared two-core machine mean little; the ratio
// of two subjects in the same round is what the rows are about. No I/O.

/** Outside this band the A/A control says the machine was too busy to trust the row. */
export const QUIET = [0.85, 1.15];

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Compares each subject with the base, round by round. `samples` is {subject: [{thread, wall}]};
 * `ofMinimums` is the ratio of the best rounds, which the gate uses because it repeats best.
 */
export function compare(samples, base, clock) {
  const bases = samples[base].map((sample) => sample[clock]);
  const result = {};
  for (const [name, rounds] of Object.entries(samples)) {
    const values = rounds.map((sample) => sample[clock]);
    const ratios = values.map((value, round) => value / bases[round]);
    result[name] = {
      absolute: median(values),
      ratio: median(ratios),
      min: Math.min(...ratios),
      max: Math.max(...ratios),
      ofMinimums: Math.min(...values) / Math.min(...bases),
    };
  }
  return result;
}

export const isNoisy = ({ ratio }) => ratio < QUIET[0] || ratio > QUIET[1];
