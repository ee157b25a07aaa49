// A bulk act: first what it would do, then the doing, a thousand jobs at a time, until it is stopped.
import { send } from '../../../data/client';
import {
  type BulkSampleFragment,
  CancelManyDocument,
  DeleteManyDocument,
  type JobFilter,
  JobsCountDocument,
  type JobStatus,
  RetryManyDocument,
  type SkipReason,
} from '../../../generated/graphql';
import type { Count } from '../../../text/text';

export type BulkAct = 'retry' | 'cancel' | 'delete';

export interface Outcome {
  matched: Count;
  changed: number;
  skipped: number;
  skips: readonly { reason: SkipReason; status: JobStatus; count: number }[];
  samples: readonly BulkSampleFragment[];
}

/** What the act is of: the set is pinned to what was seen at `asOf`. */
export interface Target {
  filter: JobFilter;
  asOf: string;
}

const CHUNK = 1_000;

const FROM: Record<BulkAct, JobStatus[]> = {
  retry: ['FAILED', 'CANCELED', 'DEAD_LETTER'],
  cancel: ['QUEUED', 'RUNNING', 'FAILED'],
  delete: ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'DEAD_LETTER'],
};

export interface Preview {
  /** How many jobs match and have a status that the act is for. */
  count: Count;
  /** What would be done with the newest of them, a thousand at most. */
  outcome: Outcome;
}

/** Asks what the act would do. */
export async function preview(act: BulkAct, target: Target): Promise<Preview> {
  const filter = pinned(act, target);
  const asked = { filter, asOf: target.asOf, limit: CHUNK, reason: null, dryRun: true };
  const [{ jobs }, outcome] = await Promise.all([send(JobsCountDocument, { filter }), ask(act, asked)]);
  return { count: jobs.count, outcome };
}

/** The jobs as they were seen that have a status which the act can change. */
export function pinned(act: BulkAct, { filter, asOf }: Target): JobFilter {
  return { and: [filter, { status: FROM[act] }, { updatedAt: { lt: asOf } }] };
}

export interface Progress {
  changed: number;
  skipped: number;
  isOver: boolean;
}

/**
 * Does the act in chunks. Yields after each; ends when a chunk changes nothing. What it changed does
 * not match any more, for it changed after `asOf`.
 */
export async function* run(
  act: BulkAct,
  target: Target,
  reason: string,
): AsyncGenerator<Progress> {
  const filter = pinned(act, target);
  let changed = 0;
  for (;;) {
    const asked = { filter, asOf: target.asOf, limit: CHUNK, reason, dryRun: false };
    const outcome = await ask(act, asked);
    changed += outcome.changed;
    const isOver = outcome.changed === 0 || outcome.matched.isExact;
    yield { changed, skipped: outcome.skipped, isOver };
    if (isOver) return;
  }
}

interface Asked {
  filter: JobFilter;
  asOf: string;
  limit: number;
  reason: string | null;
  dryRun: boolean;
}

async function ask(act: BulkAct, asked: Asked): Promise<Outcome> {
  const outcome = await answer(act, asked);
  return asked.dryRun ? { ...outcome, changed: wouldChange(outcome) } : outcome;
}

async function answer(act: BulkAct, asked: Asked): Promise<Outcome> {
  if (act === 'retry') return (await send(RetryManyDocument, asked)).retryJobs;
  if (act === 'cancel') return (await send(CancelManyDocument, asked)).cancelJobs;
  const { deleteJobs } = await send(DeleteManyDocument, asked);
  return { ...deleteJobs, changed: deleteJobs.deleted };
}

/** A dry run changes nothing: of the jobs that it looked at, those that it does not skip. */
function wouldChange({ matched, skipped }: Outcome): number {
  return Math.max(0, Math.min(matched.value, CHUNK) - skipped);
}
