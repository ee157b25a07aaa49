// Acts on single jobs: shown at once, then the server's answer decides.
import { useMemo, useRef } from 'react';

import { ApiError, send } from '../../data/client';
import {
  type ActJobFragment,
  type ActResultFragment,
  CancelJobDocument,
  type JobStatus,
  PrioritizeJobDocument,
  RerunJobDocument,
  type RerunJobMutationVariables,
  RescheduleJobDocument,
  RetryJobDocument,
} from '../../generated/graphql';
import { jobPath } from '../../paths';
import { t, tIfAny } from '../../text/text';
import { describe } from '../states';
import { toast } from '../toasts';

export type ActJob = ActJobFragment;

export interface Schedule {
  /** Null: now. Undefined: as it is. */
  at?: string | null;
  priority?: number;
}

export interface Acts {
  retry: (job: ActJob) => Promise<void>;
  cancel: (job: ActJob, reason: string | null) => Promise<void>;
  reschedule: (job: ActJob, schedule: Schedule) => Promise<void>;
  /** Resolves to null if a job was created, otherwise to what is wrong. */
  rerun: (variables: RerunJobMutationVariables) => Promise<string | null>;
}

interface Options {
  /** Called with what the job is expected to become, and then with what it is. */
  onChange: (job: ActJob, isExpected: boolean) => void;
  navigate: (path: string) => void;
}

type Ask = () => Promise<ActResultFragment>;

export function useActs(options: Options): Acts {
  const latest = useRef(options);
  latest.current = options;
  return useMemo(() => actsOf(() => latest.current), []);
}

function actsOf(options: () => Options): Acts {
  const onChange = (job: ActJob) => options().onChange(job, false);

  async function perform(job: ActJob, expected: Partial<ActJob>, ask: Ask): Promise<ActJob | null> {
    options().onChange({ ...job, ...expected, allowedTransitions: [] }, true);
    try {
      return settle(job, await ask(), onChange);
    } catch (error) {
      onChange(job);
      sayFault(error);
      return null;
    }
  }

  async function retry(job: ActJob): Promise<void> {
    const ask = async () => (await send(RetryJobDocument, { id: job.id })).retryJob;
    const now = await perform(job, expectedAs('QUEUED'), ask);
    if (now) sayDone('acts.retried', job, () => void cancel(now, null));
  }

  async function cancel(job: ActJob, reason: string | null): Promise<void> {
    const ask = async () => (await send(CancelJobDocument, { id: job.id, reason })).cancelJob;
    const now = await perform(job, expectedAs('CANCELED'), ask);
    if (now) sayDone('acts.canceled', job, () => void retry(now));
  }

  async function reschedule(job: ActJob, { at, priority }: Schedule): Promise<void> {
    const ask = async () => {
      if (at === undefined)
        return (await send(PrioritizeJobDocument, { id: job.id, priority: priority ?? job.priority }))
          .rescheduleJob;
      const variables = { id: job.id, at, priority: priority ?? null };
      return (await send(RescheduleJobDocument, variables)).rescheduleJob;
    };
    const before = { at: job.scheduledAt ?? null, priority: job.priority };
    const now = await perform(job, {}, ask);
    if (now) sayDone('acts.rescheduled', job, () => void reschedule(now, before));
  }

  return { retry, cancel, reschedule, rerun: (variables) => rerun(variables, options().navigate) };
}

function expectedAs(status: JobStatus): Partial<ActJob> {
  return { status, isTerminal: status !== 'QUEUED' };
}

/** Shows what the server says of the job; the job, if it was changed. */
function settle(
  job: ActJob,
  result: ActResultFragment,
  onChange: (job: ActJob) => void,
): ActJob | null {
  const name = job.type;
  switch (result.__typename) {
    case 'JobPayload':
      onChange(result.job);
      return result.job;
    case 'IllegalTransition':
      onChange(result.job);
      sayRefused(t('acts.someoneFaster', { type: name, status: t(`status.${result.current}`) }));
      return null;
    case 'ReadOnlyJob':
      onChange(result.job);
      sayRefused(t('acts.readOnly', { source: result.job.source?.name ?? '' }));
      return null;
    case 'JobNotFound':
      onChange(job);
      sayRefused(t('acts.deleted', { type: name }));
      return null;
    case 'InvalidInput':
      onChange(job);
      sayRefused(t('acts.invalid', { field: result.field, message: result.message }));
      return null;
  }
}

async function rerun(
  variables: RerunJobMutationVariables,
  navigate: (path: string) => void,
): Promise<string | null> {
  try {
    const { rerunJob: result } = await send(RerunJobDocument, variables);
    if (result.__typename === 'CreateJobPayload') {
      const { id, type } = result.job;
      const run = () => navigate(jobPath(id));
      toast({ text: t('acts.created', { type }), action: { label: t('acts.open'), run } });
      return null;
    }
    if (result.__typename === 'InvalidInput')
      return t('acts.invalid', { field: result.field, message: result.message });
    return t('acts.deleted', { type: '' });
  } catch (error) {
    return faultText(error);
  }
}

type Done = 'acts.retried' | 'acts.canceled' | 'acts.rescheduled';

function sayDone(key: Done, job: ActJob, undo: () => void): void {
  toast({ text: t(key, { type: job.type }), action: { label: t('acts.undo'), run: undo } });
}

function sayRefused(text: string): void {
  toast({ text, isError: true });
}

function sayFault(error: unknown): void {
  sayRefused(faultText(error));
}

function faultText(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  return tIfAny(`acts.error.${error.code}`, describe(error));
}
