// The forecast of the cluster's core with its public names. It forecasts nothing itself.

import type { ClusterForecast, ForecastPoint } from "./types-cluster.js";

/** Reads the numbers of src/bindings/cluster/told.rs; `nameOf` names a node. */
export function forecastOf(numbers: readonly number[], nameOf: (node: number) => string): ClusterForecast {
  const [bin = 0, observed = 0, needed = NaN] = numbers;
  const byNode: [string, ForecastPoint[]][] = [];
  let total: ForecastPoint[] = [];
  for (let at = 3; at < numbers.length; ) {
    const [whose, count] = [numbers[at]!, numbers[at + 1]!];
    at += 2;
    const points = Array.from({ length: count }, (_, point) => {
      const [after, rate, low, high] = numbers.slice(at + 4 * point) as [number, number, number, number];
      return { after, rate, low, high };
    });
    at += 4 * count;
    if (Number.isNaN(whose)) total = points;
    else byNode.push([nameOf(whose), points]);
  }
  return { bin, observed, total, byNode: Object.fromEntries(byNode), nodesNeeded: Number.isNaN(needed) ? null : needed };
}
