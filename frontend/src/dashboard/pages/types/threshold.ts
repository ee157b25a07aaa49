// Above which run time to look for the slowest jobs, so that few jobs have one.

interface Run {
  count: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** Percentiles of many jobs are within 1 % of the exact ones. */
const TOLERANCE = 0.99;

/** A percentile that at most about fifty jobs exceed, or the 99th; null if there are no jobs. */
export function slowThreshold({ count, p50, p95, p99 }: Run): number | null {
  if (count === 0) return null;
  const percentile = count <= 50 ? 0 : count <= 100 ? p50 : count <= 1_000 ? p95 : p99;
  return percentile === null ? null : percentile * TOLERANCE;
}
