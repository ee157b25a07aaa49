// The share of jobs, or of runs, that failed. Null where none ended: that is no rate of 0.
import type { JobStatus } from '../../generated/graphql';

interface StatusCount {
  status: JobStatus;
  count: { value: number };
}

/** Of the jobs that succeeded, failed or were dead-lettered. */
export function failureRate(counts: readonly StatusCount[]): number | null {
  const of = (status: JobStatus): number =>
    counts.find((each) => each.status === status)?.count.value ?? 0;
  const failed = of('FAILED') + of('DEAD_LETTER');
  return share(failed, failed + of('SUCCEEDED'));
}

/** Of the runs that succeeded or failed. A dead-lettered job has a failed run before. */
export function failedRuns({ succeeded, failed }: { succeeded: number; failed: number }): number | null {
  return share(failed, failed + succeeded);
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
