// Calls back after events of jobs, at most once in an interval: for figures that the events change.
import { useSubscription } from '../data/live';
import { type JobFilter, PulseDocument } from '../generated/graphql';
import { useThrottled } from './use-throttled';

const EVERY_MS = 5_000;

export function usePulse(onEvents: () => void, job: JobFilter | null = null): void {
  const later = useThrottled(onEvents, EVERY_MS);
  useSubscription(PulseDocument, { filter: job === null ? null : { job } }, later);
}
