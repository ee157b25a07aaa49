// The part of jobs that have ended, from 0 to 1.
import type { JobStatus } from '../../generated/graphql';

interface StatusCount {
  status: JobStatus;
  count: { value: number };
}

export function fractionDone(counts: readonly StatusCount[]): number {
  const all = counts.reduce((sum, { count }) => sum + count.value, 0);
  const open = counts
    .filter(({ status }) => status === 'QUEUED' || status === 'RUNNING')
    .reduce((sum, { count }) => sum + count.value, 0);
  return all === 0 ? 0 : (all - open) / all;
}
